# SPDX-License-Identifier: Apache-2.0
# x402_stream: a stream that says at its end what it has cost is not held for a payer with a good record. It is charged
# at its end, or when its client leaves. A payer has one such stream at a time, and a payment that fails costs it its
# record. All others wait, and pay first.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $text = <<'EOT';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone shop:1m;
    x402_ledger %%DIR%%/ledger;
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout settle=1500ms;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_accept scheme=upto price=5;
    x402_charge $x402_reply_usage_total_tokens*2;
    x402_stream trust=3;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_cache off;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /read/ { x402_stream trust=3 cut=read; proxy_pass http://%%BACKEND%%/; }
        location /most/ { x402_stream trust=3 most=$4.99; proxy_pass http://%%BACKEND%%/; }
        location /room/ { x402_stream trust=3 most=5; proxy_pass http://%%BACKEND%%/; }
        location /off/  { x402_stream off; proxy_pass http://%%BACKEND%%/; }
        location /ten/  { x402_stream trust=10; proxy_pass http://%%BACKEND%%/; }
        location /soon/ { x402_timeout 10s; x402_validity min=1s; proxy_pass http://%%BACKEND%%/; }
        location /else/ { x402_pay_to 0x1111111111111111111111111111111111111111; proxy_pass http://%%BACKEND%%/; }
    }
}
EOT
my $t = nginx($text, facilitator => $f, backend => $up);
$t->start;

my $first = qq(data: {"text":"SECRET","usage":null}\n\n);
my $whole = $first . qq(data: {"usage":{"total_tokens":50}}\n\ndata: [DONE]\n\n);
my $n     = 0;

# A stream that stops behind its first event, until the test goes on.
sub begin ($payer, $where = '/', %how) {
    my $path = '/s' . $n++;
    $up->on($path, headers => [ 'Content-Type' => 'text/event-stream' ], body => $how{body} // $whole, chunked => 1,
        hold_after => length $first, ($how{script} // {})->%*);
    my $offer   = unpaid($t, $where . substr $path, 1);
    my $payment = permit2($offer, from => $payer);
    $_->forget for $f, $up;
    my $c = $t->connect;
    $c->write_request(GET => $where . substr($path, 1), headers => [ 'PAYMENT-SIGNATURE' => $payment ]);
    ok $up->wait_count($path, 1), "$path is made";
    return { c => $c, path => $where . substr($path, 1), made_at => $path, payment => $payment };
}
# What is read is read again by the answer.
sub sees ($s, $seconds) { $s->{c}{in} .= $s->{c}->rest($seconds); return $s->{c}->raw =~ /SECRET/ }
sub flows ($s)   { return $t->wait_for(sub { sees($s, 0.02) }) }
sub is_held ($s) { return !sees($s, 0.4) }
sub ends ($s)  { $up->release; return $s->{c}->answer }
sub amount ()  { return $f->asked('settle')->{paymentRequirements}{amount} }

# Settles three times, as anyone has to.
sub known ($where = '/', $times = 3) {
    my $payer = random_hex(20);
    $up->on('/small', headers => [ 'Content-Type' => 'application/json' ], body => '{"usage":{"total_tokens":1}}');
    for (1 .. $times) {
        my $r = paid($t, "${where}small", payment => permit2(unpaid($t, "${where}small"), from => $payer));
        die $r->status if $r->status != 200;
    }
    return $payer;
}

# The ledger's events of this payment's payer, once they are `count`.
sub events ($payer, $count) {
    my @found;
    for (1 .. 100) {
        open my $in, '<', $t->dir . '/ledger' or die;
        @found = map { $_->{event} } grep { ($_->{payer} // '') =~ /\A\Q$payer\E\z/i } map { decode_json($_) } <$in>;
        last if @found >= $count;
        select undef, undef, undef, 0.1;
    }
    return join ' ', @found;
}

# --- a payer that is not known waits, and pays first

for my $times (0, 2) {
    my $s = begin($times ? known('/', $times) : random_hex(20));
    ok is_held($s), "$times settlements: it is held";
    my $r = ends($s);
    is_content $r, $whole, 'to its end';
    is amount(), '100', 'and costs what it says';
}

# --- one that is known has it at once, and pays at its end

my $payer = known();
my $s     = begin($payer);
ok flows($s), 'three settlements: it flows';
is $f->order, 'verify', 'after the payment was verified, and before it is settled';
my $r = ends($s);
is $r->body, $whole, 'all of it';
is $r->header('Cache-Control'), 'private', 'for its client alone';
ok !defined $r->header('PAYMENT-RESPONSE'), 'without a receipt: nothing was settled when its header left';
ok $f->wait_calls(settle => 1), 'then it is settled';
is amount(), '100', 'for what it says';
is events($payer, 8), 'settled delivered ' x 3 . 'settled delivered', 'the ledger has it'
    or diag events($payer, 8);
$_->forget for $f, $up;
is paid($t, $s->{path}, payment => $s->{payment})->status, 402, 'the same payment';
is $up->hits, 0, 'buys nothing again';

$s = begin($payer);
ok flows($s), 'it is known as before';
my $second = begin($payer);
ok is_held($second), 'and has one such stream at a time: another one is held';
ends($s);
is_content $second->{c}->answer, $whole, 'and paid first';
ok $f->wait_calls(settle => 2), 'both are settled';

# --- whose record counts

$s = begin($payer, '/else/');
ok is_held($s), 'a record is one of payments to one receiver';
ends($s);
$s = begin($payer, '/ten/');
ok is_held($s), 'a stream that was paid counts as one payment';
ends($s);

$payer = random_hex(20);
$up->on('/nothing', headers => [ 'Content-Type' => 'application/json' ], body => '{}');
is paid($t, '/nothing', payment => permit2(unpaid($t, '/nothing'), from => $payer))->status, 200, 'an answer that costs nothing'
    for 1 .. 3;
$s = begin($payer);
ok is_held($s), 'counts for nothing';
ends($s);

$payer = known();
my $earlier = begin($payer);
ok flows($earlier), 'a stream of a known payer';
is paid($t, '/small', payment => permit2(unpaid($t, '/small'), from => $payer))->status, 200, 'and small payments meanwhile'
    for 1 .. 3;
$s = begin($payer);
ok is_held($s), 'do not make it known for another stream';
ends($s);
ok ends($earlier)->complete, 'the first one ends';
ok $f->wait_calls(settle => 2), 'both are settled';
for my $case ([ '/ten/', 'of fewer settlements than are asked for' ], [ '/most/', 'for a maximum that is too high' ], [ '/off/', 'where it is off' ]) {
    $s = begin(known(), $case->[0]);
    ok is_held($s), "not on a record, or $case->[1]";
    ends($s);
}
$s = begin(known(), '/room/');
ok flows($s), 'a maximum that is allowed';
ends($s);
ok $f->wait_calls(settle => 1), '... settled';

# --- a client that leaves

for my $case ([ '/', $whole, '5000000', 'costs the maximum' ], [ '/read/', $whole, '5000000', 'costs the maximum, where it has said nothing' ],
    [ '/read/', qq(data: {"t":"SECRET","usage":{"total_tokens":7}}\n\n) . $whole, '14', 'costs what it has said, where that was chosen' ]) {
    my ($where, $body, $amount, $name) = @$case;
    $payer = known();
    $s = begin($payer, $where, body => $body, script => { hold_after => index($body, "\n\n") + 2 });
    ok flows($s), 'a client that leaves';
    $s->{c}->abort;
    ok $f->wait_calls(settle => 1), 'pays';
    is amount(), $amount, $name;
    like events($payer, 8), qr/settled delivered\z/, 'and has had it';
    $up->release;
}
$t->log_like(qr/\[info\].*the client left a stream that was not held \(x402_stream\), which costs the maximum/, 'the log says so');

# --- an upstream that breaks off

$payer = known();
$s = begin($payer, '/', script => { hold_after => undef, die_after => length $first });
ok flows($s), 'an upstream that breaks off';
ok !$s->{c}->answer->complete, 'ends the answer';
$t->log_like(qr/\[error\].*a stream that was not held \(x402_stream\) broke off; not charged/, 'is said');
is $f->calls('settle'), 0, 'and not charged';
$s = begin($payer);
ok is_held($s), 'its payer has used up its record';
ends($s);

# --- a payment that fails behind its content

$payer = known();
$f->settle_once(refused => 'insufficient_funds');
$s = begin($payer);
ok flows($s), 'a payer that has spent its money meanwhile';
is ends($s)->body, $whole, 'has the stream';
ok $f->wait_calls(settle => 1), 'and does not pay for it';
like events($payer, 7), qr/refused\z/, 'the ledger says so';
$_->forget for $f, $up;
is paid($t, $s->{path}, payment => $s->{payment})->status, 503, 'the same payment';
is paid($t, '/small', payment => permit2(unpaid($t, '/small'), from => $payer))->status, 503, 'and another one have to wait';
is $up->hits, 0, 'nothing more is made for it';

$payer = known();
$f->settle_once(silent => 1);
$s = begin($payer);
ok flows($s), 'an outcome that is not known';
is ends($s)->body, $whole, 'comes behind the content';
like events($payer, 7), qr/unknown\z/, 'the ledger says so';
my $later = begin($payer);
ok is_held($later), 'the payer has no record now';
ends($later);
like events($payer, 11), qr/unknown .*resolved delivered/, 'it is asked for again, and paid';
$_->forget for $f, $up;
isnt paid($t, $s->{path}, payment => $s->{payment})->status, 200, 'the content is owed to no one';
is $up->hits($s->{made_at}), 0, 'and not made again';

$payer = known();
$f->settle_once(status => 401, body => '{}');
$s = begin($payer);
ok flows($s), 'a facilitator that does not process it';
ends($s);
ok $f->wait_calls(settle => 2), 'is asked again';
like events($payer, 9), qr/resolved delivered\z/, 'and the content is paid';

# --- a stream that outlasts its payment

$payer = known('/soon/');
$s     = begin($payer, '/soon/');
ok flows($s), 'a stream that is longer than its payment is valid';
ok $f->wait_calls(settle => 1), 'is settled before that is over';
is amount(), '5000000', 'for the maximum';
is ends($s)->body, $whole, 'and goes on to its end';
$t->log_like(qr/\[warn\].*did not end within half of the time that its payment is valid: the maximum is charged/, 'the log says so');

# --- HTTP/2

$payer = known();
$up->on('/h2', headers => [ 'Content-Type' => 'text/event-stream' ], body => $whole, chunked => 1, hold_after => length $first);
my %via = (h2 => 1, port => 'h2');
my $payment = permit2(unpaid($t, '/h2', %via), from => $payer);
$_->forget for $f, $up;
my $h2 = $t->connect(%via);
my $id = $h2->write_request(GET => '/h2', headers => [ 'PAYMENT-SIGNATURE' => $payment ]);
ok $up->wait_count('/h2', 1), 'over HTTP/2';
ok $t->wait_for(sub { $h2->rest(0.02); $h2->data =~ /SECRET/ }), 'it flows';
$h2->reset($id);
ok $f->wait_calls(settle => 1), 'and its client pays when it resets the stream';
is amount(), '5000000', 'the maximum';
$up->release;

# --- a HEAD has nothing to flow

$_->forget for $f, $up;
is paid($t, '/small', method => 'HEAD', payment => permit2(unpaid($t, '/small', method => 'HEAD'), from => known()))->status, 200, 'HEAD';

my %errors = (
    'x402_stream trust=0;'                    => qr/"trust=0" .*trust=10 \(from 1 to 34\)/,
    'x402_stream trust=35;'                   => qr/"trust=35"/,
    'x402_stream trust=3 most=a;'             => qr/"most=a"/,
    'x402_stream trust=3 cut=free;'           => qr/"cut=free".*cut=maximum or read/,
    'x402_stream most=1;'                     => qr/"x402_stream" needs a number of settlements after which a payer is trusted; write .* trust=10/,
    'x402_stream on;'                         => qr/"on"/,
    'x402_stream trust=3; x402_stream off;'   => qr/"x402_stream" directive is duplicate/,
);
for my $lines (sort keys %errors) {
    like $t->config_error($text =~ s/x402_stream trust=3 cut=read;/$lines/r), $errors{$lines}, $lines;
}
my ($said) = $t->test_config($text =~ s/x402_charge [^;]*;//r);
like $said, qr/\[warn\].*x402_stream has no effect: .*write x402_charge there/, 'without x402_charge it does nothing';

# --- nginx that cuts a stream off itself

$t->stop;
$t = nginx($text =~ s/^events/worker_shutdown_timeout 1s;\nevents/mr, facilitator => $f, backend => $up);
$t->start;
$s = begin(known());
ok flows($s), 'a stream when nginx reloads';
$t->reload;
sleep 2;
$t->log_like(qr/a stream that was not held \(x402_stream\) broke off; not charged/, 'is cut off after worker_shutdown_timeout');
is $f->calls('settle'), 0, 'and its client, which has not left, is not charged';
$up->release;

finish;
