# SPDX-License-Identifier: Apache-2.0
# A 307 or 308 of a facilitator is followed once and remembered; where it would
# give money or secrets away it is refused, loudly.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($old, $new) = (facilitator(), facilitator());
my $t = nginx(<<'EOF', facilitator => $old);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; root %%DIR%%/html; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

# Moved away.
$old->$_(redirect => $new->url, status => 308) for qw(verify settle);
is_content paid($t, '/a'), "SECRET\n", 'a facilitator that has moved';
is $new->order, 'verify settle', 'is found';
is $old->calls('verify'), 1, 'asked once at the old place';
cmp_ok $old->calls('settle'), '<=', 1, 'and for settle at most once';
is $new->asked('settle')->{x402Version}, 2, 'the body goes along';
$t->log_like(qr/\[notice\].*\Q@{[ $new->url ]}\E/, 'a line in the log');

$_->forget for $old, $new;
is_content paid($t, '/a'), "SECRET\n", 'the next payment';
is $new->order, 'verify settle', 'goes to the new place';
is $old->calls, 0, 'at once';

# Only settle has moved.
$t->wait_exit($t->reload);
$_->forget for $old, $new;
$old->verify('ok');
$old->settle(redirect => $new->url);
is_content paid($t, '/a'), "SECRET\n", 'a 307 for settle alone';
is $old->order . ' / ' . $new->order, 'verify settle / settle', 'asked there, once';

# A circle, a chain: followed once, then the operator is told.
for my $case ([ 'a circle', $old->url ], [ 'a chain', undef ]) {
    my ($name, $target) = @$case;
    $t->wait_exit($t->reload);
    $_->forget for $old, $new;
    $old->verify(redirect => $target // $new->url);
    $new->verify(redirect => $old->url);
    my $payment = payment(unpaid($t, '/a'));
    my $r = paid($t, '/a', payment => $payment);
    is $r->status, 502, "$name: 502";
    no_trace $r, 'SECRET', "$name: no content";
    cmp_ok $old->calls + $new->calls, '<=', 3, "$name: not for ever";
    $_->verify('ok') for $old, $new;
    $_->settle('paid') for $old, $new;
    is_content paid($t, '/a', payment => $payment), "SECRET\n", "$name: the payment is still good";
}

# Locations that must not be followed.
for my $location ('ftp://127.0.0.1', 'file:///etc', 'gopher://127.0.0.1', 'javascript:', "http://a b") {
    $t->wait_exit($t->reload);
    $_->forget for $old, $new;
    $old->verify(redirect => $location);
    my $before = $t->log_count(qr/\[crit\]/);
    my $r = paid($t, '/a');
    is $r->status, 502, "to $location: 502";
    ok $t->wait_for(sub { $t->log_count(qr/\[crit\]/) > $before }), "to $location: crit in the log";
}

for my $location ('//', 'http://') {
    $t->wait_exit($t->reload);
    $old->verify(redirect => $location);
    is paid($t, '/a')->status, 502, "to $location: 502";
}

# 301, 302, 303 would turn the POST into a GET.
for my $status (301, 302, 303) {
    $t->wait_exit($t->reload);
    $_->forget for $old, $new;
    $old->verify(redirect => $new->url, status => $status);
    is paid($t, '/a')->status, 502, "$status is not followed";
    is $new->calls, 0, "$status: nobody asked";
}

finish;
