# SPDX-License-Identifier: Apache-2.0
# One client address holds at most a quarter of the places for payments that
# are not verified, so that invalid ones do not stop all others.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_max_calls 16;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    set_real_ip_from 127.0.0.9;
    real_ip_header X-Client;
    root %%DIR%%/html;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /before/ { x402_settle before; alias %%DIR%%/html/; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

sub begin ($path, %options) {
    my $c = $t->connect(from => $options{from} // '127.0.0.1');
    $c->write_request(GET => $path,
        headers => [ ($options{headers} // [])->@*, pay_with($t, $path)->@* ]);
    return $c;
}

for (['/a', 'verify'], ['/before/a', 'settle']) {
    my ($path, $call) = @$_;
    $f->$call('hold');
    $f->forget;
    my @flood = map { begin($path) } 1 .. 4;
    $f->wait_calls($call => 4);
    my $r = paid($t, $path);
    is $r->status . $r->body, '503{"error":"busy","charged":false}', "$call: the fifth is rejected";
    like $r->header('Retry-After'), qr/\A[1-9]\d*\z/, "$call: Retry-After";
    ok !$r->header('PAYMENT-REQUIRED'), "$call: no new demand";
    is $t->get($path)->status, 402, "$call: an offer is free";
    my $other = begin($path, from => '127.0.0.2');
    ok $f->wait_calls($call => 5), "$call: another address has its own share";

    # Gone clients make room when their call is over, and not before it.
    if ($call eq 'settle') {
        $t->leave($_) for @flood;
        is paid($t, $path)->status, 503, 'settle: what is on the wire counts without its client';
    }
    $f->$call($call eq 'verify' ? 'ok' : 'paid');
    $f->release;
    is $other->answer->status, 200, "$call: served";
    if ($call eq 'verify') {
        is scalar(grep { $_->answer->status == 200 } @flood), 4, 'verify: all four are served';
    }
    else {
        $t->wait_for(sub { (() = $t->log =~ /content owed/g) == 4 });
    }
    is_content paid($t, $path), "SECRET\n", "$call: over, and the next is served";
}

# A verified payment does not count.
$f->settle('hold');
$f->forget;
my @proven = map { begin('/a') } 1 .. 6;
ok $f->wait_calls(settle => 6), 'verified payments do not count as garbage';
$f->settle('paid');
$f->release;
is scalar(grep { $_->answer->status == 200 } @proven), 6, 'all are served';

# IPv6 by the 64 bits that one customer has.
sub via ($address) { return (from => '127.0.0.9', headers => [ 'X-Client' => $address ]) }
$f->verify('hold');
$f->forget;
my @flood = map { begin('/a', via("2001:db8:0:1::$_")) } 1 .. 4;
$f->wait_calls(verify => 4);
is paid($t, '/a', via('2001:db8:0:1:ffff::9'))->status, 503, 'the same /64';
push @flood, begin('/a', via('2001:db8:0:2::1'));
ok $f->wait_calls(verify => 5), 'another /64';
push @flood, map { begin('/a', via($_)) } '::ffff:10.0.0.1', '::ffff:10.0.0.2';
ok $f->wait_calls(verify => 7), 'IPv4 in IPv6';
$f->verify('ok');
$f->release;
is scalar(grep { $_->answer->status == 200 } @flood), 7, 'all are served';

finish;
