# SPDX-License-Identifier: Apache-2.0
# A payment buys what it was made for: this amount, asset, receiver,
# network; and a facilitator cannot put another payer or settlement in its place.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
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
        location /cheap/  { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /dear/   { x402_price $5; proxy_pass http://%%BACKEND%%; }
        location /else/   { x402_price $0.01; x402_pay_to 0x1111111111111111111111111111111111111111; proxy_pass http://%%BACKEND%%; }
        location /main/   { x402_price $0.01; x402_network base; proxy_pass http://%%BACKEND%%; }
        location /slow/   { x402_price $0.01; x402_timeout 900s; proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
    }
}
EOC
$up->on('*', body => "SECRET\n");
$t->start;

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';
    $_->forget for $f, $up;

    # What was offered at one place is not what another asks for, dressed up or not.
    my @places = qw(cheap dear else main slow);
    for my $from (@places) {
        for my $to (grep { $_ ne $from } @places) {
            my $offer = unpaid($t, "/$from/a");
            my $payment = payment($offer);
            my $r = paid($t, "/$to/a", @$via, payment => $payment);
            is $r->status . offer($r)->{error}, '402No matching payment requirements', "${p}paid for $from, presented at $to";

            my $dressed = payload($offer);
            $dressed->{accepted} = unpaid($t, "/$to/a")->{accepts}[0];
            next if "$from $to" =~ /slow|main/;    # chain and time are signed for, and the facilitator's to judge
            $r = paid($t, "/$to/a", @$via, payment => encoded($dressed));
            is $r->status, 402, "${p}paid for $from, said to be for $to";
        }
    }
    is $f->calls . $up->hits, '00', "${p}no facilitator was asked about any of them";

    # The chain is a part of what is signed: the facilitator says so, in our words about the chain.
    my $test = payload(unpaid($t, '/cheap/a'));
    $test->{accepted} = unpaid($t, '/main/a')->{accepts}[0];
    $f->verify_once(invalid => 'invalid_exact_evm_payload_signature');
    is paid($t, '/main/a', @$via, payment => encoded($test))->status, 402, "${p}test money for real";
    is $f->asked('verify')->{paymentRequirements}{network}, 'eip155:8453', "${p}the facilitator is asked about real money";
    is $up->hits, 0, "${p}the backend saw nothing";

    # Another payer, at verify and at settle.
    my $stranger = random_hex(20);
    for my $where (qw(cheap before)) {
        for my $said ([ 'another payer' => payer => $stranger ], [ 'another network' => network => 'eip155:8453' ],
            [ 'more than the price' => amount => '10001' ], [ 'less than the price' => amount => '1' ])
        {
            my ($name, %with) = @$said;
            my $payment = payment(unpaid($t, "/$where/a"));
            $f->settle_once(with => \%with);
            my $r = paid($t, "/$where/a", @$via, payment => $payment);
            is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}',
                "${p}$where: a settlement of $name is none of this payment";
            no_trace $r, 'SECRET', "${p}$where: $name: no content";
            is_content paid($t, "/$where/a", @$via, payment => $payment), "SECRET\n", "${p}$where: $name: finished later";
        }
    }
    $f->verify_once(with => { payer => $stranger });
    my $payment = payload(unpaid($t, '/cheap/a'));
    my $r = paid($t, '/cheap/a', @$via, payment => encoded($payment));
    is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}',
        "${p}verified for one payer and settled by another";
    no_trace $r, 'SECRET', "${p}verified for one, settled by another: no content";
    is $f->order =~ s/.* verify/verify/r, 'verify settle', "${p}verified for one, settled by another: asked once";
}

finish;
