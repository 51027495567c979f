# SPDX-License-Identifier: Apache-2.0
# x402_cors: a page of another origin may ask, pay and read the receipt.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(encode_base64);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    auth_basic_user_file %%DIR%%/passwords;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        x402_price $0.01;
        x402_cors on;

        location /on/     { proxy_pass http://%%BACKEND%%; }
        location /one/    { x402_cors https://app.example.com; proxy_pass http://%%BACKEND%%; }
        location /off/    { x402_cors off; proxy_pass http://%%BACKEND%%; }
        location /get/    { x402_methods GET; proxy_pass http://%%BACKEND%%; }
        location /offget/ { x402_cors off; x402_methods GET; proxy_pass http://%%BACKEND%%; }
        location /free/   { x402 off; proxy_pass http://%%BACKEND%%; }
        location /member/ { x402_bypass $arg_free; proxy_pass http://%%BACKEND%%; }
        location /add/    { add_header Access-Control-Allow-Origin https://other.example always; proxy_pass http://%%BACKEND%%; }
        location /first/  { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /all/    { satisfy all; auth_basic x; proxy_pass http://%%BACKEND%%; }
        location /any/    { satisfy any; auth_basic x; proxy_pass http://%%BACKEND%%; }
        location /allow/  { satisfy any; allow 127.0.0.1; proxy_pass http://%%BACKEND%%; }
        location /page/   { x402_price $0.02; error_page 402 /pages/402; proxy_pass http://%%BACKEND%%; }
        location /pages/  { x402 off; x402_cors off; alias %%DIR%%/html/; }
        location /made/   { return 200 SECRET; }
    }
}
EOF
$t->write('passwords', "me:{PLAIN}word\n");
$t->write('html/402', 'please pay');
$up->on("/$_/own", body => "own\n", headers => [
    'Access-Control-Allow-Origin' => 'https://up.example', 'access-control-allow-origin' => 'https://twice.example',
    'Access-Control-Expose-Headers' => 'X-Up' ]) for qw(on one first);
$up->on('/on/failed', status => 404, body => 'no');
$t->start;

my $known = 'PAYMENT-SIGNATURE, X-PAYMENT, SIGN-IN-WITH-X, X402-Pass, Content-Type, Access-Control-Expose-Headers';

sub preflight ($path, %options) {
    my @asked = defined $options{asked} ? ('Access-Control-Request-Headers' => delete $options{asked}) : ();
    return $t->ask(OPTIONS => $path, %options, headers => [ Origin => 'https://app.example.com',
        'Access-Control-Request-Method' => $options{for} // 'GET', @asked, ($options{headers} // [])->@* ]);
}

# One line, and it says so.
sub allows ($r, $origin, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $r->header('Access-Control-Allow-Origin'), $origin, "$name: the origin";
    is $r->header_count('Access-Control-Allow-Origin'), 1, "$name: once";
    return;
}

sub exposes ($r, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is scalar(grep { $_ eq 'PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X402-Pass, Retry-After' }
            $r->header('Access-Control-Expose-Headers')), 1, "$name: exposes the payment headers";
    return;
}

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $http = $h2 ? 'HTTP/2' : 'HTTP/1.1';
    $f->forget;
    $up->forget;

    # --- preflights
    my $r = preflight('/on/x', %via);
    is $r->status . $r->body, '204', "$http: a preflight";
    allows $r, '*', "$http: preflight";
    is $r->header('Access-Control-Allow-Methods'), 'GET', "$http: the method";
    is $r->header('Access-Control-Allow-Headers'), $known, "$http: what clients send";
    like $r->header('Access-Control-Max-Age'), qr/\A\d+\z/, "$http: for a while";
    is $r->header_count('PAYMENT-REQUIRED'), 0, "$http: no offer";

    $r = preflight('/on/x', %via, for => 'PUT', asked => 'payment-signature,x-api-key');
    is $r->header('Access-Control-Allow-Methods'), 'PUT', "$http: another method";
    is $r->header('Access-Control-Allow-Headers'), "$known, x-api-key", "$http: what is asked for";
    is preflight('/on/x', %via, asked => 'x-a, b c')->header('Access-Control-Allow-Headers'), $known,
        "$http: no list";
    $r = preflight('/one/x', %via);
    is $r->status, 204, "$http: one origin";
    allows $r, 'https://app.example.com', "$http: one origin";
    like $r->header('Vary'), qr/Origin/, "$http: and says so to caches";

    # Before passwords: a preflight may carry none. Also where it would be let in.
    is preflight("/$_/x", %via)->status, 204, "$http: /$_/" for qw(all any allow get first member);
    is preflight("/$_/x", %via)->header_count('WWW-Authenticate'), 0, "$http: /$_/: asks for nothing" for qw(all any);
    is $up->hits, 0, "$http: the backend was not asked";
    is $f->calls, 0, "$http: nor the facilitator";

    # --- not a preflight
    is $t->ask(OPTIONS => '/on/x', %via, headers => $_)->status, 402, "$http: @$_: pays"
        for [], [ Origin => 'https://a.example' ], [ 'Access-Control-Request-Method' => 'GET' ],
        [ Origin => 'https://a.example', 'Access-Control-Request-Method' => 'G T' ];
    is $t->get('/on/x', %via, headers => [ Origin => 'https://a.example', 'Access-Control-Request-Method' => 'GET' ])->status,
        402, "$http: another method with its headers";
    $r = preflight('/off/x', %via);
    is $r->status, 402, "$http: off: OPTIONS pays";
    is $r->header_count('Access-Control-Allow-Origin'), 0, "$http: off: and hears of no origin";
    is preflight('/offget/x', %via)->status, 200, "$http: off: or is free by method";
    is preflight('/free/x', %via)->status, 200, "$http: a free location";
    no_trace preflight('/made/x', %via), 'SECRET', "$http: no way around the price";

    # --- answers
    for my $method (qw(GET HEAD)) {
        $r = $t->ask($method => '/on/x', %via);
        is $r->status, 402, "$http: $method unpaid";
        allows $r, '*', "$http: $method unpaid";
        exposes $r, "$http: $method unpaid";
    }
    for my $where (qw(on first add all)) {
        my @password = $where eq 'all' ? (headers => [ Authorization => 'Basic ' . encode_base64('me:word', '') ]) : ();
        $r = paid($t, "/$where/y", %via, @password);
        is_content $r, "answer to /$where/y\n", "$http: $where, paid";
        allows $r, '*', "$http: $where, paid";
        exposes $r, "$http: $where, paid";
    }
    for my $where (qw(on one first)) {
        $r = paid($t, "/$where/own", %via);
        is_content $r, "own\n", "$http: $where, an upstream with rules of its own";
        allows $r, $where eq 'one' ? 'https://app.example.com' : '*', "$http: $where, ours";
        is $r->header_count('Access-Control-Expose-Headers'), 2, "$http: $where, both lists";
    }
    $r = paid($t, '/on/failed', %via);
    is $r->status, 404, "$http: not charged";
    allows $r, '*', "$http: not charged";
    $r = $t->get('/member/x?free=1', %via);
    is $r->status, 200, "$http: free";
    allows $r, '*', "$http: free";
    $r = $t->get('/page/x', %via);
    is $r->status . $r->body, '402please pay', "$http: error_page";
    allows $r, '*', "$http: error_page";
    $r = $t->get('/all/x', %via);
    is $r->status, 401, "$http: a password is missing";
    allows $r, '*', "$http: a password is missing";
    is $t->get('/free/x', %via)->header_count('Access-Control-Allow-Origin'), 0, "$http: free locations are as before";

    $f->settle_once(refused => 'insufficient_funds');
    $r = paid($t, '/on/z', %via);
    is_refused $r, "$http: refused";
    allows $r, '*', "$http: refused";
    exposes $r, "$http: refused";
    $f->verify_once(status => 500, body => 'broken');
    $r = paid($t, '/on/z', %via);
    is $r->status, 502, "$http: a broken facilitator";
    allows $r, '*', "$http: a broken facilitator";
    exposes $r, "$http: a broken facilitator";
}

finish;
