# SPDX-License-Identifier: Apache-2.0
# conf-examples/algorand.conf as it stands, with payments of Algorand's shape:
# groups of transactions, whose signatures are the facilitator's to judge.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $directory = "$FindBin::Bin/../../conf-examples";
sub read_text ($path) { open my $in, '<:raw', $path or die "$path: $!"; local $/; return scalar <$in> }
my $text = read_text("$directory/algorand.conf");    # conf-examples/algorand.conf
for (
    [ "user  www-data;\n" => '' ], [ "error_log  /var/log/nginx/error.log notice;\n" => '' ],
    [ 'load_module  modules/ngx_http_x402_module.so;' => '%%GLOBALS%%' ], [ "\nhttp {\n" => "\nhttp {\n    %%HTTP%%\n" ],
    [ 'listen       80;' => 'listen 127.0.0.1:%%PORT%%;' ], [ '127.0.0.1:3000' => '%%BACKEND%%' ], [ '/srv/www' => '%%DIR%%/html' ],
    [ 'https://facilitator.example.com;' => '%%FACILITATOR%%;' ],
) {
    my ($from, $to) = @$_;
    ok $text =~ s/\Q$from\E/$to/g, "in the usual form: " . $from =~ s{\s+}{ }gr;
}
unlike $text =~ s/#.*//gr, qr{https?://(?!%%)}, 'nothing outside is asked';

my $long  = 'algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=';
my $short = 'algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe';
my $seller = 'IFLLMOXVG6MP5H4VTCHDQFSTRWEV2QD3K3MBYYOTW2MJU5ADBDHTCYSNFQ';
my $payer_of_fees = 'XAGNVLU3GIV3UKRY7U4WFGLYFJGMNNFAZT3H7TF3ZRQXZFFEMATKH3XXRE';
my $solana = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1';
my ($f, $up) = (facilitator(), backend());
$f->supported(kinds => [ map { [ 2, 'exact', @$_ ] } [ $long, { feePayer => $payer_of_fees } ],
    [ $short, { feePayer => $payer_of_fees } ], ['eip155:84532'], [ $solana, { feePayer => '2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4' } ] ]);
my $t = nginx($text, facilitator => $f, backend => $up);
$t->write("extensions/$_.json", read_text("$directory/extensions/$_.json")) for qw(bazaar merchant);
$t->write('html/index.html', 'free');
my ($said, $passes) = $t->test_config($text);
ok $passes, 'nginx -t' or diag $said;
$t->start;
my $json = JSON::PP->new->canonical;

# --- what a client of Algorand sends -------------------------------------------------

sub packed (%members) {
    my $number = sub ($n) { $n < 128 ? chr $n : $n < 256 ? "\xcc" . chr $n : $n < 65536 ? "\xcd" . pack('n', $n) : "\xce" . pack('N', $n) };
    return chr(0x80 + keys %members) . join '', map {
        my $value = $members{$_};
        chr(0xa0 + length) . $_ . (ref $value ? $$value : $value =~ /\A\d+\z/ ? $number->($value) : "\xc4" . chr(length $value) . $value)
    } sort keys %members;
}

# A group of so many, the transfer last; bytes32 stands for addresses and hashes.
sub group ($size, %change) {
    my $id = join '', map { chr 32 + int rand 90 } 1 .. 32;
    my $name = sub ($text) { my $packed = chr(0xa0 + length $text) . $text; return \$packed };
    my %all = (fv => 5, lv => 1005, gh => 'g' x 32, snd => 's' x 32, gen => $name->('testnet-v1.0'), $size > 1 ? (grp => $id) : ());
    my $transfer = packed(%all, aamt => $change{amount} // 10000, arcv => 'r' x 32, type => $name->('axfer'), xaid => 10458941);
    my $fee = packed(%all, fee => 2000, rcv => 'f' x 32, type => $name->('pay'));
    my @group = map { packed(txn => \$fee) } 2 .. $size;
    push @group, packed(sig => $change{signature} // 'S' x 64, txn => \$transfer);
    return { paymentGroup => [ map { encode_base64($_, '') } @group ], paymentIndex => $size - 1 };
}

sub pay_by ($path, $group, %options) {
    my $offer = $options{offer} // unpaid($t, $path);
    my $payload = { x402Version => 2, payload => $group, resource => $offer->{resource}, accepted => $offer->{accepts}[0],
        $offer->{extensions} ? (extensions => $offer->{extensions}) : () };
    return $t->get($path, headers => [ 'PAYMENT-SIGNATURE' => encoded($payload) ]);
}

sub forget () { $_->forget for $f, $up; return }

# --- the offer ----------------------------------------------------------------------------

# What the facilitator adds is asked for when nginx starts.
$t->wait_for(sub { $t->get('/api/weather')->status == 402 && offer($t->get('/api/weather'))->{accepts}[0]{extra}{feePayer} });
my $offer = unpaid($t, '/api/weather');
is $json->encode($offer->{accepts}), $json->encode([ { scheme => 'exact', network => $long, amount => '10000', asset => '10458941',
    payTo => $seller, maxTimeoutSeconds => 300, extra => { name => 'USDC', decimals => 6, feePayer => $payer_of_fees } } ]),
    '1. the entry, every member';
like MIME::Base64::decode_base64(scalar $t->get('/api/weather')->header('PAYMENT-REQUIRED')), qr/"network":"\Q$long\E"/,
    '1. the network unchanged, with its / and =';
for my $path ('/api/weather/', '/API/Weather', '/api//weather') {
    is $t->get($path)->status, 402, "1. $path is the same";
}
is unpaid($t, '/short')->{accepts}[0]{network}, $short, '1. a short id as it is written';

forget();
is $f->asked('verify'), undef, 'no facilitator was asked yet';
for my $path ('/api/weather', '/short') {
    forget();
    my $r = pay_by($path, group(2));
    is $r->status, 200, "3. $path is sold";
    ok receipt($r)->{success}, '3. with a receipt';
    is $f->order, 'verify settle', '3. verify and settle';
    is $f->asked('settle')->{paymentRequirements}{extra}{feePayer}, $payer_of_fees, '3. with who pays the fees';
    is $f->asked('settle')->{paymentPayload}{accepted}{network}, $path eq '/short' ? $short : $long, '3. and the network as it was';
}
forget();
$f->verify(invalid => 'invalid_exact_avm_amount');
my $r = pay_by('/api/weather', group(2, amount => 1));
is $r->status, 402, '3. a wrong amount';
is offer($r)->{error}, 'invalid_exact_avm_amount', '3. with the facilitator\'s reason';
ok $up->untouched, '3. is not served';
$f->verify('ok');

forget();
my $premium = unpaid($t, '/premium');
is $json->encode($premium->{accepts}[0]{extra}),
    $json->encode({ name => 'USDC', decimals => 6, tag => 'premium', feePayer => $payer_of_fees }), '4. extra as written, and feePayer';
is "$premium->{accepts}[0]{amount} $premium->{accepts}[0]{asset}", '50000 10458941', '4. amount and asset';
is pay_by('/premium', group(2, amount => 50000))->status, 200, '8. paid';
for my $key (qw(verify settle)) {
    is $f->asked($key)->{paymentPayload}{extensions}{'x402-merchant'}{info}{name}, 'Example shop', "8. $key has the merchant";
    is $f->asked($key)->{paymentRequirements}{extra}{tag}, 'premium', "8. $key has the tag";
}
is join(' ', sort keys $premium->{extensions}->%*), 'bazaar x402-merchant', '8. both extensions in the 402';
is $premium->{extensions}{bazaar}{info}{input}{method}, 'GET', '8. with the method filled in';

$offer = unpaid($t, '/any');
is join(' ', map { $_->{network} } $offer->{accepts}->@*), "$long eip155:84532 $solana", '5. three networks in order';
forget();
is pay_by('/any', group(1), offer => $offer)->status, 200, '5. paid on Algorand, by one transaction';
is paid($t, '/any', payment => payment($offer, accept => 1))->status, 200, '5. paid on Base';
is $f->asked('settle', 1)->{paymentRequirements}{network}, 'eip155:84532', '5. each as it is';

forget();
is $t->ask(POST => '/api/weather', body => 'x')->status, 200, '6. a method that is not listed';
is $t->get('/index.html')->status, 200, '6. a path that is not for sale';
is $f->calls, 0, '6. without a question';

# --- groups ----------------------------------------------------------------------------------

forget();
is pay_by('/short', group(16))->status, 200, 'a group of 16';
is scalar $f->asked('settle')->{paymentPayload}{payload}{paymentGroup}->@*, 16, 'as it was sent';
forget();
my $same = group(2);
is pay_by('/short', $same)->status, 200, 'a group';
$same->{paymentGroup}[1] =~ s/\A(.{30})/$1/;
$r = pay_by('/short', $same);
is $r->status, 402, 'the same group again';
is offer($r)->{error}, 'payment_already_used', 'is used';
is $up->hits, 1, 'and bought once';
for my $bad (
    [ group(17) => 'a group of 17' ], [ { group(2)->%*, paymentIndex => 2 } => 'an index behind the group' ],
    [ { group(2)->%*, paymentIndex => -1 } => 'an index before it' ], [ { paymentGroup => [], paymentIndex => 0 } => 'no group' ],
    [ { paymentGroup => ['AAAA'], paymentIndex => 0 } => 'no transaction' ], [ { paymentGroup => 'gA==', paymentIndex => 0 } => 'no list' ],
    [ { paymentGroup => ['%%%'], paymentIndex => 0 } => 'no base64' ], [ { transaction => 'AAAA' } => 'another form' ],
) {
    my ($group, $name) = @$bad;
    forget();
    $r = pay_by('/short', $group);
    is $r->status, 402, "$name: 402";
    is offer($r)->{error}, 'invalid_payload', "$name: said so";
    is $f->calls, 0, "$name: no facilitator was asked";
    ok $up->untouched, "$name: not served";
}

# --- 7. a facilitator that is down ------------------------------------------------------------

$t->quit;
my $dead = nginx($text, backend => $up, holes => { FACILITATOR => dead_url() });
$dead->write("extensions/$_.json", read_text("$directory/extensions/$_.json")) for qw(bazaar merchant);
$dead->allow(qr/facilitator/);
$dead->start;
forget();
my $unasked = unpaid($dead, '/short');
is $unasked->{accepts}[0]{network}, $short, '7. nginx starts, and tells the price';
my $payload = { x402Version => 2, payload => group(1), resource => $unasked->{resource}, accepted => $unasked->{accepts}[0] };
$r = $dead->get('/short', headers => [ 'PAYMENT-SIGNATURE' => encoded($payload) ]);
is $r->status, 502, '7. a payment is refused';
ok $up->untouched, '7. never served';

finish;
