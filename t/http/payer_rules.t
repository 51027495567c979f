# SPDX-License-Identifier: Apache-2.0
# Who made the backend work for nothing is settled before content: after a
# refused settlement for ten minutes, and with 32 payments waiting.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /     { proxy_pass http://%%BACKEND%%; }
        location /off/ { x402_settle off; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';
    $_->forget for $f, $up;

    # --- a refused settlement

    my $payer = random_hex(20);
    my %his = (change => { from => $payer }, %via);
    $f->settle(refused => 'insufficient_funds');
    is_refused paid($t, '/a', %his), "${p}refused after content";
    is $up->hits, 1, "${p}which was made for nothing";

    $_->forget for $f, $up;
    is_refused paid($t, '/a', change => { from => $payer }, %via), "${p}refused again";
    is $f->order, 'settle', "${p}settled first, in one call";
    is $up->hits, 0, "${p}nothing is made";
    $f->settle('paid');
    $f->forget;
    is_content paid($t, '/a', change => { from => $payer }, %via), "SECRET\n", "${p}with money he is served";
    is $f->order, 'settle', "${p}settled first";
    $f->forget;
    is paid($t, '/off/a', change => { from => $payer }, %via)->status, 200, "${p}where nothing is settled";
    is $f->order, 'verify', "${p}nothing is";
    $f->forget;
    is_content paid($t, '/a', %via), "SECRET\n", "${p}another payer";
    is $f->order, 'verify settle', "${p}is trusted";

    # The payer of an unverified payment proves nothing.
    my $victim = random_hex(20);
    $f->verify(invalid => 'invalid_exact_evm_payload_signature');
    is paid($t, '/a', change => { from => $victim }, %via)->status, 402, "${p}a forged payment";
    $f->verify('ok');
    $f->forget;
    is_content paid($t, '/a', change => { from => $victim }, %via), "SECRET\n", "${p}its victim";
    is $f->order, 'verify settle', "${p}is trusted";

    # --- 32 payments that wait for their settlement

    $payer = random_hex(20);
    $_->forget for $f, $up;
    $up->on('/slow', body => "SECRET\n", hold => 1);
    my $offer = unpaid($t, '/slow');
    my @waiting = map {
        my $c = $t->connect(%via);
        my $id = $c->write_request(GET => '/slow', headers => [ header_of(payment($offer, from => $payer)) ]);
        [ $c, $h2 ? $id : () ];
    } 1 .. 32;
    $up->wait_count('/slow', 32);
    is $f->calls('settle'), 0, "${p}32 wait";
    is_content paid($t, '/a', change => { from => $payer }, %via), "SECRET\n", "${p}one more is served";
    is $f->calls('verify') . ' ' . $f->calls('settle'), '32 1', "${p}settled first";
    $up->on('/slow', body => "SECRET\n");
    $up->release('/slow');
    is scalar(grep { my ($c, @id) = @$_; $c->answer(@id)->status == 200 } @waiting), 32, "${p}all are served";
    $f->forget;
    is_content paid($t, '/a', change => { from => $payer }, %via), "SECRET\n", "${p}when they are done";
    is $f->order, 'verify settle', "${p}he is trusted again";

    # All of them verified at the same moment: the table counts, not the order of arrival.
    $payer = random_hex(20);
    $_->forget for $f, $up;
    $up->on('/slow', body => "SECRET\n", hold => 1);
    $f->verify('hold');
    @waiting = map {
        my $c = $t->connect(%via);
        my $id = $c->write_request(GET => '/slow', headers => [ header_of(payment($offer, from => $payer)) ]);
        [ $c, $h2 ? $id : () ];
    } 1 .. 33;
    $f->wait_calls(verify => 33);
    $f->verify('ok');
    $f->release;
    $up->wait_count('/slow', 33);
    is $f->calls('settle'), 1, "${p}of 33 verified at once one is settled first";
    $up->on('/slow', body => "SECRET\n");
    $up->release('/slow');
    is scalar(grep { my ($c, @id) = @$_; $c->answer(@id)->status == 200 } @waiting), 33, "${p}all are served";
    is $f->calls('settle'), 33, "${p}and charged once each";
}

finish;
