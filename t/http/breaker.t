# SPDX-License-Identifier: Apache-2.0
# A facilitator in trouble is left in peace: payments settle before content
# where it still answers, and are told to come back where it does not. Clients
# cannot cause that by sending invalid payments.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $second, $up) = (facilitator(), facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:2m;
    x402_facilitator_group pair { server %%FACILITATOR%%; server %%SECOND%%; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location /        { proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /off/    { x402_settle off; proxy_pass http://%%BACKEND%%; }
        location /upto/   { x402_accept scheme=upto price=5; proxy_pass http://%%BACKEND%%; }
        location /pair/   { x402_facilitator pair; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { SECOND => $second->url });
$up->on('*', body => "SECRET\n");
$t->allow(qr/ failed: |fails (?:verify|settle) again|does not list/);
$t->start;

my $opened = qr/facilitator "\S+" fails (?:verify|settle) repeatedly/;
my $closed = qr/facilitator "\S+" recovered/;
my ($openings, $closings) = (0, 0);

# New workers know of no trouble, and a new zone of nothing to ask for again.
sub restart () {
    $t->quit;
    $t->start;
    $_->forget for $f, $second, $up;
    $_->verify('ok') for $f, $second;
    $_->settle('paid') for $f, $second;
    $openings = $t->log_count($opened);
    $closings = $t->log_count($closed);
    return;
}
sub opens ()  { return $t->log_count($opened) - $openings }
sub closes () { return $t->log_count($closed) - $closings }

sub is_closed ($answer, $name) {
    return ok $answer->status == 503
        && $answer->body eq '{"error":"facilitator_unavailable","charged":false}'
        && $answer->header('Retry-After') == 5 && $answer->header('Cache-Control') eq 'no-store'
        && !$answer->header('PAYMENT-REQUIRED') && !$answer->header('PAYMENT-RESPONSE'), $name
        || diag $answer->summary;
}

# So many payments, each of a payer of its own, over five connections at once.
# What runs in the middle is run while they are on their way.
sub storm ($path, $count, $middle = undef) {
    my $offer   = unpaid($t, $path);
    my @clients = map { $t->connect } 1 .. 5;
    my %statuses;
    for my $round (1 .. $count / 50) {
        for my $client (@clients) {
            $client->write_request(GET => $path, headers => [ header_of(payment($offer)) ]) for 1 .. 10;
        }
        $middle->() if $middle && $round % 5 == 0;
        for my $client (@clients) { $statuses{ $client->answer->status }++ for 1 .. 10 }
    }
    return join ' ', map {"$_:$statuses{$_}"} sort keys %statuses;
}

# --- garbage at full speed

for my $path ('/', '/before/') {
    restart;
    my $honest = random_hex(20);
    $f->verify(invalid => 'invalid_exact_evm_payload_signature', except => $honest);
    $f->settle(refused => 'invalid_exact_evm_payload_signature', except => $honest);
    my $served = 0;
    my $statuses = storm($path, 1000, sub {
        my $r = paid($t, $path, change => { from => $honest });
        $served++ if $r->status == 200 && $r->body eq "SECRET\n";
    });
    is $statuses, '402:1000', "$path: all garbage is refused";
    is $served, 4, "$path: the shop is open for an honest payer all the while";
    is $up->hits, 4, "$path: and works for him alone";
    is opens, 0, "$path: nothing was opened";
}

# --- garbage that makes the facilitator stumble

for my $path ('/', '/before/') {
    restart;
    my $honest = random_hex(20);
    $f->verify(status => 500, body => 'x', except => $honest);
    $f->settle(status => 500, body => 'x', except => $honest);
    my $served = 0;
    storm($path, 250, sub {
        my $r = paid($t, $path, change => { from => $honest });
        $served++ if $r->status == 200 && $r->body eq "SECRET\n";
    });
    is $served, 1, "$path: who makes it stumble does not close the shop either";
    is $up->hits, 1, "$path: nobody else is worked for";
    is opens, 1, "$path: though the breaker is open";
}
is_content paid($t, '/'), "SECRET\n", 'then' if $f->verify('ok') && $f->settle('paid');
restart;
$f->verify(status => 500, body => 'x');
my @two = map { random_hex(20) } 1 .. 2;
paid($t, '/', change => { from => $two[ $_ % 2 ] }) for 1 .. 20;
is opens, 0, 'two payers prove nothing, however often they come';

# --- it answers, but verifying fails: settle first

restart;
$f->verify(status => 500, body => 'x');
paid($t, '/') for 1 .. 5;
is opens, 1, 'five payers do';
is $t->get('/')->status, 402, 'unpaid requests get their offer';
$f->forget;
is_content paid($t, '/'), "SECRET\n", 'paid';
is $f->order, 'settle', 'settled without verifying';
$f->settle(refused => 'insufficient_funds');
$up->forget;
is_refused paid($t, '/'), 'not paid';
is $up->hits, 0, 'not worked for';
$f->verify('ok');
is paid($t, '/off/')->status, 200, 'where nothing is settled the word is asked for as ever';

# --- it verifies, but settling fails: no work for nothing

restart;
$f->settle('close');
paid($t, '/') for 1 .. 5;
is opens, 1, 'settlements that are not answered open it';
is $up->hits, 5, 'content was made for each';
$_->forget for $f, $up;
is paid($t, '/')->body, '{"error":"settlement_unknown","charged":"unknown"}', 'the next is in doubt as well';
is $f->order, 'settle', 'settled first';
is $up->hits, 0, 'and not worked for';

# With a maximum the amount to settle is not known before content.
$f->forget;
$f->settle('paid');
is paid($t, '/upto/', payment => permit2(unpaid($t, '/upto/')))->status, 200, 'scheme upto';
is $f->order, 'verify settle', 'is never settled first';

# --- it does not answer

restart;
$f->verify('close');
is paid($t, '/')->status, 502, 'a failure' for 1 .. 5;
is opens, 1, 'it opens';
$_->forget for $f, $up;
my $kept = payment(unpaid($t, '/'));
is_closed paid($t, '/', payment => $kept), 'told to come back';
is_closed paid($t, '/before/'), 'before content as well';
is_closed paid($t, '/off/'), 'and without settling';
is $f->calls, 0, 'nothing was asked';
is $up->hits, 0, 'nor made';
is $t->get('/')->status, 402, 'unpaid requests get their offer';
sleep 5.1;
is paid($t, '/')->status, 502, 'one is let through after 5 s';
is_closed paid($t, '/'), 'no other';
is $f->order, 'verify', 'it was asked once';
$f->verify('ok');
sleep 5.1;
is_content paid($t, '/', payment => $kept), "SECRET\n", 'the payment that was rejected is valid';
is closes, 1, 'and closes it';
is_content paid($t, '/'), "SECRET\n", 'back to usual' for 1 .. 3;
is opens, 1, 'one line when it opened';

# --- in a group another facilitator is called

restart;
$f->verify('close');
is_content paid($t, '/pair/'), "SECRET\n", 'moved on' for 1 .. 5;
is opens, 1, 'the first is ill';
$_->forget for $f, $second;
is_content paid($t, '/pair/'), "SECRET\n", 'sold all the same';
is $f->calls, 0, 'without waiting for it';
is $second->order, 'verify settle', 'by the second';

finish;
