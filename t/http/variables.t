# SPDX-License-Identifier: Apache-2.0
# What operators see of a request: in the log, in maps and limits, towards the
# upstream and in answers; and nothing from outside that could do harm there.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Test;

my @names = qw(state payer amount price asset network scheme pay_to transaction version facilitator reason
    verify_time settle_time presented payment payment_id redelivery pass_left pass_expires);
my $format = join ' ', 'log $request_uri', map { $_ eq 'payment' ? () : "$_=[\$x402_$_]" } @names;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF' =~ s/FORMAT/$format/r, facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_zone x402:1m;
    log_format money "FORMAT";
    map $x402_presented $anonymous { "" $binary_remote_addr; default ""; }
    map $x402_state $mapped { volatile; settled yes; default no; }
    limit_req_zone $anonymous zone=anonymous:1m rate=1r/m;
    proxy_set_header X-Payer    $x402_payer;
    proxy_set_header X-Amount   $x402_amount;
    proxy_set_header X-Network  $x402_network;
    proxy_set_header X-Id       $x402_payment_id;
    proxy_set_header X-Again    $x402_redelivery;
    proxy_set_header X-State    $x402_state;
    proxy_set_header X-Answer   $x402_answer_isValid;
    proxy_set_header X-Nested   $x402_answer_one_two_three;
    proxy_set_header X-Object   $x402_answer_one;
    proxy_set_header X-Text     $x402_answer_text;
    proxy_set_header X-Body     $x402_body_text;
    add_header X-State       "$x402_state" always;
    add_header X-Mapped      $mapped always;
    add_header X-Transaction $x402_transaction always;
    add_header X-Reason      $x402_reason always;
    add_header X-Payer       $x402_payer always;
    add_header X-Presented   $x402_presented always;
    add_header X-Payment     $x402_payment always;
    add_header X-Module      $x402_module_version always;
    add_header X-Offer       $x402_offer always;
    add_header X-Settled     $x402_settled_transaction always;
    add_header X-Protocol    $x402_protocol always;
    add_header X-Signed      "[$x402_signed_receipt]" always;
    add_header X-Reply       $x402_reply_usage_tokens always;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        access_log %%DIR%%/logs/money.log money;
        location / { proxy_pass http://%%BACKEND%%; }
        location /paid/ {
            x402_price $0.01;
            proxy_pass http://%%BACKEND%%;
            location /paid/before/  { x402_settle before; proxy_pass http://%%BACKEND%%; }
            location /paid/post/    { x402_methods POST; proxy_pass http://%%BACKEND%%; }
            location /paid/limited/ { limit_req zone=anonymous; proxy_pass http://%%BACKEND%%; }
            location /paid/page/    { error_page 402 /sorry; proxy_pass http://%%BACKEND%%; }
            location /paid/denied/  { deny all; proxy_pass http://%%BACKEND%%; }
            location /paid/any/     { satisfy any; allow all; proxy_pass http://%%BACKEND%%; }
            location /paid/member/  { x402_bypass $arg_member; proxy_pass http://%%BACKEND%%; }
            location /paid/mirror/  { mirror /copy; proxy_pass http://%%BACKEND%%; }
        }
        location /other/ {
            x402_accept network=base-sepolia asset=0x1111111111111111111111111111111111111111 price=2.50 decimals=2
                        'extra={"name":"Example","version":"1"}';
            proxy_pass http://%%BACKEND%%;
        }
        location /sorry { return 200 "sorry"; }
        location /copy  { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

sub text () {
    open my $file, '<:raw', $t->dir . '/logs/money.log' or return '';
    local $/;
    return <$file> // '';
}

# How much of the log is about what was asked before.
my $read = 0;

# The last line of the log about a path, by name.
sub logged ($path) {
    my $line;
    $t->wait_for(sub { ($line) = reverse substr(text(), $read) =~ /^log \Q$path\E (.*)$/mg; $line })
        or die "no line for $path";
    my %value = $line =~ /(\w+)=\[([^\]]*)\]/g;
    $value{$_} = $value{$_} eq '-' ? '' : $value{$_} for keys %value;
    return \%value;
}

sub has ($path, $name, %expected) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $value = logged($path);
    return is_deeply { map { $_ => $value->{$_} } keys %expected }, \%expected, $name;
}

sub ask_for ($path, %options) {
    $read = length text();
    return $t->get($path, %options);
}

# As paid(), with the offer asked for before. nginx writes its line before it closes the
# connection, and ask() waits for that.
sub pay_for ($path, %options) {
    $options{payment} //= payment(unpaid($t, $path), (delete $options{change} // {})->%*);
    $read = length text();
    return paid($t, $path, %options);
}

my %nothing = map { $_ => '' } grep { $_ ne 'payment' } @names;
my $time = qr/\A\d+\.\d{3}\z/;

# --- without a price, without a payment

my $r = ask_for('/free');
is $r->status . ($r->header('X-State') // '') . ($r->header('X-Offer') // ''), '200', 'a free location';
has '/free', 'knows nothing', %nothing;
ask_for('/paid/none');
has '/paid/none', 'unpaid', %nothing, state => 'challenged';
ask_for('/paid/post/a');
has '/paid/post/a', 'a method that is free', %nothing, state => 'free';
ask_for('/paid/member/a?member=1');
has '/paid/member/a?member=1', 'a bypass', %nothing, state => 'bypassed';
ask_for('/paid/any/a');
has '/paid/any/a', 'a request that is served without payment', %nothing, state => 'free';
$t->allow(qr/access forbidden by rule/);
ask_for('/paid/denied/a');
has '/paid/denied/a', 'denied before anybody was asked', %nothing;
is ask_for('/paid/page/a')->body, 'sorry', 'behind an error page';
has '/paid/page/a', 'the same', %nothing, state => 'challenged';

# --- paid

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    for my $mode (qw(after before)) {
        my $path = "/paid/$mode/" . @$via;
        my $payment = payment(unpaid($t, $path), from => '0x' . 'aB' x 20);
        $up->forget;
        $r = pay_for($path, @$via, payment => $payment, headers => [ 'X-Payer' => 'forged', 'X-Again' => 'forged' ]);
        is_content $r, "answer to $path\n", "$path: paid";
        like $r->header('X-Offer'), qr/\A\[\{"scheme":"exact"/, "$path: the offer";
        is $r->header('X-Settled'), $r->header('X-Transaction'), "$path: what settle said";
        my $value = logged($path);
        my $nonce = decoded($payment)->{payload}{authorization}{nonce};
        has $path, "$path: all is known", state => 'settled', payer => '0x' . 'ab' x 20, amount => '10000',
            price => '0.01', asset => '0x036CbD53842c5426634e7929541eC2318f3dCF7e', network => 'eip155:84532',
            scheme => 'exact', pay_to => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
            transaction => $f->transaction($nonce), version => '2', facilitator => $f->url, reason => '',
            presented => '1', redelivery => '';
        like $value->{payment_id}, qr/\A[0-9a-f]{64}\z/, "$path: an id";
        like $value->{settle_time}, $time, "$path: time of settle";
        $mode eq 'after' ? like $value->{verify_time}, $time, "$path: time of verify"
            : is $value->{verify_time}, '', "$path: not verified";
        my ($request) = $up->requests;
        is_deeply [ map { $request->{headers}{"x-$_"} } qw(payer amount network id again state) ],
            [ '0x' . 'ab' x 20, '10000', 'eip155:84532', $value->{payment_id}, undef,
                $mode eq 'after' ? 'verified' : 'settled' ], "$path: the upstream knows";
        is join(' ', map { scalar $r->header("X-$_") } qw(State Mapped Transaction)),
            'settled yes ' . $f->transaction($nonce), "$path: so does the client";
        is_deeply(JSON::PP::decode_json($r->header('X-Payment')), decoded($payment), "$path: payment");
    }
}

$f->settle_once(delay => 0.3);
$f->verify_once(delay => 0.2);
pay_for('/other/a');
has '/other/a', 'decimals of x402_accept', amount => '250', price => '2.5', asset => '0x' . '1' x 40;
my $took = logged('/other/a');
ok $took->{verify_time} >= 0.15 && $took->{verify_time} < 5 && $took->{settle_time} >= 0.25, 'times are those of the calls';

$up->forget;
$r = pay_for('/paid/mirror/a', change => { from => '0x' . 'ef' x 20 });
$t->wait_for(sub { $up->count >= 2 });
is_deeply [ map { $_->{headers}{'x-payer'} } $up->requests ], [ ('0x' . 'ef' x 20) x 2 ],
    'a subrequest knows what the main request knows';

# --- not paid

$up->on('/paid/404', status => 404, body => 'none');
pay_for('/paid/404');
has '/paid/404', 'content that is not charged', state => 'verified', amount => '10000', transaction => '', settle_time => '';
$f->settle_once(refused => 'insufficient_funds');
$r = pay_for('/paid/refused');
has '/paid/refused', 'settle refused', state => 'refused', reason => 'insufficient_funds', transaction => '';
is $r->header('X-Reason'), 'insufficient_funds', 'and the client is told';
$f->verify_once(invalid => 'invalid_signature');
pay_for('/paid/invalid');
has '/paid/invalid', 'verify refused', state => 'refused', reason => 'invalid_signature', payer => '', settle_time => '';
$f->verify_once(invalid => 'Payment required');
pay_for('/paid/words');
has '/paid/words', 'whatever its words are', state => 'refused', reason => 'Payment required';
pay_for('/paid/price', change => { 'accepted.amount' => '1' });
has '/paid/price', 'no match', state => 'refused', payer => '', amount => '', facilitator => '', presented => '1';
$f->verify_once(status => 500, body => 'x');
$t->allow(qr/verify at facilitator/);
pay_for('/paid/failed');
has '/paid/failed', 'facilitator failed', state => 'failed', reason => 'facilitator_failed', payer => '';

# --- the same payment again

$t->allow(qr/settle at facilitator/);
my $payment = payment(unpaid($t, '/paid/unknown'));
$f->settle_once(reset => 1);
is pay_for('/paid/unknown', payment => $payment)->status, 503, 'unknown';
my $id = logged('/paid/unknown')->{payment_id};
has '/paid/unknown', 'is said', state => 'unknown', reason => 'settlement_unknown', redelivery => '', transaction => '';
$up->forget;
is pay_for('/paid/unknown', payment => $payment)->status, 200, 'finished';
has '/paid/unknown', 'is a redelivery', state => 'settled', redelivery => '1', payment_id => $id, price => '0.01',
    reason => '', pay_to => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
is join(' ', ($up->requests)[0]{headers}->@{qw(x-id x-again)}), "$id 1", 'and the upstream can tell';

$payment = payment(unpaid($t, '/paid/before/owed'));
$up->on('/paid/before/owed', status => 500, body => 'oops');
pay_for('/paid/before/owed', payment => $payment);
has '/paid/before/owed', 'charged and failed', state => 'settled', redelivery => '';
my $before = logged('/paid/before/owed');
$up->on('/paid/before/owed', body => 'there');
is pay_for('/paid/before/owed', payment => $payment)->body, 'there', 'and owed';
has '/paid/before/owed', 'the claim knows', $before->%*, redelivery => '1', pay_to => '', facilitator => '',
    verify_time => '', settle_time => '';

$payment = payment(unpaid($t, '/paid/gone'));
$read = length text();
$f->forget;
$f->settle('hold');
my $c = $t->connect;
$c->write_request(GET => '/paid/gone', headers => [ header_of($payment) ]);
$f->wait_calls(settle => 1);
$c->abort;
has '/paid/gone', 'the client left during settle', state => 'unknown', amount => '10000', transaction => '',
    settle_time => '';
$f->settle('paid');
$f->release('settle');

# --- before the access phase, and where nothing is paid

$r = ask_for('/free', headers => [ 'PAYMENT-SIGNATURE' => $payment ]);
is $r->header('X-Presented'), '1', 'presented where nothing is sold';
is_deeply(JSON::PP::decode_json($r->header('X-Payment')), decoded($payment), 'and can be read');
$t->allow(qr/limiting requests/);
is $t->get('/paid/limited/a')->status, 402, 'without a payment: the first';
is $t->get('/paid/limited/a')->status, 503, 'without a payment: limited';
is $t->get('/paid/limited/a', headers => [ 'PAYMENT-SIGNATURE' => 'x' ])->status, 402, 'with one: not';
for ('garbage', encoded('{"x402Version":1}'), encoded('[')) {
    $r = $t->get('/free', headers => [ 'PAYMENT-SIGNATURE' => $_ ]);
    is join(' ', map { $r->header("X-$_") // '-' } qw(Presented Payment)), '1 -', "no payment: $_";
}
$r = $t->get('/free', headers => [ ('PAYMENT-SIGNATURE' => $payment) x 2 ]);
is join(' ', map { $r->header("X-$_") // '-' } qw(Presented Payment)), '1 -', 'two payments are none';

# --- words from outside

my $evil = "a\r\nX-Evil: 1\r\n\r\n\x{1}\"'\x{e9}\x{85}\\<b>";
sub harmless ($answer, $path, $name) {
    is scalar $answer->header('X-Evil'), undef, "$name: no header of theirs";
    my $seen = join '', map { scalar($answer->header($_)) // '' } qw(X-Reason X-Transaction X-Payer);
    unlike $seen, qr/[^ -~]|["'\\<>]/, "$name: only plain letters in headers";
    logged($path);
    my ($line) = reverse text() =~ /^(log \Q$path\E .*)$/mg;
    return unlike $line, qr/[^ -~]|["'\\<>]/, "$name: nor in the log";
}
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $at = '/paid/evil' . @$via;
    $f->verify_once(invalid => $evil);
    harmless pay_for("$at/reason", @$via), "$at/reason", 'invalidReason';
    like logged("$at/reason")->{reason}, qr/\Aa X-Evil: 1 \?\?/, 'but can be read';
    $f->settle_once(with => { transaction => $evil });
    harmless pay_for("$at/tx", @$via), "$at/tx", 'transaction';
    like logged("$at/tx")->{transaction}, qr/\Aa X-Evil: 1/, 'but can be read';
    $f->verify_once(with => { payer => $evil });
    $f->settle_once(with => { payer => $evil });
    harmless pay_for("$at/payer", @$via, change => { from => '0x' . 'cd' x 20 }), "$at/payer", 'payer';
    has "$at/payer", 'whom the payment names', state => 'settled', payer => '0x' . 'cd' x 20;
    $f->settle_once(refused => 'x', with => { errorReason => $evil });
    harmless pay_for("$at/settle", @$via), "$at/settle", 'errorReason';
    $f->verify_once(body => '{"isValid":false,"invalidReason":"a\u0000b"}');
    harmless pay_for("$at/nul", @$via), "$at/nul", 'NUL';
}
my $odd = payload(unpaid($t, '/paid/odd'));
$odd->{note} = "\r\n\x{1}\x{7f}\x{85}\x{e9}\x{1f600}\"";
my $pretty = JSON::PP->new->utf8->pretty->encode($odd) =~ s/\n/\r\n/gr;
$r = $t->get('/paid/odd', headers => [ 'PAYMENT-SIGNATURE' => encoded($pretty) ]);
is $r->status, 200, 'a payment with line breaks and odd letters';
unlike scalar $r->header('X-Payment'), qr/[^ -~]/, 'is shown on one line of plain letters';
is_deeply(JSON::PP::decode_json($r->header('X-Payment')), $odd, 'that mean the same');

# --- what the facilitator says, and the body that is not read

for my $path ('/paid/answered', '/paid/before/answered') {
    $_->forget for $f, $up;
    $f->verify(with => { one => { two_three => [ 'x', "\x{263a}" ] }, text => "a\r\nb: <\"'\\" });
    is paid($t, $path, headers => [ 'X-Text' => 'of the client' ])->status, 200, "$path: paid";
    my ($request) = $up->requests;
    my %told = map { $_ => $request->{headers}{$_} // '' } qw(x-answer x-nested x-object x-text x-body);
    is_deeply \%told, $path =~ /before/
        ? { map { $_ => '' } keys %told }
        : { 'x-answer' => 'true', 'x-nested' => '["x","\\u263a"]', 'x-object' => '{"two_three":["x","\\u263a"]}',
            'x-text' => 'a b: ????', 'x-body' => '' },
        "$path: what upstreams are told of the answer to verify";
}

my $signed = paid($t, '/paid/signed');
is $signed->header('X-Signed'), '[]', 'no signed receipt where nothing is signed';
is $signed->header('X-Protocol'), 'v2', 'the protocol';

finish;
