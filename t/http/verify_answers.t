# SPDX-License-Identifier: Apache-2.0
# What each answer to verify means for the client. The same payment is used all
# along: no failure may keep it from being spent in the end.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { DEAD => dead_url() });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout connect=5s verify=2s;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /paid { proxy_pass http://%%BACKEND%%; }
        location /dead { x402_facilitator %%DEAD%%; proxy_pass http://%%BACKEND%%; }
        location /own  {
            error_page 502 /sorry.html;
            proxy_pass http://%%BACKEND%%;
        }
        location = /sorry.html { x402 off; return 502 "we are sorry"; }
    }
}
EOF
$t->start;

my $payment = payment(unpaid($t, '/paid'));

sub presented ($path = '/paid') { return $t->get($path, headers => [ header_of($payment) ]) }

sub fails ($status, $word, $name, @spec) {
    $f->verify(@spec);
    my $r = presented();
    my $body = qr/\A\{"error":"$word"(?:,"charged":false)?\}\z/;
    ok $r->status == $status && $r->body =~ $body && !$r->header('PAYMENT-REQUIRED')
        && !$r->header('PAYMENT-RESPONSE') && ($r->header('Cache-Control') // '') eq 'no-store', $name
        or diag $r->summary;
    return $r;
}

sub refused ($error, $name, @spec) {
    $f->verify(@spec);
    my $r = presented();
    my $offer = offer($r);
    ok $r->status == 402 && $r->body eq plain_body($r) && $offer && $offer->{accepts}[0]{amount} eq '10000'
        && !$r->header('PAYMENT-RESPONSE'), $name or diag $r->summary;
    return is $offer->{error}, $error, "$name: reason";
}

# --- not valid

refused('insufficient_funds', 'not valid', invalid => 'insufficient_funds');
refused(undef, 'not valid, no reason', invalid => 'x', without => ['invalidReason']);
refused(undef, 'not valid, reason null', invalid => 'x', with => { invalidReason => undef });
refused('why: because', 'status 400', status => 400, invalid => 'why', with => { invalidMessage => 'because' });
refused('why', 'status 400 without a message', status => 400, invalid => 'why');
refused('why', 'status 404 with an answer', status => 404, invalid => 'why');
refused(qq(a\r\nSet-Cookie: "b"</script>\xe9), 'a hostile reason',
    invalid => qq(a\r\nSet-Cookie: "b"</script>\xe9));
is presented()->header_count('Set-Cookie'), 0, 'injects nothing';
$f->verify(invalid => 'permit2_allowance_required');
is presented()->status, 412, 'an allowance is missing: 412';
ok offer(presented()), 'with the offer';

# --- broken

fails(502, 'facilitator_failed', "isValid $_->[0]", with => { isValid => $_->[1] })
    for [ 'text', 'true' ], [ 'number', 1 ], [ 'list', [ bool_true ] ], [ 'null', undef ];
fails(502, 'facilitator_failed', 'isValid missing', without => ['isValid']);
fails(502, 'facilitator_failed', 'payer of a wrong type', with => { payer => 1 });
fails(502, 'facilitator_failed', 'HTML', body => '<html>isValid true</html>');
fails(502, 'facilitator_failed', 'an empty body', body => '');
fails(502, 'facilitator_failed', 'a list', body => '[true]');
fails(502, 'facilitator_failed', 'cut JSON', body => '{"isValid":true');
fails(502, 'facilitator_failed', 'JSON and more', body => '{"isValid":true} x');
fails(502, 'facilitator_failed', 'depth', body => '[' x 100000);
fails(502, 'facilitator_failed', 'valid with status 400', status => 400);
fails(502, 'facilitator_failed', "valid with status $_", status => $_) for 500, 502, 503;
fails(502, 'facilitator_failed', 'not valid with status 500', status => 500, invalid => 'x');
fails(502, 'facilitator_failed', 'status 500', status => 500, body => 'oops');
fails(502, 'facilitator_failed', 'reset', 'reset');
fails(502, 'facilitator_failed', 'closed', 'close');
fails(502, 'facilitator_failed', 'half an answer', half => 120);
fails(502, 'facilitator_failed', 'a megabyte', huge => 1 << 20);
fails(502, 'facilitator_failed', 'more than 256 KB', huge => 257 << 10);
fails(502, 'facilitator_failed', 'more than 256 KB in chunks', huge => 257 << 10, chunked => 1);
fails(504, 'facilitator_timeout', 'silence', 'silent');
fails(504, 'facilitator_timeout', 'an answer that comes too late', delay => 3);

# --- the operator's fault, said loudly

for my $status (401, 403, 404) {
    my $before = $t->log_count(qr/\[crit\]/);
    fails(502, 'facilitator_failed', "status $status", status => $status, body => '{"error":"key"}');
    ok $t->wait_for(sub { $t->log_count(qr/\[crit\]/) > $before }), "status $status: crit in the log";
}
my $r = fails(503, 'busy', 'status 429', status => 429, body => '{}');
like $r->header('Retry-After'), qr/\A[1-9]\d*\z/, 'status 429: Retry-After';

# --- no listener

ok offer($t->get('/dead')), 'the offer needs no facilitator';
$r = presented('/dead');
is $r->status, 502, 'a payment does';
is $r->body =~ /facilitator_failed/, 1, 'with the word for it';
unlike $r->body, qr/127\.0\.0\.1|[Cc]onnect/, 'and no details';

# --- the operator's own page

$f->verify(status => 500, body => 'oops');
$r = presented('/own');
is $r->status . $r->body, '502we are sorry', 'error_page 502';

is $up->hits, 0, 'the backend was never asked';
is $f->calls('settle'), 0, 'nor was anything settled';

# --- valid, however it travels

sub valid ($name, @spec) {
    $f->verify(@spec);
    return is_content paid($t, '/paid'), "answer to /paid\n", $name;
}

valid('payer absent', without => ['payer']);
valid('payer null', with => { payer => undef });
valid('status 201', status => 201);
valid('unknown fields', with => { more => { isValid => bool_false } });
valid('chunked', 'chunked');
valid('byte by byte', 'trickle');
valid('1xx first', 'interim');
valid('close-delimited', 'eof');
valid('last of its connection', 'last');
valid('200 KB', huge => 200 << 10);
valid('late, but in time', delay => 0.1);

is presented()->status, 200, 'and the payment of all those failures is still good';

finish;
