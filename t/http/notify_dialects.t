# SPDX-License-Identifier: Apache-2.0
# x402_notify fires for each event in each dialect.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use X402::Fast;
use X402::Test;

my ($f, $up, $hook) = (facilitator(), backend(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { HOOK => $hook->address });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_notify verify  /told/verify;
        x402_notify settle  /told/settle;
        x402_notify failure /told/failure;
        x402_facilitator %%FACILITATOR%%;
        location /v2   { x402_protocol v2; x402_network base-sepolia; x402_price 0.01; proxy_pass http://%%BACKEND%%; }
        location /v1   { x402_protocol v1; x402_network base-sepolia; x402_price 0.01; proxy_pass http://%%BACKEND%%; }
        location /fast { x402_protocol fast; x402_network base-sepolia; x402_price 0.01; proxy_pass http://%%BACKEND%%; }
        location /nevermined {
            x402_protocol nevermined;
            x402_nevermined %%FACILITATOR%% key_file=sandbox.key;
            x402_settle_failure reject;
            x402_accept scheme=nvm:erc4337 plan=5;
            proxy_pass http://%%BACKEND%%;
        }
        location /told/ {
            internal;
            x402 off;
            proxy_pass http://%%HOOK%%;
        }
    }
}
EOF
chmod 0600, $t->write('sandbox.key', "sandbox:header.claims.signature\n");
$up->on('*', body => "SECRET\n");
$t->start;

my %pays = (
    v2   => sub { 'PAYMENT-SIGNATURE' => payment(unpaid($t, '/v2')) },
    v1   => sub { 'X-PAYMENT' => evm_payment(fast_offer($t->get('/v1')), valid => 120) },
    fast => sub { 'X-PAYMENT' => evm_payment(fast_offer($t->get('/fast'))) },
    nevermined => sub {
        'payment-signature' => encode_base64url(JSON::PP->new->encode({ x402Version => 2, payload => { signature => random_hex(65) } }));
    },
);

sub told ($count) {
    $t->wait_for(sub { $hook->hits >= $count });
    return join ' ', sort map { $_->{path} =~ s{/told/}{}r } $hook->requests;
}

for my $dialect (sort keys %pays) {
    my $buy = sub {
        $_->forget for $f, $up, $hook;
        return $t->get("/$dialect", headers => [ $pays{$dialect}->() ]);
    };
    $f->verify('ok');
    $f->settle('paid');
    is $buy->()->status, 200, "$dialect: paid";
    is told(2), 'settle verify', "$dialect: verify and settle";

    $f->verify(invalid => 'insufficient_funds');
    is $buy->()->status, 402, "$dialect: refused by verify";
    is told(1), 'failure', "$dialect: failure";

    $f->verify('ok');
    $f->settle(refused => 'insufficient_funds');
    is $buy->()->status, 402, "$dialect: refused by settle";
    is told(2), 'failure verify', "$dialect: verify and failure";
}

finish;
