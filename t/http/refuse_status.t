# SPDX-License-Identifier: Apache-2.0
# x402_refuse_status: the status of an invalid payment, not of an unpaid request,
# not of a used payment, not of a failure of the module.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Fast;

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
    x402_refuse_status 403;
    log_format state "$status $x402_state $x402_reason";
    server {
        listen 127.0.0.1:%%PORT%%;
        access_log %%DIR%%/state.log state;
        location /new  { proxy_pass http://%%BACKEND%%; }
        location /old  { x402_protocol v1; proxy_pass http://%%BACKEND%%; }
        location /fast { x402_protocol fast; proxy_pass http://%%BACKEND%%; }
        location /402  { x402_refuse_status 402; proxy_pass http://%%BACKEND%%; }
        location /page { error_page 403 /words; proxy_pass http://%%BACKEND%%; }
        location = /words { internal; x402 off; return 200 "no entry"; }
        location /any {
            satisfy any;
            deny all;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->start;

sub old ($path, %of) { return $t->ask(GET => $path, headers => [ 'X-PAYMENT' => evm_payment(fast_offer($t->get($path)), valid => 120, %of) ]) }

# --- the facilitator says no -------------------------------------------------

$f->verify(invalid => 'invalid_exact_evm_payload_signature');
my $r = paid($t, '/new');
is $r->status, 403, 'v2';
is offer($r)->{error}, 'invalid_exact_evm_payload_signature', 'v2: with a fresh offer';
for my $path ('/old', '/fast') {
    $r = old($path);
    is $r->status, 403, "$path";
    my $body = fast_offer($r);
    is $body->{error}, 'invalid_exact_evm_payload_signature', "$path: the reason";
    is scalar $body->{accepts}->@*, 1, "$path: a fresh offer";
    like $body->{payer}, qr/\A0x/, "$path: who paid";
}
is paid($t, '/402')->status, 402, 'the nearest counts';
is paid($t, '/any')->status, 403, 'satisfy any';
is $t->get('/any')->status, 402, 'satisfy any: unpaid';
$r = paid($t, '/page');
is $r->status . $r->body, '403no entry', 'error_page';
ok ref offer($r), 'error_page: the offer stays';
$f->verify(invalid => 'permit2_allowance_required');
is paid($t, '/new')->status, 412, 'what has a status of its own keeps it';
$f->verify('ok');

# --- the payload is invalid ----------------------------------------------------

$f->forget;
is paid($t, '/new', change => { 'payload.signature' => 5 })->status, 403, 'another shape';
is paid($t, '/new', change => { 'accepted.amount' => '1' })->status, 403, 'another offer';
is paid($t, '/new', change => { x402Version => 3 })->status, 403, 'another version';
is paid($t, '/new', change => { valid => -10 })->status, 403, 'expired';
is old('/fast', value => 1)->status, 403, 'too little';
is $f->calls, 0, 'no facilitator was asked';
ok $up->untouched, 'the backend saw nothing';

# --- everything else ------------------------------------------------------------

is $t->get("/$_")->status, 402, "/$_: unpaid" for qw(new old fast);
is $t->get('/new', headers => [ header_of('!!!') ])->status, 402, 'what cannot be read is not a payment';
my $payment = payment(unpaid($t, '/new'));
is paid($t, '/new', payment => $payment)->status, 200, 'paid';
is paid($t, '/new', payment => $payment)->status, 402, 'a used payment: a new one is asked for';
$f->settle(refused => 'insufficient_funds');
is paid($t, '/new')->status, 402, 'a settlement refused';
is old('/fast')->status, 402, 'a settlement refused before content';
$f->verify(status => 500, body => 'x');
is paid($t, '/new')->status, 502, 'a facilitator that fails';

my $log = '';
$t->wait_for(sub {
    open my $file, '<', $t->dir . '/state.log' or return 0;
    $log = join '', <$file>;
    return $log =~ /^502 /m;
});
like $log, qr/^403 refused invalid_exact_evm_payload_signature$/m, 'the log';
unlike $log, qr/^403 challenged/m, 'unpaid is never 403';

finish;
