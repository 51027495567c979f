# SPDX-License-Identifier: Apache-2.0
# A settlement that was sent survives a reload and a graceful quit, with and
# without its client; a fast stop leaves a line that names it.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
worker_processes 2;
%%GLOBALS%%
worker_shutdown_timeout %%SHUTDOWN%%;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_zone x402:1m;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        x402_price $0.01;
        location /file/ { alias %%DIR%%/html/; }
        location /up/   { proxy_pass http://%%BACKEND%%/; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%/; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { SHUTDOWN => '1h' });
$t->write('html/a', "SECRET\n");
$up->on('/a', body => "SECRET\n");
$up->on('/held', body => "SECRET\n", hold => 1);
$t->start;

# A paid request that stands still: where, and a sub that lets it go on.
my %places = (
    'verify'  => { path => '/file/a', wait => sub { $f->wait_calls(verify => 1) }, go => sub { $f->verify('ok'); $f->release } },
    'content' => { path => '/up/held', wait => sub { $up->wait_count('/held', 1) }, go => sub { $up->release } },
    'settle, file'  => { path => '/file/a', wait => sub { $f->wait_calls(settle => 1) }, go => sub { $f->settle('paid'); $f->release } },
    'settle, proxy' => { path => '/up/a', wait => sub { $f->wait_calls(settle => 1) }, go => sub { $f->settle('paid'); $f->release } },
    'settle before' => { path => '/before/a', wait => sub { $f->wait_calls(settle => 1) }, go => sub { $f->settle('paid'); $f->release } },
);

sub stand_still ($place, %via) {
    $_->forget for $f, $up;
    my $path    = $places{$place}{path};
    my $payment = payment(unpaid($t, $path));
    $f->verify('hold') if $place eq 'verify';
    $f->settle('hold') if $place =~ /settle/;
    my $c  = $t->connect(%via);
    my $id = $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    $places{$place}{wait}->() or die "$place was not reached";
    return ($payment, $c, sub { $c->answer($via{h2} ? $id : ()) });
}

# --- reload

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    for my $place (sort keys %places) {
        my $name = "reload while $place" . ($h2 ? ', HTTP/2' : '');
        my ($payment, $c, $answer) = stand_still($place, %via);
        my @old = $t->reload;
        is $t->get('/file/a')->status, 402, "$name: the new workers serve";
        my $r = paid($t, $places{$place}{path}, payment => $payment);
        ok $r->status == 409 || $r->status == 503, "$name: and know that the payment is in use";
        $places{$place}{go}->();
        is_content $answer->(), "SECRET\n", "$name: the old worker finishes";
        $c->hang_up;
        ok $t->wait_exit(@old), "$name: and ends";
        is $f->calls('settle'), 1, "$name: settled once";
        is paid($t, $places{$place}{path}, payment => $payment)->status, 402, "$name: the payment is used";
    }
}

# --- reload, and the client leaves

my ($payment, $c) = stand_still('settle, file');
my @old = $t->reload;
ok $t->leave($c), 'the client leaves';
$f->settle('paid');
$f->release;
ok $t->wait_exit(@old), 'reload, client gone: the old workers end';
my $tx = $f->transaction(decoded($payment)->{payload}{authorization}{nonce});
$t->log_like(qr/$tx/, 'reload, client gone: settled');
$f->forget;
is_content paid($t, '/file/a', payment => $payment), "SECRET\n", 'reload, client gone: the new ones owe the content';
is $f->calls, 0, 'reload, client gone: and ask nothing';

# --- three reloads in a row while one payment settles

($payment, $c, my $answer) = stand_still('settle, file');
$t->reload for 1 .. 3;
$f->settle('paid');
$f->release;
is_content $answer->(), "SECRET\n", 'three reloads';
$c->hang_up;

# --- quit

for my $place (sort keys %places) {
    my ($payment, $c, $answer) = stand_still($place);
    $t->signal('QUIT');
    $t->wait_for(sub { $t->workers('worker process is shutting down') == 2 || 1 == $t->workers }, 2);
    $places{$place}{go}->();
    is_content $answer->(), "SECRET\n", "quit while $place: finished";
    $c->hang_up;
    is $t->wait_end, 0, "quit while $place: and ended";
    $f->verify('ok');
    $t->start;
}
($payment, $c) = stand_still('settle, file');
$t->signal('QUIT');
ok $t->leave($c), 'the client leaves';
$f->settle('paid');
$f->release;
is $t->wait_end, 0, 'quit, client gone: ended';
$tx = $f->transaction(decoded($payment)->{payload}{authorization}{nonce});
$t->log_like(qr/$tx/, 'quit, client gone: the settlement is in the log');
$t->start;

# --- nothing in flight: no worker stays behind

is_content paid($t, '/file/a'), "SECRET\n", 'a payment';
my $start = time;
is $t->quit, 0, 'quit with idle connections to the facilitator';
cmp_ok time - $start, '<', 20, 'does not wait for them';
$t->start;

# --- worker_shutdown_timeout cuts the client, not the settlement

$t->{holes}{SHUTDOWN} = '100ms';
$t->conf($conf);
$t->wait_exit($t->reload);
($payment, $c) = stand_still('settle, file');
@old = $t->reload;
ok $c->wait_eof, 'worker_shutdown_timeout: the client is cut off';
no_trace $c->raw, 'SECRET', 'worker_shutdown_timeout: without content';
$f->settle('paid');
$f->release;
ok $t->wait_exit(@old), 'worker_shutdown_timeout: the worker ends after the call';
$tx = $f->transaction(decoded($payment)->{payload}{authorization}{nonce});
$t->log_like(qr/$tx/, 'worker_shutdown_timeout: and the settlement is in the log');
is_content paid($t, '/file/a', payment => $payment), "SECRET\n", 'worker_shutdown_timeout: the content is owed';

# --- fast stop

($payment, $c) = stand_still('settle, file');
my $payer = decoded($payment)->{payload}{authorization}{from};
is $t->stop, 0, 'a fast stop';
$t->log_like(qr/unknown.*$payer|$payer.*unknown/i, 'names the settlement whose outcome is unknown');
no_trace $c->rest(0.1), 'SECRET', 'and sends nothing';

finish;
