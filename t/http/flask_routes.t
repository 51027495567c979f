# SPDX-License-Identifier: Apache-2.0
# The route table of a Flask server (docs/migrating.md): what its clients saw, field
# for field, and what its facilitator heard. Rows 3.5: 1 offers, 2 and 3 payments
# (the real clients: t/e2e), 4 and 5 refusals, 6 tiers, 7 other methods.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $evm = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
my $svm = '2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4';
my $fee = 'EwWqGE4ZFKLofuestmU4LDdK7XM1N4ALgdZccwYugwGd';
my $t = nginx(<<"EOF", facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    map \$arg_tier \$price { premium 0.10; default 0.01; }
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_methods GET;
        location /health { proxy_pass http://%%BACKEND%%; }
        location = /weather {
            x402_accept network=eip155:84532 price=\$price pay_to=$evm;
            x402_accept network=solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1 price=\$price pay_to=$svm 'extra={"feePayer":"$fee"}';
            x402_description "Weather report";
            x402_mime_type application/json;
            proxy_pass http://%%BACKEND%%;
        }
        location /premium/ {
            x402_accept network=eip155:84532 amount=10000 asset=0x036CbD53842c5426634e7929541eC2318f3dCF7e
                'extra={"name":"USDC","version":"2"}' pay_to=$evm;
            x402_accept network=solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1 price=0.01 pay_to=$svm 'extra={"feePayer":"$fee"}';
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
my $json = JSON::PP->new->utf8->canonical;
$t->allow(qr/does not list/);
$up->on('*', body => "SECRET\n");
$t->start;

sub evm_way ($amount) {
    return { scheme => 'exact', network => 'eip155:84532', asset => '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
        amount => $amount, payTo => $evm, maxTimeoutSeconds => 300, extra => { name => 'USDC', version => '2' } };
}
sub svm_way ($amount) {
    return { scheme => 'exact', network => 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1', amount => $amount, payTo => $svm,
        asset => '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU', maxTimeoutSeconds => 300, extra => { feePayer => $fee } };
}

# 1. The offers, field for field.
is $t->get('/health')->body, "SECRET\n", '3.5.1 /health is untouched';
for ([ '/weather', 'Weather report', 'application/json' ], [ '/premium/content', '', '' ]) {
    my ($path, $description, $type) = @$_;
    my $r = $t->get($path, host => 'api.example.com');
    is $r->status . $r->body . $r->header('Content-Type'), '402' . plain_body($r) . 'application/json', "3.5.1 $path: unpaid";
    is $json->encode(offer($r)), $json->encode({
        x402Version => 2, error => 'Payment required',
        resource => { url => "http://api.example.com$path", description => $description, mimeType => $type },
        accepts => [ evm_way('10000'), svm_way('10000') ],
    }), "3.5.1 $path: the offer";
}

# 2. A payment: the bodies that the facilitator got.
$_->forget for $f, $up;
my $payment = payment(unpaid($t, '/weather'));
is_content paid($t, '/weather', payment => $payment), "SECRET\n", '3.5.2 paid';
is $f->order, 'verify settle', '3.5.2 verify, then settle';
for my $call (qw(verify settle)) {
    is $json->encode($f->asked($call)), $json->encode({
        x402Version => 2, paymentPayload => decoded($payment), paymentRequirements => evm_way('10000'),
    }), "3.5.2 the body of $call";
}

# 4. Refused: no byte of the content.
$f->verify(invalid => 'insufficient_funds');
my $r = paid($t, '/weather');
is $r->status . ' ' . offer($r)->{error}, '402 insufficient_funds', '3.5.4 verify says no';
$f->verify('ok');
$f->settle(refused => 'insufficient_funds');
$r = paid($t, '/weather');
is_refused $r, '3.5.4 settle says no';
no_trace $r, 'SECRET', '3.5.4 not a byte of what was bought';
$f->settle('paid')->forget;
$up->on('/premium/failing', status => 500, body => 'no');
is paid($t, '/premium/failing')->status, 500, '3.5.4 a handler that fails';
is $f->calls('settle'), 0, '3.5.4 is not charged';

# 5. Garbage, and what was not offered.
$f->forget;
like offer($t->get('/weather', headers => [ header_of('garbage') ]))->{error}, qr/\AUnreadable payment header: /, '3.5.5 garbage';
for my $field (qw(amount asset payTo)) {
    my $value = $field eq 'amount' ? '1' : random_hex(20);
    is offer(paid($t, '/weather', change => { "accepted.$field" => $value }))->{error}, 'No matching payment requirements',
        "3.5.5 another $field";
}
is $f->calls, 0, '3.5.5 no facilitator was asked';

# 6. An expensive tier.
is $json->encode(unpaid($t, '/weather?tier=premium')->{accepts}), $json->encode([ evm_way('100000'), svm_way('100000') ]),
    '3.5.6 an expensive tier';
is paid($t, '/weather?tier=premium', payment => payment(unpaid($t, '/weather')))->status, 402,
    '3.5.6 is not bought with a payment for the cheap one';
is paid($t, '/weather?tier=premium')->status, 200, '3.5.6 but with its own';
is $f->asked('verify')->{paymentRequirements}{amount}, '100000', '3.5.6 at its price';

# 7. Methods that are not in the table.
is $t->ask(POST => '/weather')->status, 200, '3.5.7 another method is free';

finish;
