# SPDX-License-Identifier: Apache-2.0
# x402_sign_in only: a 402 that asks for a signature and no money (an offer with
# empty `accepts`). A good signature of any wallet opens the location, unless a
# rule about payers says no; no payment does, and none is touched.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::SignIn;
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my ($wallet, $stranger) = map { X402::Wallet->new } 1 .. 2;
my $text = <<'EOF';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_seal_key %%DIR%%/seal.key;
    map $x402_payer $unlisted { default 1; WALLET 0; }
    log_format who "$uri $x402_state $x402_payer $x402_pass_expires";
    server {
        access_log %%DIR%%/who.log who;
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        add_header X-State "$x402_state $x402_reason" always;
        location /       { x402_sign_in only network=base-sepolia network=solana; proxy_pass http://%%BACKEND%%; }
        location /listed { x402_sign_in only network=base "statement=Members"; x402_deny $unlisted; proxy_pass http://%%BACKEND%%; }
        location /free/  { x402_sign_in only network=base; x402_free 1/d key=$binary_remote_addr; proxy_pass http://%%BACKEND%%; }
        location /any/   { x402_sign_in only network=base; satisfy any; deny all; proxy_pass http://%%BACKEND%%; }
        location /post/  { x402_sign_in only network=base; x402_methods POST; proxy_pass http://%%BACKEND%%; }
        location /made/  { x402_sign_in only network=base; return 200 "SECRET\n"; }
        location /moved/ { x402_sign_in only network=base; try_files /none /listed; }
        location /words/ { x402_sign_in only network=base; x402_error "Members only"; proxy_pass http://%%BACKEND%%; }
        location /page/  { x402_sign_in only network=base; x402_paywall on; proxy_pass http://%%BACKEND%%; }
        location /signed/ { x402_sign_in only network=base; x402_sign_offers key=%%DIR%%/sign.pem; proxy_pass http://%%BACKEND%%; }
        location /login/ { x402_sign_in only network=base; error_page 402 /open/login; proxy_pass http://%%BACKEND%%; }
        location /other/ { x402_sign_in only network=base; error_page 402 = /listed; proxy_pass http://%%BACKEND%%; }
        location /gated/ { auth_request /listed; proxy_pass http://%%BACKEND%%; }
        location /open/  { x402 off; proxy_pass http://%%BACKEND%%; }
        location /shop/  {
            x402_network base-sepolia;
            x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
            x402_facilitator %%FACILITATOR%%;
            x402_price 0.01;
            proxy_pass http://%%BACKEND%%;
            location /shop/staff/ { x402_sign_in only; proxy_pass http://%%BACKEND%%; }
            location /shop/moved/ { x402_price 0.01; try_files /none /shop/staff/a; }
        }
    }
    server {
        listen 127.0.0.1:%%PORT_page%%;
        server_name shop.example;
        location / { x402_sign_in only network=base; x402_status json; }
        location = /openapi.json { x402_manifest openapi; }
        location = /list { x402_manifest x402; }
        location /account { x402_sign_in only network=base; proxy_pass http://%%BACKEND%%; }
        location /weather {
            x402_network base-sepolia;
            x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
            x402_facilitator %%FACILITATOR%%;
            x402_price 0.01;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$text =~ s/WALLET/$wallet->address/e;
my $t = nginx($text, facilitator => $f, backend => $up);
chmod 0600, $t->write('seal.key', 'k' x 64);
system('openssl genpkey -algorithm ed25519 -out ' . $t->dir . '/sign.pem 2>/dev/null') == 0 or die;
$up->on('/open/login', body => "Please sign in.\n");
$up->on('*', body => "SECRET\n");
$t->allow(qr/content made before the access phase|content of "return" cannot be sold/);
$t->start;

my @host = (host => 'shop.example');

sub declared ($path, %options) { return declared_in($t->get($path, @host, %options)) }

sub show ($path, $proof, %options) { return show_proof($t, $path, $proof, @host, %options) }

sub sign_in ($path, %options) { return sign_in_by(delete $options{by} // $wallet, $t, $path, @host, %options) }

sub is_open ($r, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $good = $r->status == 200 && $r->body eq "SECRET\n" && !$r->header_count('PAYMENT-RESPONSE');
    return ok($good, $name) || diag $r->summary;
}
sub is_closed ($r, $status, $reason, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($error) = $r->body =~ /"error":"([^"]*)"/;
    is $r->status . ' ' . ($error // ''), "$status $reason", $name or diag $r->summary;
    no_trace $r, 'SECRET', "$name: no content";
}

# --- the offer ----------------------------------------------------------------------------

my $r     = $t->get('/a?b=1', @host);
my $offer = offer($r);
is $r->status, 402, 'a request without a signature';
is_deeply $offer->{accepts}, [], 'is asked for no money';
is_deeply [ keys $offer->{extensions}->%* ], ['sign-in-with-x'], 'but for a signature';
is_deeply $offer->{extensions}{'sign-in-with-x'}{supportedChains},
    [ { chainId => 'eip155:84532', type => 'eip191' }, { chainId => 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', type => 'ed25519' } ],
    'of an account of one of the networks that are written';
is $offer->{error}, 'sign_in_required', 'and is told so';
is $r->header('X-State'), 'challenged sign_in_required', '$x402_state';
is_closed $r, 402, 'sign_in_required', 'the body';
like $r->body, qr/"accepts":\[\].*"hint":"sign the text of the extension.*nothing is charged"/, 'says what to do';
is_deeply declared('/shop/staff/')->{supportedChains}, [ { chainId => 'eip155:84532', type => 'eip191' } ], 'x402_network is the default';
is declared('/listed')->{info}{statement}, 'Members', 'a statement';
is offer($t->get('/words/', @host))->{error}, 'Members only', 'x402_error';
ok !exists offer($t->get('/a', host => 'thief.example'))->{extensions}, 'at a host that the client made up nobody signs in';
is_closed $t->get('/page/', @host, headers => [ Accept => 'text/html', 'User-Agent' => 'Mozilla/5.0' ]), 402, 'sign_in_required',
    'no page offers to pay';
is_deeply [ keys offer($t->get('/signed/', @host))->{extensions}->%* ], ['sign-in-with-x'], 'no option is signed';
is_closed $t->get('/other/', @host), 402, 'sign_in_required', 'an error page that is closed itself';
is $t->get('/gated/', @host)->status, 403, 'a subrequest does not sign in';
ok $up->untouched, 'the backend saw nothing';
$r = $t->get('/login/', @host);
is $r->status . ' ' . $r->body, "402 Please sign in.\n", 'a page that says how to sign in';
is_deeply offer($r)->{accepts}, [], 'beside the offer';

# --- who may come in ------------------------------------------------------------------------

$r = sign_in('/a');
is_open $r, 'a signature';
is $r->header('Cache-Control'), 'private', 'is not for shared caches';
is $r->header('X-State'), 'signed_in', '$x402_state';
is_open sign_in('/b?c=2', by => $stranger), 'of any wallet';
my ($line) = grep { m{^/a signed_in} } split /\n/, X402::Nginx::_slurp($t->dir . '/who.log');
is $line, '/a signed_in ' . $wallet->address . ' -', '$x402_payer is its address';
is scalar(grep { $_->{head} =~ /sign-in/i } $up->requests), 0, 'the backend sees no signature';
my $once = proof($wallet, declared('/a'));
is_open show('/a', $once), 'another one';
is_closed show('/a', $once), 401, 'sign_in_nonce_used', 'a copy of it';
is_closed show('/b', proof($wallet, declared('/a'))), 401, 'sign_in_for_another_resource', 'for another resource';
is_closed show('/a', 'x'), 401, 'sign_in_malformed', 'something else';
is_open sign_in('/listed'), 'x402_deny lets a listed wallet in';
is_closed sign_in('/listed', by => $stranger), 403, 'payer_refused', 'and no other';
is_open sign_in('/any/'), 'satisfy any';
is_closed $t->get('/any/', @host), 402, 'sign_in_required', 'and nobody else';
is_open $t->get('/free/', @host), 'a free quota comes first';
is_closed $t->get('/free/', @host), 402, 'sign_in_required', 'until it is used up';
is_open $t->get('/post/', @host), 'a method that is not listed is open';
is_closed $t->ask(POST => '/post/', @host), 402, 'sign_in_required', 'one that is listed is not';
is_closed $t->get('/made/', @host), 402, 'sign_in_required', 'content of the rewrite phase';
is_open $t->get('/open/', @host), 'x402 off is nearer';
is_open sign_in('/moved/x'), 'an internal redirect of a client that has signed in';

is $t->log_count(qr/read before the payment is known/), 0, 'a rule knows who it is asked about';

# --- money ---------------------------------------------------------------------------------------

$f->forget;
my $bought = payment(unpaid($t, '/shop/', @host));
for my $path ('/a', '/shop/staff/a') {
    is_closed $t->get($path, @host, headers => [ 'PAYMENT-SIGNATURE' => $bought ]), 402, 'sign_in_required', "$path: no payment opens it";
    is_closed show($path, 'x', headers => [ 'PAYMENT-SIGNATURE' => $bought ]), 401, 'sign_in_malformed', "$path: nor beside a bad signature";
    is_open sign_in($path, headers => [ 'PAYMENT-SIGNATURE' => $bought ]), "$path: a signature beside one";
}
is $f->calls, 0, 'no facilitator was asked';
is_content $t->get('/shop/', @host, headers => [ 'PAYMENT-SIGNATURE' => $bought ]), "SECRET\n", 'and the payment is still good where it was offered';
is offer($t->get('/shop/', @host))->{extensions}, undef, 'where there is a price, a signature is not asked for';
$t->allow(qr/redirected into a location with a different price/);
$r = paid($t, '/shop/moved/', @host);
is $r->status, 500, 'what was paid for elsewhere does not open it';
no_trace $r, 'SECRET', 'no content';

# --- pages of the module, and the list of what is for sale ------------------------------------------

my @page = (port => 'page');
is_closed $t->get('/status', @host, @page), 402, 'sign_in_required', 'a status page behind a wallet';
like sign_in('/status', @page)->body, qr/"version"/, 'and a wallet that may see it';
my $api     = JSON::PP->new->decode($t->get('/openapi.json', @host, @page)->body);
my $account = $api->{paths}{'/account'}{get};
is_deeply $account->{security}, [ { siwx => [] } ], 'the manifest knows how it opens';
is $account->{'x-payment-info'}, undef, 'and that it has no price';
is $api->{components}{securitySchemes}{siwx}{'x-agentcash-auth-kind'}, 'siwx', 'in the words of discovery tools';
is_deeply $api->{paths}{'/weather'}{get}{security}, [], 'beside a price';
is_deeply [ map { s{.*/}{}r } JSON::PP->new->decode($t->get('/list', @host, @page)->body)->{resources}->@* ], ['weather'],
    'nothing to pay, nothing in the list';

# --- nginx -t --------------------------------------------------------------------------------------

$t->allow(qr/emerg/);
sub says ($change, $with, $says, $name) {
    my $changed = $text;
    $changed =~ s/\Q$change\E/$with/ or die $change;
    my $told = $t->config_error($changed);
    ok $told =~ /\[emerg\].*$says/, "-t: $name" or diag $told || 'accepted';
    return;
}
my $first = 'x402_sign_in only network=base-sepolia network=solana;';
says($first, 'x402_sign_in only;',                 'does not know of which network an account may be; write network=base', 'no network');
says($first, 'x402_sign_in only network=nowhere;', '"network=nowhere" cannot be used; write .*network=base', 'an unknown network');
says($first, 'x402_sign_in only network=algorand;', '"network=algorand" cannot be used; .*another EVM network or Solana', 'accounts that cannot sign in');
says($first, 'x402_sign_in only time=1h;', 'accepts each signature, whatever was bought; take "time=" away, or "only"', 'only with time=');
says($first, 'x402_sign_in time=1h network=base;', '"network=" belongs to "x402_sign_in only"', 'network= without only');
says($first, 'x402_sign_in statement=a;', 'write a time such as time=30d, or "only"', 'neither time= nor only');
says($first, "$first x402_price 1;", 'asks for no money, and this level has a price; take one of them away', 'with a price');
says($first, "$first x402_pass time=1h;", 'x402_pass has no effect beside .*write it where there is a price', 'with a pass');
says($first, "$first x402 shadow;", 'would serve without a signature.*write "x402 on" there', 'x402 shadow');
says($first, "$first location /in { x402_sign_in off; }",
    'no longer asks for a signature here, and a price is missing; write x402_price, or "x402 off"', 'off within only');
says('x402_seal_key %%DIR%%/seal.key;', '', 'x402_sign_in needs a key: write x402_seal_key', 'no key');
says('server_name shop.example;', '', 'has to know the name by which wallets know this server', 'no name');

finish;
