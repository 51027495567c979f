# SPDX-License-Identifier: Apache-2.0
# A pass and a signature work for anyone that has them: no backend sees one,
# wherever the client has sent it, and an upstream's own X402-Pass does not
# leave beside that of the module.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_seal_key %%DIR%%/seal.key;
    underscores_in_headers on;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        server_name localhost;
        proxy_set_header X-Seen "[$http_cookie][$http_x402_pass]";
        location /pass/    { x402_price 0.01; x402_pass time=1h; proxy_pass http://%%BACKEND%%; }
        location /other/   { x402_price 0.01; x402_pass time=1h; proxy_pass http://%%BACKEND%%; }
        location /plain/   { x402_price 0.01; proxy_pass http://%%BACKEND%%; }
        location /off/     { x402_price 0.01; x402 off; proxy_pass http://%%BACKEND%%; }
        location /free/    { proxy_pass http://%%BACKEND%%; }
        location /shadow/  { x402_price 0.01; x402 shadow; proxy_pass http://%%BACKEND%%; }
        location /forward/ { x402_price 0.01; x402_pass time=1h; x402_forward_payment on; proxy_pass http://%%BACKEND%%; }
        location /auth/    { auth_request /check; proxy_pass http://%%BACKEND%%; }
        location /mirror/  { mirror /copy; proxy_pass http://%%BACKEND%%; }
        location /moved/   { try_files /nothing @bought; }
        location @bought   { x402_price 0.01; x402_pass time=1h scope=moved; proxy_pass http://%%BACKEND%%; }
        location /check    { proxy_pass http://%%BACKEND%%; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
        location /copy     { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
chmod 0600, $t->write('seal.key', 's' x 64);
$up->on('*', body => "SECRET\n");
$t->start;

my $bought = paid($t, '/pass/a');
my $pass   = $bought->header('X402-Pass');
my ($pair) = $bought->header('Set-Cookie') =~ /\A([^;]+)/;
my ($value) = $pair =~ /=(.*)/;
ok $pass && $value, 'bought, with a pass';

# Everything that upstreams were sent, as one text.
sub seen () {
    return join "\n", map { my $h = $_->{headers}; map { lc . ": $h->{$_}" } sort keys %$h } $up->requests;
}

my @shown = ('X402-Pass' => $pass, Cookie => "theme=dark; $pair; id=7", 'SIGN-IN-WITH-X' => 'c2lnbmVk');
for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $name = $h2 ? 'HTTP/2: ' : '';
    # A pass is good at the port where it was bought.
    for my $path (($h2 ? () : "/pass/a"), qw(/other/a /plain/a /off/a /free/a /auth/a /mirror/a /shadow/a)) {
        my @pays = $path =~ /other|plain/ ? ('PAYMENT-SIGNATURE' => payment(unpaid($t, $path))) : ();
        $up->forget;
        my $r = $t->get($path, %via, headers => [ @shown, @pays ]);
        is $r->status, 200, "$name$path is served";
        $t->wait_for(sub { $up->requests > 1 }) if $path =~ /auth|mirror/;
        my $seen = seen();
        is index($seen, $value), -1, "$name$path: no backend sees the pass";
        unlike $seen, qr/x402.pass|sign-in-with-x/i, "$name$path: nor what it is called";
        my @cookies = $seen =~ /^cookie: (.*)/gm;
        is $cookies[0], 'theme=dark; id=7', "$name$path: other cookies go on";
        like $seen, qr/^x-seen: \[theme=dark; id=7\]\[\]$/m, "$name$path: nor in a variable" if $path !~ /auth|mirror/;
    }
}

$up->forget;
is $t->get('/free/a', headers => [ Cookie => $pair, X402_Pass => $pass, 'X-After' => 1 ])->status, 200, 'another spelling, and nothing but the pass';
is index(seen(), $value), -1, 'is not seen';
unlike seen(), qr/^cookie:/m, 'a cookie that is empty then does not go on';
like seen(), qr/^x-after: 1$/m, 'what comes behind does';

$up->forget;
is $t->get('/forward/a', headers => [ 'X402-Pass' => scalar paid($t, '/forward/a')->header('X402-Pass') ])->status, 200, 'x402_forward_payment';
like seen(), qr/^x402-pass: /m, 'lets it through';

my $moved = paid($t, '/moved/a')->header('X402-Pass');
$up->forget;
is $t->get('/moved/a', headers => [ 'X402-Pass' => $moved ])->status, 200, 'it opens its location by way of one without a price';
is index(seen(), $moved), -1, 'whose backend does not see it either';

$up->on('/pass/forged', body => "SECRET\n", headers => [ 'X402-Pass' => 'of the upstream' ]);
my $forged = paid($t, '/pass/forged');
is $forged->header_count('X402-Pass'), 1, 'one pass leaves';
isnt scalar $forged->header('X402-Pass'), 'of the upstream', 'that of the module';
is $t->get('/pass/forged', headers => [ 'X402-Pass' => scalar $forged->header('X402-Pass') ])->header_count('X402-Pass'), 0, 'nor the one of the upstream alone';

finish;
