# SPDX-License-Identifier: Apache-2.0
# x402_sign_in: a payer comes back to what it has bought by a signature of its
# wallet (sign-in-with-x). What is wrong with one is said with 401, what was not
# paid for is asked for with 402; neither has content.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use X402::SignIn;
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my $wallet  = X402::Wallet->new;
my $address = $wallet->address;
my $text = <<'EOF';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price 0.01;
    x402_seal_key %%DIR%%/new.key;
    x402_sign_in time=1h file=%%DIR%%/bought;
    map $http_x_tier $tiered { dear 5.00; default 0.01; }
    map $x402_payer $refused_payer { default 0; BAD 1; }
    log_format who "$uri $x402_state $x402_payer $x402_pass_expires";
    server {
        access_log %%DIR%%/who.log who;
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example *.tenant.example;
        add_header X-State "$x402_state $x402_reason" always;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /tier  { x402_price $tiered; proxy_pass http://%%BACKEND%%; }
        location /whole { x402_sign_in time=1h scope=location file=%%DIR%%/bought; proxy_pass http://%%BACKEND%%; }
        location /short { x402_sign_in time=5s; proxy_pass http://%%BACKEND%%; }
        location /off   { x402_sign_in off; proxy_pass http://%%BACKEND%%; }
        location /site  { x402_sign_in time=1h origin=https://api.example.com "statement=Come back"; proxy_pass http://%%BACKEND%%; }
        location /keyed { x402_sign_in time=1h key=$http_x_device; proxy_pass http://%%BACKEND%%; }
        location /pass  { x402_pass time=1h; proxy_pass http://%%BACKEND%%; }
        location /deny  { x402_deny $refused_payer; proxy_pass http://%%BACKEND%%; }
        location /before { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /shadow { x402 shadow; proxy_pass http://%%BACKEND%%; }
        location /two   { x402_extension merchant %%DIR%%/merchant.json; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$text =~ s/BAD/none/;
my $t = nginx($text, facilitator => $f, backend => $up);
chmod 0600, $t->write("$_.key", substr($_, 0, 1) x 64) for qw(new old);
$t->write('merchant.json', '{"info":{"name":"A"}}');
$up->on('*', body => "SECRET\n");
$t->start;

my @host = (host => 'shop.example');

sub declared ($path, %options) { return declared_in($t->get($path, @host, %options)) }

# A header for this path; %change as proof() has it, and `wallet`.
sub proof_for ($path, %change) { return proof(delete $change{wallet} // $wallet, declared($path), %change) }

sub show ($path, $proof, %options) { return show_proof($t, $path, $proof, @host, %options) }

sub sign_in ($path, %options) { return sign_in_by(delete $options{wallet} // $wallet, $t, $path, @host, %options) }

sub is_free ($r, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $good = $r->status == 200 && $r->body eq "SECRET\n" && !$r->header_count('PAYMENT-RESPONSE')
        && ($r->header('Cache-Control') // '') eq 'private';
    return ok($good, $name) || diag $r->summary;
}
sub is_answer ($r, $status, $reason, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($error) = $r->body =~ /"error":"([^"]*)"/;
    is $r->status . ' ' . ($error // ''), "$status $reason", $name or diag $r->summary;
    no_trace $r, 'SECRET', "$name: no content";
}
sub buy ($path, %options) { return paid($t, $path, @host, %options, change => { from => $address }) }

# --- the offer -----------------------------------------------------------------------------

my $declared = declared('/a?b=1');
is $declared->{info}{domain}, 'shop.example:' . $t->port, 'the domain has the name and the port of the server';
is $declared->{info}{uri}, 'http://shop.example:' . $t->port . '/a?b=1', 'and the URI too';
cmp_ok $declared->{info}{issuedAt}, 'le', POSIX::strftime('%Y-%m-%dT%H:%M:%S.999Z', gmtime), 'in the first second, too, it is not from the future';
is_deeply $declared->{supportedChains}, [ { chainId => 'eip155:84532', type => 'eip191' } ], 'chains of the offer';
isnt declared('/a')->{info}{nonce}, declared('/a')->{info}{nonce}, 'a nonce for each offer';
ok !exists offer($t->get('/a', host => 'thief.example'))->{extensions}, 'nobody signs in at a host that the client made up';
is offer($t->get('/a', host => 'x.tenant.example'))->{extensions}{'sign-in-with-x'}{info}{domain}, 'x.tenant.example:' . $t->port, 'a wildcard name';
is declared('/site')->{info}{domain}, 'api.example.com', 'the origin that is written';
is declared('/site')->{info}{statement}, 'Come back', 'and its statement';
is declared('/off'), undef, 'off';
is_deeply [ sort keys offer($t->get('/two', @host))->{extensions}->%* ], [ 'merchant', 'sign-in-with-x' ], 'beside other extensions';

# --- a payer comes back ------------------------------------------------------------------------

is_answer sign_in('/a'), 402, 'sign_in_not_paid', 'a signature alone buys nothing';
is_content buy('/a'), "SECRET\n", 'paid';
$f->forget;
my $r = sign_in('/a');
is_free $r, 'and again for a signature';
is $r->header('X-State'), 'signed_in', 'the state says so';
is_free sign_in('/a'), 'as often as it signs';
is $f->order, '', 'no facilitator was asked';
is scalar(grep { $_->{head} =~ /sign-in/i } $up->requests), 0, 'the backend sees no signature';
my ($line) = grep { m{^/a signed_in} } split /\n/, X402::Nginx::_slurp($t->dir . '/who.log');
like $line, qr{\A/a signed_in $address \d{10}\z}, 'variables';
is_free sign_in('/a', headers => [ Range => 'bytes=1-' ]), 'with a range that nobody serves';

# --- theft -----------------------------------------------------------------------------------------

my $once = proof_for('/a');
is_free show('/a', $once), 'a signature';
is_answer show('/a', $once), 401, 'sign_in_nonce_used', 'a copy of it';
my $copied = proof_for('/a');
my @copies = map {
    my $c = $t->connect;
    $c->write_request(GET => '/a', @host, headers => [ 'SIGN-IN-WITH-X' => $copied ]);
    $c;
} 1 .. 40;
is scalar(grep { $_->status == 200 } map { $_->answer } @copies), 1, 'forty copies at once: one opens, in all workers';
my $thief = X402::Wallet->new;
is_answer sign_in('/a', wallet => $thief), 402, 'sign_in_not_paid', 'another wallet';
is_answer show('/a', proof_for('/a', wallet => $thief, address => $address)), 401, 'sign_in_signature_invalid',
    "the payer's address over another's signature";
is_answer show('/a', proof_for('/a', sign => 'hello')), 401, 'sign_in_signature_invalid', 'a signature of another text';
is_answer sign_in('/b'), 402, 'sign_in_not_paid', 'another resource';
is_answer sign_in('/a?x=1'), 402, 'sign_in_not_paid', 'other arguments';
is_answer show('/b', proof_for('/a')), 401, 'sign_in_for_another_resource', 'a signature for another resource';
is_answer $t->get('/a', host => 'thief.example', headers => [ 'SIGN-IN-WITH-X' => proof_for('/a') ]),
    401, 'sign_in_for_another_domain', 'at a host that the client made up';
is_answer $t->get('/a', host => 'x.tenant.example', headers => [ 'SIGN-IN-WITH-X' => proof_for('/a') ]),
    401, 'sign_in_for_another_domain', 'at another name';
my %tenant = (host => 'x.tenant.example');
is_answer sign_in('/a', %tenant), 402, 'sign_in_not_paid', 'what was bought at another name';

my %wrong = (
    nonce => [ 'ab' x 32, 'nonce_invalid' ], issuedAt => [ '2026-11-28T00:00:00.000Z', 'malformed' ], version => [ '2', 'malformed' ],
    expirationTime => [ '2099-01-01T00:00:00.000Z', 'malformed' ], domain => [ 'thief.example', 'for_another_domain' ],
    uri => [ 'http://shop.example/', 'malformed' ], statement => [ 'x', 'malformed' ], chainId => [ 'eip155:1', 'chain_not_offered' ],
    type => [ 'ed25519', 'chain_not_offered' ], resources => [ ['x'], 'malformed' ], notBefore => [ '2026-01-01T00:00:00Z', 'malformed' ],
    signature => [ '0x00', 'signature_invalid' ], address => [ '0x00', 'signature_invalid' ], nonce2 => undef,
);
delete $wrong{nonce2};
for my $name (sort keys %wrong) {
    my ($value, $reason) = $wrong{$name}->@*;
    is_answer show('/a', proof_for('/a', $name => $value)), 401, "sign_in_$reason", "another $name";
}
is_answer show('/a', $_), 401, 'sign_in_malformed', 'no proof: ' . substr $_, 0, 10 for 'x', '', encoded('[]'), encoded('{}'), 'A' x 5000;
is_answer $t->get('/a', @host, headers => [ ('SIGN-IN-WITH-X' => proof_for('/a')) x 2 ]), 401, 'sign_in_malformed', 'the header twice';

# --- price, scope, time -----------------------------------------------------------------------------------

buy('/tier');
is_free sign_in('/tier'), 'a price from a variable';
is_answer sign_in('/tier', headers => [ 'X-Tier' => 'dear' ]), 402, 'sign_in_not_paid', 'that is another one now';
buy('/whole/a');
is_free sign_in('/whole/b'), 'a location';
buy('/short');
is_free sign_in('/short'), 'for five seconds';
sleep 6.1;   # whole seconds are counted
is_answer sign_in('/short'), 402, 'sign_in_not_paid', 'and no longer';
buy('/site');
is_free sign_in('/site'), 'with an origin and a statement';
buy('/keyed', headers => [ 'X-Device' => 'a' ]);
is_free sign_in('/keyed', headers => [ 'X-Device' => 'a' ]), 'what is bound to a key';
is_answer sign_in('/keyed', headers => [ 'X-Device' => 'b' ]), 402, 'sign_in_not_paid', 'opens under that key alone';
is show('/off', 'x')->status, 402, 'not where it is off';

# --- what is remembered --------------------------------------------------------------------------------------

$f->settle_once('paid', with => { transaction => '' });
buy('/no-transaction');
is_answer sign_in('/no-transaction'), 402, 'sign_in_not_paid', 'not under a receipt without a transaction';
$f->settle_once(refused => 'insufficient_funds');
buy('/refused');
is_answer sign_in('/refused'), 402, 'sign_in_not_paid', 'nor what was not settled';
$up->on('/before/broken', status => 503, body => 'x');
buy('/before/broken');
$up->on('/before/broken', body => "SECRET\n");
is_answer sign_in('/before/broken'), 402, 'sign_in_not_paid', 'nor what is owed';

# --- beside a payment, a pass, a rule --------------------------------------------------------------------------

$f->forget;
my $payment = payment(unpaid($t, '/a', @host), from => $address);
is_content show('/a', 'x', headers => [ 'PAYMENT-SIGNATURE' => $payment ]), "SECRET\n", 'a payment beside a bad signature is taken';
like $f->order, qr/settle/, 'and settled';
$r = buy('/pass');
is_free $t->get('/pass', @host, headers => [ 'X402-Pass' => $r->header('X402-Pass') ]), 'a pass';
is_free sign_in('/pass'), 'or a signature';
buy('/deny');
is_free sign_in('/deny'), 'a payer that is served';
$t->conf($text =~ s/none 1/$address 1/r)->reload;
is_answer sign_in('/deny'), 403, 'payer_refused', 'and no longer';
$t->conf($text)->reload;

# --- keys, restart -------------------------------------------------------------------------------------------------

my $before = proof_for('/a');
$t->conf($text =~ s{new\.key}{old.key}r)->reload;
is_answer show('/a', $before), 401, 'sign_in_nonce_invalid', 'a nonce under another key';
is_free sign_in('/a'), 'what was bought stays';
$t->conf($text =~ s{(x402_seal_key )(\S+)new\.key}{$1$2old.key $2new.key}r)->reload;
is_free show('/a', $before), 'the old key beside the new one';
$t->conf($text);
sleep 1.1;  # it is later than the second of the nonce
$t->stop;
$t->start;
is_answer show('/a', $before), 401, 'sign_in_nonce_used', 'a copy after a restart';
is_free sign_in('/a'), 'a restart forgets nothing that is in the file';
is_free sign_in('/whole/c'), 'of any scope';
my $file = $t->dir . '/bought';
$t->stop;
truncate $file, (-s $file) - 64 or die $!;
$t->start;
is_free sign_in('/a'), 'nor does the file of a release without the secret of its places';
is sprintf('%o', (stat $file)[2] & 07777), '600', 'the file is for nginx alone';
$t->stop;

sub rewrite_file ($bytes) { open my $out, '>:raw', $file or die $!; print {$out} $bytes; close $out }
my $kept = do { local $/; open my $in, '<:raw', $file or die $!; <$in> };
rewrite_file("\0" x (length($kept) - 64) . substr $kept, -64, 40);
$t->start;
is_answer sign_in('/a'), 402, 'sign_in_not_paid', 'nothing but a secret that was cut off: nginx starts';
$t->stop;
rewrite_file($kept);
open my $broken, '+<:raw', $file or die $!;
my $all = do { local $/; <$broken> };
seek $broken, 0, 0;
print {$broken} $all =~ s/[^\0]/\xff/gr;
close $broken;
$t->allow(qr/emerg/);
like $t->config_error($text), qr/\[emerg\].*bought" is not one of x402_sign_in, and would be overwritten/, 'another file is refused';
is -s $file, length $all, 'and left as it is';
unlink $file;
like $t->config_error($text =~ s/(location \/whole \{ x402_sign_in )/${1}zone=other:1m /r), qr/\[emerg\].*bought" is that of another zone= of x402_sign_in/, 'a file for each zone';
$t->start;
is_answer sign_in('/a'), 402, 'sign_in_not_paid', 'without its file nothing is given away';
is_content buy('/a'), "SECRET\n", 'and payments go on';
is_free sign_in('/a'), 'and are remembered';

is index($t->log, $_), -1, 'no secret in the log' for 'n' x 64, 'o' x 64, $before;

finish;
