# SPDX-License-Identifier: Apache-2.0
# Money in, content out: what is asked of the facilitator, what the client
# gets, and that only the paid location is concerned.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        large_client_header_buffers 4 64k;

        location /free { proxy_pass http://%%BACKEND%%; }
        location /paid { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /two {
            x402_accept network=base price=0.05;
            x402_accept network=base-sepolia price=0.02 timeout=90s;
            proxy_pass http://%%BACKEND%%;
        }
        location /base/ {
            x402_facilitator %%FACILITATOR%%/deep/path/;
            x402_price $0.01;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->start;

my $offer   = unpaid($t, '/paid?q=1');
my $payload = payload($offer);
$payload->{extensions} = { unknown => { kept => [ 1, '2', undef, "\x{20ac}" ] } };
my $payment = encoded($payload);

my $r = paid($t, '/paid?q=1', payment => $payment);
is_content $r, "answer to /paid\n", 'content and receipt';
is $f->order, 'verify settle', 'asked to verify, then to settle';
is $up->hits('/paid'), 1, 'made once';

for my $what (qw(verify settle)) {
    my ($call) = $f->requests($what);
    my $asked  = $f->asked($what);
    is $call->{method}, 'POST', "$what: method";
    is $call->{path}, "/$what", "$what: path";
    like $call->{headers}{'content-type'}, qr{\Aapplication/json}, "$what: type";
    is join(' ', sort keys %$asked), 'paymentPayload paymentRequirements x402Version', "$what: keys";
    is $asked->{x402Version}, 2, "$what: version";
    is_deeply $asked->{paymentPayload}, $payload, "$what: the payment as it was presented";
    is_deeply $asked->{paymentRequirements}, $offer->{accepts}[0], "$what: our requirement";
}
ok !exists +($f->requests('verify'))[0]{headers}{expect}, 'no Expect header';

my $nonce = $payload->{payload}{authorization}{nonce};
my $from  = $payload->{payload}{authorization}{from};
is decode_base64(scalar $r->header('PAYMENT-RESPONSE')),
    qq({"success":true,"payer":"$from","transaction":"@{[ $f->transaction($nonce) ]}",)
    . '"network":"eip155:84532"}', 'the receipt, byte by byte';
is $r->header('Cache-Control'), 'private', 'private';
$t->log_unlike(qr/\[(?:error|crit)\]/, 'nothing to complain about');

# a richer settle answer
$f->settle(with => { amount => '10000', extra => { a => 1 }, extensions => { e => 2 }, junk => 3,
    errorReason => undef }, headers => [ 'EXTENSION-RESPONSES' => 'e30=' ]);
$r = paid($t, '/paid');
is_content $r, "answer to /paid\n", 'more fields';
is join(' ', sort keys receipt($r)->%*), 'amount extensions extra network payer success transaction',
    'known fields are kept, others dropped';
is $r->header_count('EXTENSION-RESPONSES'), 0, 'nothing else is passed on';

$f->settle(with => { transaction => '' });
$r = paid($t, '/paid');
is $r->status, 200, 'an empty transaction is paid';
is receipt($r)->{transaction}, '', 'with a receipt that says so';
$t->log_like(qr/\[notice\].*transaction/, 'and a line in the log');
$f->settle('paid');

# an echo of the requirement that says it in another way
$f->forget;
$r = paid($t, '/paid', change => { 'accepted.extra' => { version => '2', name => 'USDC', more => { b => 1 } } });
is_content $r, "answer to /paid\n", 'an echo with additions';
is_deeply $f->asked('settle')->{paymentRequirements}, $offer->{accepts}[0], 'is not what is sent on';

# the second of two
$f->forget;
$offer = unpaid($t, '/two');
is_content paid($t, '/two', change => { accept => 1 }), "answer to /two\n", 'the second way to pay';
is_deeply $f->asked($_)->{paymentRequirements}, $offer->{accepts}[1], "to $_" for qw(verify settle);
is_content paid($t, '/two'), "answer to /two\n", 'the first';

# the same over HTTP/2, and with the header name in another case
is_content paid($t, '/paid', h2 => 1, port => 'h2'), "answer to /paid\n", 'HTTP/2';
$r = $t->get('/paid', headers => [ 'payment-Signature' => payment(unpaid($t, '/paid')) ]);
is_content $r, "answer to /paid\n", 'header name in any case';

# padding may be left out; a long payment is a payment
my $long = payload(unpaid($t, '/paid'));
$long->{extensions} = { filler => 'x' x 30000 };
is_content paid($t, '/paid', payment => encoded($long) =~ s/=+\z//r), "answer to /paid\n",
    '40 KB without padding';

# a base URL with a path and a slash at its end
$f->forget;
is_content paid($t, '/base/x'), "answer to /base/x\n", 'a facilitator with a path';
is join(' ', map { $_->{path} } $f->requests), '/deep/path/verify /deep/path/settle', 'is asked there';

# free means untouched, even with a payment in hand
$f->forget;
$r = $t->get('/free', headers => [ 'PAYMENT-SIGNATURE' => payment($offer) ]);
is $r->status . $r->body, "200answer to /free\n", 'a payment for a free location';
is $r->header_count('PAYMENT-RESPONSE'), 0, 'buys nothing';
is $f->calls, 0, 'and is not looked at';
ok +($up->requests('/free'))[0]{headers}{'payment-signature'}, 'and goes through';

finish;
