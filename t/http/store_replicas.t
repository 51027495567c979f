# SPDX-License-Identifier: Apache-2.0
# x402_store replicas=: what a payment waits for is known to the replicas, too.
# Without them nothing is sold and nothing is sent; content whose money has moved
# is delivered; and what was sold outlives the server that was told of it.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Redis;
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my $redis   = X402::Redis->new;
my $replica = $redis->replica;
my $conf    = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_store %%STORE%% timeout=2s %%REPLICAS%%;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_seal_key %%DIR%%/seal.key;
    server {
        add_header X-Left "$x402_pass_left" always;
        listen %%ADDRESS%%:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location = /status { x402_status prometheus; }
        location /pass/    { x402_pass time=1h requests=6; proxy_pass http://%%BACKEND%%; }
        location /sign/    { x402_sign_in time=1h origin=https://shop.example; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $port = X402::Port::reserve();
sub machine ($number, $store, $replicas) {
    my $made = nginx($conf, facilitator => $f, backend => $up, port => $port, address => "127.0.0.$number",
        holes => { STORE => $store->url, REPLICAS => $replicas });
    chmod 0600, $made->write('seal.key', 'a' x 64 . "\n");
    return $made->start;
}
my $t = machine(1, $redis, 'replicas=1');
$up->on('*', body => "SECRET\n");

sub waits () {
    my ($calls) = $redis->ask(INFO => 'commandstats') =~ /cmdstat_wait:calls=(\d+)/;
    return $calls // 0;
}

sub presented ($path, $payment) {
    my $c = $t->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    return $c;
}

# The payment is good once the replica is there.
sub is_back ($path, $payment, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $replica->thaw;
    my $answer;
    # Before its lease is over, which is 90 s.
    $t->wait_for(sub { ($answer = paid($t, $path, payment => $payment))->status == 200 }, 60);
    return is $answer->body, "SECRET\n", "$name: and then the payment is good" || diag $t->log;
}

is_content paid($t, '/first'), "SECRET\n", 'with a replica';
my $waits = waits();
is_content paid($t, '/second'), "SECRET\n", 'and its scripts are known';
is waits() - $waits, 3, 'a payment waits for the replica three times';

# Not there when a payment comes.
my $payment = payment(unpaid($t, '/take'));
$_->forget for $f, $up;
$replica->freeze;
my $answer = paid($t, '/take', payment => $payment);
is $answer->status . $answer->body, '503{"error":"busy","charged":false}', 'the replica does not answer TAKE: busy';
is $f->calls + $up->hits, 0, 'nobody is asked';
$t->log_like(qr/\[error\].*0 of the replicas have what was written, and replicas= asks for 1; start them again/,
    'with a line that says what to do');
sub refused_at_once () {
    my ($calls) = $t->ask(GET => '/status')->body =~ /store_calls_total\{call="take",outcome="away"\} (\d+)/;
    return $calls // 0;
}
my $refused = refused_at_once();
is paid($t, '/again')->status, 503, 'and then' for 1 .. 5;
is refused_at_once() - $refused, 5, 'without asking the store';
ok $t->wait_for(sub { $t->ask(GET => '/status')->body =~ /store_workers\{state="away"\} 1/ }), 'which the metrics tell';
is_back('/take', $payment, 'at TAKE');
$t->log_like(qr/\[notice\].*has its replicas again/, 'which is told');

# Not there when content is made: nothing is sent.
$up->on('/settling', body => "SECRET\n", hold => 1);
$payment = payment(unpaid($t, '/settling'));
$_->forget for $f, $up;
my $c = presented('/settling', $payment);
$up->wait_count('/settling', 1);
$replica->freeze;
$up->release('/settling');
$answer = $c->answer;
is $answer->status, 503, 'the replica is silent before settle: 503';
no_trace $answer, 'SECRET', 'no content';
is $f->calls('settle'), 0, 'nothing was sent';
$up->on('/settling', body => "SECRET\n");
is_back('/settling', $payment, 'before settle');
is $f->calls('settle'), 1, 'settled once';

# Not there when money has moved.
$f->settle('hold');
$payment = payment(unpaid($t, '/paid'));
$f->forget;
$c = presented('/paid', $payment);
$f->wait_calls(settle => 1);
$replica->freeze;
$f->settle('paid');
$f->release('settle');
is_content $c->answer, "SECRET\n", 'the replica is silent before content: it is delivered, because money has moved';
$replica->thaw;
ok $t->wait_for(sub { paid($t, '/ready')->status == 200 }, 20), 'the replica is back';
is paid($t, '/paid', payment => $payment)->status, 402, 'and the payment is used';

# Not there when content is asked for that is owed: that it is delivered here
# could be forgotten, and another machine would deliver it once more.
sub owed ($path, %change) {
    my $owed = payment(unpaid($t, $path), %change);
    $_->forget for $f, $up;
    $f->settle('hold');
    my $client = presented($path, $owed);
    $f->wait_calls(settle => 1);
    $t->leave($client);
    $f->settle('paid');
    $f->release('settle');
    ok $t->wait_for(sub { $t->log =~ /paid, content owed[^\n]*\Q$path\E"/ }), "$path: content is owed";
    $_->forget for $f, $up;
    return $owed;
}
for my $path ('/owed/first', '/owed/known') {
    $payment = owed($path);
    $waits = waits();
    is_content paid($t, $path, payment => $payment), "SECRET\n", 'owed, with a replica: it is delivered';
}
is waits() - $waits, 1, 'and waits for the replica once, when the scripts are known';
$payment = owed('/owed/own');
$replica->freeze;
for my $name ('the replica is silent, and content is owed', 'and then') {
    $answer = paid($t, '/owed/own', payment => $payment);
    is $answer->status . $answer->body, '503{"error":"busy","charged":false}', "$name: busy" or diag $answer->summary;
}
is $f->calls + $up->hits, 0, 'nothing is made';
is_back('/owed/own', $payment, 'owed');
is $f->calls, 0, 'and nobody is asked';
is paid($t, '/owed/own', payment => $payment)->status, 402, 'then it is used';

# The same, owed to a payer that comes with a new payment.
my $payer = random_hex(20);
owed('/owed/older', from => $payer);
$payment = payment(unpaid($t, '/owed/older'), from => $payer);
$f->verify('hold');
$c = presented('/owed/older', $payment);
$f->wait_calls(verify => 1);
$replica->freeze;
$f->verify('ok');
$f->release('verify');
$answer = $c->answer;
is $answer->status, 503, 'the replica is silent, and content is owed for an older payment: 503';
no_trace $answer, 'SECRET', 'no content';
is_back('/owed/older', $payment, 'an older payment');
is $f->calls('settle'), 0, 'and the new one is not settled';

# Not there when a client comes back: what is taken from its pass, or the nonce
# that it uses, could be forgotten.
my $wallet = X402::Wallet->new;

sub sign_in ($path) {
    my $declared = offer($t->get($path))->{extensions}{'sign-in-with-x'};
    my ($info, $chain, $who) = ($declared->{info}, $declared->{supportedChains}[0], $wallet->address);
    my $text = "$info->{domain} wants you to sign in with your Ethereum account:\n$who\n\n\nURI: $info->{uri}\nVersion: 1\n"
        . 'Chain ID: ' . ($chain->{chainId} =~ s/.*://r) . "\nNonce: $info->{nonce}\nIssued At: $info->{issuedAt}\n"
        . "Expiration Time: $info->{expirationTime}\nResources:\n- $info->{uri}";
    my $digest = X402::Wallet::keccak256("\x19Ethereum Signed Message:\n" . length($text) . $text);
    my $proof = encoded({ %$info, address => $who, %$chain, signature => $wallet->sign_digest($digest) });
    return $t->get($path, headers => [ 'SIGN-IN-WITH-X' => $proof ]);
}

my $bought = paid($t, '/pass/a');
is_content $bought, "SECRET\n", 'a pass for six requests';
my @pass = ('X402-Pass' => scalar $bought->header('X402-Pass'));
is $t->get('/pass/a', headers => \@pass)->header('X-Left'), '5', 'one is used';
is_content paid($t, '/sign/a', change => { from => $wallet->address }), "SECRET\n", 'bought by one that can sign';
is sign_in('/sign/a')->status, 200, 'which comes back';
for my $case ([ 'a pass', sub { $t->get('/pass/a', headers => \@pass) } ], [ 'a signature', sub { sign_in('/sign/a') } ]) {
    my ($name, $show) = @$case;
    $replica->freeze;
    $up->forget;
    $answer = $show->();
    is $answer->status . $answer->body, '503{"error":"busy","charged":false}', "the replica is silent, and $name is shown: busy"
        or diag $answer->summary;
    is $up->hits, 0, "$name: nothing is made";
    $replica->thaw;
    ok $t->wait_for(sub { ($answer = $show->())->status == 200 }, 60), "$name: and then it is good";
    is $answer->header('X-Left'), '4', "$name: what was taken for nothing was given back" if $name eq 'a pass';
}

# The server dies in the middle of sales: its replica knows all that was sold.
my @sold;
for (1 .. 12) {
    $payment = payment(unpaid($t, '/sold'));
    push @sold, $payment if paid($t, '/sold', payment => $payment)->status == 200;
}
$redis->stop;
cmp_ok scalar @sold, '>', 0, 'payments acknowledged: ' . @sold;
$replica->ask(REPLICAOF => 'NO', 'ONE');
my $other = machine(2, $replica, '');
$_->forget for $f, $up;
is scalar(grep { paid($other, '/sold', payment => $_)->status == 200 } @sold), 0, 'none of them is sold twice';
is $f->calls + $up->hits, 0, 'as the replica says';

finish;
