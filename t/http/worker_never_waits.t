# SPDX-License-Identifier: Apache-2.0
# A facilitator that says nothing delays the payments that call it, and
# no other request.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up, $good) = (facilitator(), backend(), facilitator());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { GOOD => $good->url });
%%GLOBALS%%
events { worker_connections 2048; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout verify=20s settle=20s;
    x402_facilitator_max_calls 100;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /free  { proxy_pass http://%%BACKEND%%; }
        location /paid  { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /other { x402_price $0.01; x402_facilitator %%GOOD%%; proxy_pass http://%%BACKEND%%; }
        location /named { x402_price $0.01; x402_facilitator http://nowhere.invalid:1; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

sub free_is_quick ($name) {
    my @seconds = sort { $a <=> $b } map {
        my $r = $t->get('/free');
        $r->status == 200 ? $r->seconds : 99;
    } 1 .. 50;
    cmp_ok $seconds[-3], '<', 2, "$name: a free location is quick";
    my $unpaid = $t->get('/paid');
    ok $unpaid->status == 402 && $unpaid->seconds < 10, "$name: so is an offer";
    is_content paid($t, '/other'), "answer to /other\n", "$name: another facilitator is used meanwhile";
    return;
}

# verify
$f->verify('hold');
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/paid', headers => pay_with($t, '/paid'), close => 1);
    $c;
} 1 .. 20;
ok $f->wait_calls(verify => 20), 'twenty payments wait for verify';
free_is_quick('verify');
$f->verify('ok');
$f->settle('hold');
$f->release('verify');

# settle
ok $f->wait_calls(settle => 20), 'twenty payments wait for settle';
free_is_quick('settle');
$f->settle('paid');
$f->release('settle');
is scalar(grep { $_->answer->status == 200 } @clients), 20, 'in the end all are served';

# a name that cannot be resolved
my $start = time;
my $r = paid($t, '/named');
ok $r->status == 502 || $r->status == 504, 'a facilitator without an address';
cmp_ok time - $start, '<', 15, 'is noticed in time';
free_is_quick('no address');

# More payments than slots: 503 at once, uncharged, and the slots come back.
$f->forget;
$f->verify('silent');
@clients = map {
    my $c = $t->connect(from => '127.0.0.' . (2 + $_ % 20));
    $c->write_request(GET => '/paid', headers => pay_with($t, '/paid'), close => 1);
    $c;
} 1 .. 100;
ok $t->wait_for(sub { $f->calls('verify') >= 87 }), 'the slots fill';
my $last = paid($t, '/paid', from => '127.0.0.99');
is $last->status, 503, 'no slot is left';
is $last->body, '{"error":"busy","charged":false}', 'busy';
like $last->header('Retry-After'), qr/\A[1-9]\d*\z/, 'Retry-After';
ok !$last->header('PAYMENT-REQUIRED'), 'no new demand';
is $t->get('/paid')->status, 402, 'an offer is still made';
$_->abort for @clients;
$f->verify('ok');
ok $t->wait_for(sub { paid($t, '/paid')->status == 200 }), 'a slot is free again';

finish;
