# SPDX-License-Identifier: Apache-2.0
# Headers of the operator's go along with every call to the facilitator, own ones
# in place of inherited ones, and nowhere else.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $other) = (facilitator(), facilitator());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    root %%DIR%%/html;
    x402_facilitator_header X-Key http-level-secret;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /inherits/ { }
        location /same/     { }
        location /own/ {
            x402_facilitator_header verify    X-Verify    "one two";
            x402_facilitator_header settle    X-Settle    2;
            x402_facilitator_header supported X-Supported 3;
            x402_facilitator_header X-Both 4;
            x402_facilitator_header Authorization "Bearer own-secret";
        }
        location /none/ { x402_facilitator_header X-Key ""; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, level => 'debug');
$t->write("html/$_/a", "SECRET\n") for qw(inherits same own none);
$t->start;

# What the facilitator was told with the last call of a kind.
sub told ($kind) { return (($f->requests($kind))[-1] // {})->{headers} // {} }

is_content paid($t, '/inherits/a'), "SECRET\n", 'paid under an inherited header';
is told($_)->{'x-key'}, 'http-level-secret', "which goes along with $_" for qw(verify settle);
is told('verify')->{'content-type'}, 'application/json', 'beside those of the module';

is_content paid($t, '/own/a'), "SECRET\n", 'paid under headers of the location';
is told('verify')->{'x-verify'}, 'one two', 'a header for verify';
is told('settle')->{'x-verify'}, undef, 'and for nothing else';
is told('settle')->{'x-settle'}, 2, 'a header for settle';
is told('verify')->{'x-settle'}, undef, 'and for nothing else';
is told($_)->{'x-both'}, 4, "a header for both: $_" for qw(verify settle);
is told($_)->{authorization}, 'Bearer own-secret', "Authorization: $_" for qw(verify settle);
is told($_)->{'x-key'}, undef, "own headers replace inherited ones: $_" for qw(verify settle);

is_content paid($t, '/none/a'), "SECRET\n", 'paid under an empty header';
is told($_)->{'x-key'}, undef, "an empty value is not sent: $_" for qw(verify settle);

# What it supports is asked once for each set of headers that goes along.
ok $f->wait_calls(supported => 3), 'what is supported is asked with each set of headers';
sub asked_with ($name) { return join ' ', sort map { $_->{headers}{$name} // '-' } $f->requests('supported') }
is asked_with('x-key'), '- - http-level-secret', 'inherited ones';
is asked_with('x-supported'), '- - 3', 'one for this question';
is asked_with('x-both'), '- - 4', 'one for all';
is asked_with('x-verify') . asked_with('x-settle'), '- - -' x 2, 'none for other questions';

# A redirect to another host is not followed if there are headers.
$t->allow(qr/crit/);
$f->verify(redirect => $other->url);
my $payment = payment(unpaid($t, '/own/a'));
my $r = paid($t, '/own/a', payment => $payment);
is $r->status, 502, 'a redirect elsewhere: 502';
no_trace $r, 'SECRET', 'no content';
is $other->calls, 0, 'no other facilitator is asked';
$t->log_like(qr/\[crit\].*credentials are configured/, 'crit in the log');
$f->verify('ok');
is_content paid($t, '/own/a', payment => $payment), "SECRET\n", 'the payment is still good';
$f->settle(redirect => $other->url, status => 308);
is paid($t, '/own/a')->status, 502, 'the same of settle';
is $other->calls, 0, 'no other facilitator is asked';

# On the same host and port it is followed, headers and all; without headers anywhere.
$f->settle('paid');
$f->forget;
$f->verify_once(redirect => $f->url . '/elsewhere');
is_content paid($t, '/own/a'), "SECRET\n", 'moved on the same server';
is told('verify')->{path} // (($f->requests('verify'))[-1]{path}), '/elsewhere/verify', 'asked there';
is told('verify')->{'x-verify'}, 'one two', 'with the header';
$f->verify_once(redirect => $other->url);
is_content paid($t, '/none/a'), "SECRET\n", 'without headers it is followed elsewhere';
is $other->calls('verify'), 1, 'to the other one';

$t->log_unlike(qr/(?:http-level|own)-secret/, 'no value in the log at level debug');

finish;
