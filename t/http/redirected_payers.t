# SPDX-License-Identifier: Apache-2.0
# A request that was let in at one location and comes to another, by an internal
# redirect or a subrequest: the rules about payers and accounts of the other
# location are asked, whether it came with a payment, a pass or a signature.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::SignIn;
use X402::Test;
use X402::Wallet;

my ($f, $up) = (facilitator(), backend());
my ($known, $stranger) = map { X402::Wallet->new } 1 .. 2;
my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_seal_key %%DIR%%/seal.key;
    map $x402_payer $unlisted { default 1; KNOWN 0; }
    ssi_types *;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        proxy_intercept_errors on;
        add_header X-State "$x402_state $x402_reason $x402_pass_left" always;

        location /only/   { x402_sign_in only network=base; proxy_pass http://%%BACKEND%%; }
        location /club/   { x402_sign_in only network=base; x402_deny $unlisted; proxy_pass http://%%BACKEND%%; }
        location /solana/ { x402_sign_in only network=solana; proxy_pass http://%%BACKEND%%; }
        location /to-club/   { x402_sign_in only network=base; try_files /none /club/in; }
        location /to-solana/ { x402_sign_in only network=base; try_files /none /solana/in; }
        location /to-other/  { x402_sign_in only network=polygon; try_files /none /only/in; }
        location /to-shop/   { x402_sign_in only network=base; try_files /none /shop/in; }

        location /shop/ { x402_price 0.01; x402_pass time=1h requests=9; proxy_pass http://%%BACKEND%%; }
        location /vip/  { x402_price 0.01; x402_deny $unlisted; x402_pass off; proxy_pass http://%%BACKEND%%; }
        location /alike/ { x402_price 0.01; x402_deny $unlisted; x402_pass time=1h; proxy_pass http://%%BACKEND%%; }
        location /slow/ { x402_price 0.01; x402_limit_payer zone=slow:64k rate=1r/m burst=1; x402_pass off; proxy_pass http://%%BACKEND%%; }
        location /few/  { x402_price 0.01; x402_quota payer 2/d zone=few:64k; x402_pass off; proxy_pass http://%%BACKEND%%; }
        location /to-vip/    { x402_price 0.01; x402_pass time=1h; try_files /none /vip/in; }
        location /to-slow/   { x402_price 0.01; x402_pass time=1h; try_files /none /slow/in; }
        location /to-few/    { x402_price 0.01; x402_pass time=1h; try_files /none /few/in; }
        location /same/      { x402_price 0.01; x402_limit_payer zone=same:64k rate=1r/m burst=2; x402_pass time=1h;
                               try_files /none @same; }
        location @same       { x402_price 0.01; x402_limit_payer zone=same rate=1r/m burst=2; proxy_pass http://%%BACKEND%%; }
        location /first/     { x402_price 0.01; x402_settle before; try_files /none /vip/in; }
        location /lost/      { x402_price 0.01; x402_pass time=1h; error_page 404 = /vip/in; proxy_pass http://%%BACKEND%%; }
        location /accel/     { x402_price 0.01; x402_pass time=1h; proxy_pass http://%%BACKEND%%; }
        location /pages/     { x402_price 0.01; x402_pass time=1h; ssi on; alias %%DIR%%/html/; }
        location /free/      { ssi on; alias %%DIR%%/html/; }
        location /unverified/ { x402_price 0.01; x402_verify off; x402_pass off; try_files /none /vip/in; }
        location /to-dir/    { x402_price 0.01; x402_pass off; try_files /none /dir/; }
        location /dir/       { x402_price 0.01; x402_limit_payer zone=dir:64k rate=1r/m; x402_pass off; alias %%DIR%%/html/; index only; }
        location /told/      { x402_price 0.01; x402_pass off; error_page 403 /denied/shop; try_files /none /vip/in; }
        location /denied/    { ssi on; alias %%DIR%%/html/; }
        location /gated/     { auth_request /shop/in; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$text =~ s/KNOWN/$known->address/e;
my $t = nginx($text, facilitator => $f, backend => $up);
chmod 0600, $t->write('seal.key', 'k' x 64);
$t->write("html/$_", "page[<!--#include virtual=\"/$_/in\" -->]") for qw(club only shop vip alike);
$up->on('*', body => "SECRET\n");
$up->on('/lost/gone', status => 404, body => 'gone');
$up->on('/accel/on', headers => [ 'X-Accel-Redirect' => '/vip/in' ], body => '');
$t->start;

my @host = (host => 'shop.example');

sub buys ($path, $by) { return paid($t, $path, @host, change => { from => $by->address }) }
sub shows ($path, $pass) { return $t->get($path, @host, headers => [ 'X402-Pass' => $pass ]) }
sub is_open ($r, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is $r->status . ' ' . $r->body, "200 SECRET\n", $name;
}
sub is_closed ($r, $error, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is error_of($r), $error, $name or diag $r->summary;
    no_trace $r, 'SECRET', "$name: no content";
}

# --- a signature ----------------------------------------------------------------------------

is_open sign_in_by($known, $t, '/to-club/a', @host), 'a wallet of the list, by way of a location for all';
is_closed sign_in_by($stranger, $t, '/to-club/a', @host), '403 payer_refused', 'x402_deny of the location that the redirect leads to';
is_closed sign_in_by($known, $t, '/to-solana/a', @host), '402 sign_in_required', 'accounts of other networks do not come in there';
is_open sign_in_by($known, $t, '/to-other/a', @host), 'an EVM account is the same on each network';
is_closed sign_in_by($known, $t, '/to-shop/a', @host), '402 Payment required', 'a signature alone opens nothing that has a price';

# --- a payment ------------------------------------------------------------------------------

is_open buys('/to-vip/a', $known), 'a payer of the list';
for my $how ('/to-vip/a', '/lost/gone', '/accel/on') {
    $f->forget;
    is_closed buys($how, $stranger), '403 payer_refused', "$how: a payer that is refused where the redirect leads";
    is $f->order, 'verify', "$how: and is not charged";
}
is_open buys('/to-slow/a', $stranger), 'x402_limit_payer';
is_open buys('/to-slow/a', $stranger), 'as fast as it lets it';
is_closed buys('/to-slow/a', $stranger), '429 payer_too_fast', 'and no faster';
is_open buys('/to-few/a', $stranger), 'x402_quota' for 1 .. 2;
is_closed buys('/to-few/a', $stranger), '429 quota_used_up', 'and no more';
is_open buys('/same/a', $stranger), 'one rule at both is asked once' for 1 .. 3;
is_closed buys('/same/a', $stranger), '429 payer_too_fast', 'for each request';

# Money that has moved is owed, and the log says what to write.
$f->forget;
$t->allow(qr/settled, and then refused by a payer rule/);
my $left = payment(unpaid($t, '/first/a', @host), from => $stranger->address);
my $r = paid($t, '/first/a', @host, payment => $left);
is $r->status . ' ' . $r->body, '403 {"error":"payer_refused"}', 'settled before';
is receipt($r)->{success}, bool_true(), 'the receipt says that it was charged';
is $t->log_count(qr/refused by a payer rule of the location that its request was redirected to.*write the rule in the first location/), 1,
    'the log says what to do';

$f->forget;
is_closed paid($t, '/first/a', @host, payment => $left), '403 payer_refused', 'nor does it get what is owed by presenting it again';
is $f->order, '', 'and nothing is charged for that';

# What only the client says of a payer proves nothing.
$f->forget;
$t->allow(qr/unverified payment .x402_verify. was redirected into a location with payer rules/);
for my $by ($known, $stranger) {
    is_closed buys('/unverified/a', $by), '500 payer_not_verified', 'a payment that was not verified, where rules ask who pays';
}
is $f->order, '', 'and nothing is charged';
is $t->log_count(qr/with payer rules, and is refused, not charged: write the rules in the first location, too/), 2,
    'the log says what to do';

my $page = buys('/to-dir/', $stranger);
is $page->status, 200, 'a rule is asked once, on however long a way';
is buys('/to-dir/', $stranger)->status, 429, 'for each request';

my $denied = buys('/told/a', $stranger);
is $denied->status, 403, 'the page for a refusal';
no_trace $denied, 'SECRET', 'includes nothing that is sold';

# --- a pass ----------------------------------------------------------------------------------

my $of_known = buys('/to-vip/a', $known)->header('X402-Pass');
is_open shows('/to-vip/a', $of_known), 'the pass of a payer of the list';
my $pass = buys('/lost/here', $stranger)->header('X402-Pass');
is_open shows('/lost/here', $pass), 'the pass of a stranger';
is_closed shows('/lost/gone', $pass), '403 payer_refused', 'does not open what refuses it by way of an error page';
$pass = buys('/accel/here', $stranger)->header('X402-Pass');
is_closed shows('/accel/on', $pass), '403 payer_refused', 'nor by X-Accel-Redirect';

# --- subrequests -----------------------------------------------------------------------------

$up->forget;
like buys('/pages/club', $stranger)->body, qr/403 Forbidden/, 'a page that was paid for includes nothing that wants a signature';
like buys('/pages/only', $known)->body, qr/403 Forbidden/, 'of any wallet';
like buys('/pages/vip', $stranger)->body, qr/403 Forbidden/, 'or asks who pays';
is $up->hits, 0, 'it is not even made';
$pass = buys('/pages/alike', $stranger)->header('X402-Pass');
like shows('/pages/alike', $pass)->body, qr/403 Forbidden/, 'a page that a pass opens includes nothing that asks who pays, at one price';
$pass = buys('/shop/in', $known)->header('X402-Pass');
$up->forget;
no_trace shows('/free/shop', $pass), 'SECRET', 'a free page includes nothing by a pass';
is shows('/gated/a', $pass)->status, 403, 'nor does auth_request let it in';
is $up->hits, 0, 'nothing was made';
like shows('/shop/in', $pass)->header('X-State'), qr/^pass  8/, 'and nothing was counted';

finish;
