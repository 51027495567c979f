# SPDX-License-Identifier: Apache-2.0
# What an operator gets wrong without breaking a rule: nginx -t says what will
# happen and what to write instead, and names file and line.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

# The line under test stands in line 9 of the file.
my $frame = <<'EOF';
%%GLOBALS%%
events { worker_connections 1000; }
http {
    %%HTTP%%
    map $x402_payer $member { default ""; 0x1 1; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location / {
LINE
        }
    }
}
EOF

my $pay_to   = 'x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;';
my $url      = 'x402_facilitator http://127.0.0.1:1;';
my $complete = "$url x402_network base-sepolia; $pay_to";
my $real     = "x402_network base; $pay_to";

my $t = nginx($frame =~ s/LINE//r);
$t->allow(qr/emerg|warn/);

sub said ($line) { return $t->test_config($frame =~ s/LINE/$line/r) }

sub warns ($line, $says, $name = $line) {
    my ($text, $passed) = said($line);
    ok $passed && $text =~ /\[warn\][^\n]*$says[^\n]* in \S*tested\.conf:9$/m, "warned: $name" or diag $text;
    return;
}

sub refused ($line, $says, $name = $line) {
    my ($text, $passed) = said($line);
    ok !$passed && $text =~ /\[emerg\][^\n]*$says[^\n]* in \S*tested\.conf:9$/m, "refused: $name" or diag $text;
    return;
}

sub quiet ($line, $name = $line) {
    my ($text, $passed) = said($line);
    ok $passed && $text !~ /\[(?:warn|error|emerg)\]/, "nothing to say: $name" or diag $text;
    return;
}

# --- a server that sells, but not what none of its locations takes

sub of_server ($words) { return $frame =~ s/location \/ \{\nLINE\n +\}/$complete $words/r }
for my $case ([on => 'answered with 500'], [shadow => 'counted as refused']) {
    my ($word, $says) = @$case;
    my ($text, $passed) = $t->test_config(of_server("x402 $word; location /sold { x402_price 1; }"));
    ok $passed && $text =~ /\[warn\] .*paths that no location takes are $says.*write "location \/ \{ x402 off; \}" if they are free/, "x402 $word, other paths"
        or diag $text;
    ($text, $passed) = $t->test_config(of_server("x402 $word; location / { x402 off; } location /sold { x402_price 1; }"));
    ok $passed && $text !~ /no location takes/, "x402 $word, all paths have a location" or diag $text;
}

# --- x402_bypass

quiet("$complete x402_price 1; x402_bypass $_;") for '$member', 'off', '0', '""', '"$member$limit_req_status"';
refused("$complete x402_price 1; x402_bypass $_;", 'would make every request free') for 'on', '1', 'no', '$member 1', 'off $member';
refused("$complete x402_price 1; x402_bypass \$member; x402_bypass off;", 'stands alone');
refused("$complete x402_price 1; x402_bypass off; x402_bypass \$member;", 'stands alone');
warns("$complete x402_price 1; x402_bypass $_;", 'any client can write') for '$arg_free', '$http_x_key', '$Http_X_Key', '$cookie_key', '$member $arg_a',
    '"$arg_a$member"', '"${member}${http_x}"', '$args', '$query_string', '$is_args', '$content_type', '$content_length';
warns("$complete x402_price 1; x402_bypass $_;", 'is never empty') for '$uri', '$host', '$remote_addr', '$scheme', '"$member$request_method"',
    '$request_id', '$server_protocol';

warns("$complete x402_price 1; x402_bypass $_;", 'any client can write') for '$request_body', '$ssl_server_name', '$http2', '$invalid_referer',
    '$https', '"$member$ssl_curve"', '$ssl_alpn_protocol';
warns("$complete x402_price 1; x402_bypass $_;", 'is never empty') for '$ssl_client_verify', '$pipe', '$request_filename';
warns("$complete x402_price 1; x402_bypass $_;", 'any client can write \$remote_user') for '$remote_user', '"$member$remote_user"';
quiet("$complete x402_price 1; x402_bypass \$remote_user; $_") for 'auth_basic x; auth_basic_user_file users;', 'auth_request /asked;';

warns("$complete x402_price 1; x402_bypass $_;", 'any client can write') for '$uid_set', '$ssl_early_data', '$ssl_session_id',
    `@{[ X402::Nginx::binary() ]} -V 2>&1` =~ /with-http_secure_link_module/ ? '$secure_link_expires' : ();
warns("$complete x402_price 1; x402_bypass $_;", 'is never empty') for '$date_gmt', '$date_local', '$tcpinfo_rtt', '$x402_offer', '"$member$body_bytes_sent"';

# A key of the server is checked where each location that sells checks it.
my $by_user = "$complete x402_price 1; x402_bypass \$remote_user;";
my $checks  = 'auth_basic x; auth_basic_user_file users;';
for my $case (
    [ '',                                                            1, 'nowhere' ],
    [ $checks,                                                       0, 'in the only location' ],
    [ "$checks location /open { auth_basic off; }",                  1, 'not in one below' ],
    [ "$checks location /open { auth_basic off; x402 off; }",        0, 'not in one that is free' ],
    [ "$checks location /open { auth_basic off; x402_bypass off; }", 0, 'not in one that has no key' ],
    [ "$checks } location /other { auth_request /asked;",            0, 'by a subrequest in another one' ],
    [ "$checks } location /other {",                                 1, 'not in another one' ])
{
    my ($within, $is_warned, $name) = @$case;
    my ($text, $passed) = $t->test_config($frame =~ s/location \/ \{\nLINE/$by_user location \/ { $within/r);
    ok $passed, "checked $name: taken" or diag $text;
    is scalar(() = $text =~ /any client can write \$remote_user/g), $is_warned, "checked $name: warned about, once, or not at all" or diag $text;
}
my ($said) = $t->test_config($frame =~ s/location \/ \{\nLINE/$by_user location \/sold { $checks/r);
like $said, qr/any client can write \$remote_user/, 'paths that no location takes are checked by nothing';

# What a regular expression has captured of the path or of the host.
site_warns('client writes \$\w+ itself, and so chooses ' . $_->[2], "captured: $_->[0] $_->[1]", name => $_->[0], paid => $_->[1])
    for [ '~ ^/buy/(?<usd>[\d.]+)$', 'x402_price $usd;', 'the price' ],
    [ '~ ^/buy/(?<usd>.+)/(?<what>a|b)$', 'x402_price 0$usd;', 'the price' ],
    [ '~ ^/of/(?<whom>0x\w+)/', 'x402_pay_to $whom;', 'the receiver' ], [ '~ ^/buy/(?<Usd>\d+)$', 'x402_price $USD;', 'the price' ];
site_quiet("captured: $_->[0] $_->[1]", name => $_->[0], paid => $_->[1])
    for [ '~ ^/buy/(?<usd>1|2-5|10)/', 'x402_price $usd;' ], [ '~ ^/buy/(?<Usd>1|2)/', 'x402_price $Usd;' ], [ '~ ^/(?<usd>\d+)$', 'x402_price $member;' ], [ '/sold/', 'x402_price $member;' ],
    [ '~ ^/buy/([\d.]+)$', 'x402_price $1;' ];
my $site = '~ ^/(?<word>[^/]+)/a$';
site_warns('any client can write \$\w+ and be served free: it is a part of the path or the host', "captured: $_", name => $site, paid => "x402_price 1; $_")
    for 'x402_bypass $word;', 'x402_bypass $member$word;', 'x402_free 5/d key=$word;';
site_quiet("captured: $_", name => $site, paid => "x402_price 1; $_") for 'x402_free 5/d key=$binary_remote_addr$word;', 'x402_bypass $member;';
site_warns('any client can write \$tenant and be served free', 'captured of the host', server => 'server_name ~^(?<tenant>.+)\.example$;', paid => 'x402_bypass $tenant;');

# A Host header that a client has made up, where the server answers to any.
my $other_server = 'server { listen 127.0.0.1:%%PORT%% default_server; return 403; }';
site_warns('any client can write \$host and be served free: with each Host header', "by host: $_->[0]", paid => 'x402_free 5/d key=$binary_remote_addr$host;',
    server => $_->[0], more => $_->[1])
    for [ 'server_name a.example;', '' ], [ 'server_name *.example;', $other_server ], [ 'server_name ~^(.+)\.example$;', $other_server ], [ 'server_name .a.example;', $other_server ];
site_quiet('by host, of a server with a name of its own', paid => 'x402_free 5/d key=$binary_remote_addr$host;', server => 'server_name a.example;', more => $other_server);

# A certificate that a client has signed itself says what it likes.
for my $name ('$ssl_client_s_dn', '$ssl_client_i_dn_legacy', '$ssl_client_serial', '"$member$ssl_client_fingerprint"') {
    for my $of (["x402_bypass $name;", 'x402_bypass'], ["x402_free 5/d key=$name;", 'x402_free']) {
        my ($words, $directive) = @$of;
        site_warns('any client can write \$ssl_client_\w+ and be served free: ssl_verify_client optional_no_ca.*' . $directive, "of any certificate: $words",
            server => 'ssl_verify_client optional_no_ca;', paid => $words);
        site_quiet("of a certificate: $words", server => $_, paid => $words) for '', 'ssl_verify_client optional;';
    }
}

# --- what lets all clients in

warns("$complete x402_price 1; satisfy any; $_", 'no client pays here: "satisfy any"') for 'allow all;', 'deny 192.0.2.1; allow all;', 'allow 0.0.0.0/1; allow 128.0.0.0/1;',
    'allow 0.0.0.0/0; auth_basic x; auth_basic_user_file users;';
quiet("$complete x402_price 1; $_") for 'allow all;', 'satisfy any; allow 10.0.0.0/8; deny all;', 'satisfy any; deny all;', 'satisfy any; allow 10.0.0.0/8;',
    'satisfy any; allow all; x402 off;', 'satisfy any; allow 2001:db8::/32; deny all;', 'allow ::/0;', 'satisfy any; deny all; allow ::/0;',
    'satisfy any; deny 2000::/4; allow ::/0;', 'satisfy any; allow ::1; allow fe80::/10;';
warns("$complete x402_price 1; satisfy any; $_", 'no client with an IPv6 address pays here: "satisfy any"')
    for 'allow ::/0;', 'allow 2000::/3;', 'allow 10.0.0.0/8; deny 2001:db8::/32; allow ::/0;', 'deny ::1; allow ::/1; deny all;', 'deny 2001:db8::1; allow 2000::/4; allow 3000::/5;';
my $made = 'proxy_pass http://127.0.0.1:1;';
warns("$complete x402_price 1; x402_methods GET; $made proxy_method $_;", 'proxy_method makes what is sold of requests that are free')
    for 'GET', '$member', '$request_method$member';
quiet("$complete x402_price 1; $made $_") for 'proxy_method GET;', 'x402_methods GET;', 'x402_methods GET; proxy_method GET; x402 off;',
    'x402_methods GET; proxy_method $request_method;', 'x402_methods GET; proxy_method ${request_method};';
for my $kind ('fastcgi', 'uwsgi', 'scgi') {
    my $method = "${kind}_param REQUEST_METHOD";
    my $runs   = "$complete x402_price 1; ${kind}_pass 127.0.0.1:1;";
    warns("$runs x402_methods POST; $_", "${kind}_param makes what is sold of requests that are free")
        for "$method POST;", "$method \$request_method; $method POST if_not_empty;", "$method \$member;";
    quiet("$runs $_") for "$method POST;", "x402_methods POST; $method \$request_method;", 'x402_methods POST;',
        "x402_methods POST; $method POST; $method \$request_method;", "x402_methods POST; ${kind}_param SCRIPT_NAME POST;";
    quiet("$complete x402_price 1; x402_methods POST; $_") for "proxy_pass http://127.0.0.1:1; $method POST;",
        "${kind}_pass 127.0.0.1:1; proxy_method POST;";
    warns("$complete x402_price 1; x402_methods POST; ${kind}_pass \$arg_x; $method POST;", "${kind}_param makes what is sold");
}

# --- methods

warns("$complete x402_price 1; x402_methods $_;", 'did you mean .* not listed are free') for 'PSOT', 'GET POSTS', 'DELETED';
quiet("$complete x402_price 1; x402_methods $_;") for 'GET HEAD POST PUT DELETE', 'PROPFIND SEARCH', 'CUSTOM-METHOD';

# --- free requests

warns("$complete x402_price 1; x402_free 5/d key=$_;", 'free requests without end') for '$http_x_key', '$arg_k', '$ARG_k', '$binary_remote_addr$cookie_a', '$args',
    '$request_id', '$Request_Id', '$binary_remote_addr$remote_port', '$request_uri', '$connection', '$msec', '$uid_got', '$x402_offer', '$binary_remote_addr$x402_offer',
    '$binary_remote_addr$request_method', '$server_protocol', '$time_iso8601', '$tcpinfo_rtt';
warns("$complete x402_price 1; x402_free 5/d key=\$remote_user;", 'write \$remote_user and.* out of x402_free', 'x402_free by a user that nothing checks');
quiet("$complete x402_price 1; auth_basic shop; auth_basic_user_file /dev/null; x402_free 5/d key=\$remote_user;");
quiet("$complete x402_price 1; x402_free 5/d key=$_;") for '$binary_remote_addr', '$member', '$ssl_client_fingerprint';

# --- the request body

refused("$complete x402_price \$${_}price;", 'write x402_read_body', 'a price of a body that is not read') for qw(x402_body_ X402_Body_);
refused("$complete x402_price 1; x402_bypass \$x402_body_free;", 'x402_bypass.*write x402_read_body', 'a bypass of it');
quiet("$complete x402_price \$member; x402_read_body 1k;");
warns("$complete x402_price 1; x402_bypass \$x402_body_free; x402_read_body 1k;", 'any client can write', 'a bypass that the client writes');

# --- what a client writes is what it pays

warns("$complete x402_price $_;", 'client writes .* itself, and so chooses the price; look it up in a map', "a price of $_")
    for '$arg_price', '$Arg_Price', '$http_x_price', '$cookie_price', '${arg_price}', '"1$arg_zeros"';
warns("$complete x402_price \$x402_body_price; x402_read_body 1k;", 'client writes \$x402_body_price', 'a price of the body');
warns("$url x402_network base-sepolia; x402_pay_to \$arg_to; x402_price 1;", 'client writes \$arg_to itself, and so chooses the receiver', 'a receiver of an argument');
warns("$complete x402_accept scheme=upto price=1; x402_charge $_;", 'client writes .* itself, and so chooses what it pays; take', "x402_charge $_")
    for '$arg_tokens', '$http_x_tokens*2', '$upstream_http_x_tokens*$cookie_each';
quiet("$complete x402_accept scheme=upto price=1; x402_charge $_;") for '$upstream_http_x_tokens', '$x402_reply_usage_total_tokens*2';

# --- what would do nothing

$t->write('other.key', 'k' x 64);
chmod 0600, $t->dir . '/other.key';
my $other = $t->dir . '/other.key';
warns("$complete x402_price 1; x402_mpp key=$other;", 'x402_mpp has no effect.*write x402_protocol v2 mpp', 'x402_mpp without the protocol');
quiet("$complete x402_price 1; x402_mpp key=$other; x402_protocol v2 mpp;");
warns("$complete x402_price 1; $_", 'the price has no effect.*free unless "x402 on" is written', "a price beside $_")
    for 'x402_status;', 'x402_manifest openapi;';
quiet("$complete x402_price 1; $_") for 'x402_status; x402 on;', 'x402_status; x402 off;';
warns($_->[0], "$_->[1] is never shown: $_->[2].*write it into a location of its own", $_->[0])
    for [ 'x402_status; return 200 x;', 'x402_status', '"return" answers' ],
    [ "$complete x402_manifest openapi; return 204;", 'x402_manifest', '"return" answers' ],
    [ 'x402_status json; proxy_pass http://127.0.0.1:1;', 'x402_status', 'a directive behind it, such as proxy_pass,' ];
warns('proxy_pass http://127.0.0.1:1; x402_status;', 'x402_status is shown instead of what a directive before it', 'x402_status behind proxy_pass');
quiet($_) for 'x402_status; if ($arg_x) { return 403; }', 'x402_status; root html;';
for my $words ('x402_label a', 'x402_ledger logs/books') {
    my ($name) = split / /, $words;
    warns("$complete $words;", "$name has no effect: no location that it is written for has a price; write the price there", "$words without a price");
    warns("$complete $words; x402_price 1; x402 off;", "$name has no effect", "$words with x402 off");
    quiet("$complete $words; x402_price 1;");
    unlike scalar said("$complete $words; x402_price 1; x402 shadow;"), qr/$name has no effect/, "used: $words with x402 shadow";
}
quiet('x402_ledger off;');
my $mpp = "$complete x402_price 1; x402_protocol v2 mpp; x402_mpp key=$other; auth_basic a;";
warns($mpp, '"x402_protocol mpp" beside auth_basic: a client cannot send both.*write "satisfy any"', 'a password beside MPP');
quiet($_) for "$mpp satisfy any;", $mpp =~ s/auth_basic a/auth_basic off/r, $mpp =~ s/x402_protocol v2 mpp; x402_mpp \S+//r;
warns("$complete x402_price 1; x402_seal_key $other;", 'x402_seal_key has no effect.*x402_pass or x402_sign_in', 'a seal key without passes');
quiet("$complete x402_price 1; x402_seal_key $other; $_") for 'x402_pass time=1h;', 'x402_protocol v2 mpp;', 'x402_protocol v2 mpp; x402_mpp realm=a.example;';
warns("$complete x402_paywall wallet; $_", 'on EVM networks only, which is not offered here', "a wallet for $_")
    for 'x402_price 1; x402_protocol v1;', 'x402_accept scheme=upto price=1;', "x402_price 1; x402_protocol mpp; x402_mpp key=$other;";
quiet("$complete x402_paywall wallet; $_") for 'x402_price 1;', 'x402_price 1; x402_protocol v2 v1;', 'x402_accept scheme=upto price=1; x402_accept price=1;';
quiet("$complete x402_paywall on; x402_price 1; x402_protocol v1;");
warns("$complete $_", 'is written in a location without a price', $_)
    for 'x402_charge $x402_reply_usage_total_tokens;', 'x402_pass time=1h;', 'x402_sign_in time=1h;';
quiet("$complete $_", $_) for 'x402 off; x402_pass time=1h;', 'x402_charge off;', 'x402_pass off;';
warns("$complete x402_price 1; add_header X-Model \$x402_body_model;", 'x402_body_model is always empty', 'a field that is never read');

# --- prices

quiet("$complete x402_price $_;") for '$99.99', '1', '"$1.50 USDC"', '0.0001', '0';
warns("$complete x402_price $_;", '\$100 or more') for '$100', '100.00', '"2500 USDC"', '$0250';
warns("$complete x402_accept price=\$100;", '\$100 or more', 'a price of x402_accept');

# --- facilitators

warns("x402_facilitator http://pay.example.com/f; $real x402_price 1;", 'without encryption', 'real money over plain http');
warns("x402_facilitator http://8.8.8.8/f; $real x402_price 1;", 'without encryption', 'the same at an address');
quiet("x402_facilitator $_; $real x402_price 1;") for 'https://pay.example.com/f', 'http://127.0.0.1:9', 'http://10.1.2.3',
    'http://192.168.1.2', 'http://172.20.0.3:4021', 'http://facilitator:4021', 'http://[fd00::1]', 'http://pay.internal';
quiet("x402_facilitator http://pay.example.com; x402_network base-sepolia; $pay_to x402_price 1;");
refused("x402_facilitator https://pay.example.com/$_; $real x402_price 1;", 'must not end in') for 'verify', 'settle', 'x402/verify/';
my $coinbase = "x402_facilitator https://api.cdp.coinbase.com/platform/v2/x402; $real";
warns("$coinbase x402_price $_;", 'less than \$0\.001') for '0.0005', '$0.000999';
quiet("$coinbase x402_price $_;") for '0.001', '0';
warns(qq($coinbase x402_price 1; x402_description "@{[ 'x' x 501 ]}";), 'more than 500 characters', 'a long description for Coinbase');
quiet(qq($coinbase x402_price 1; x402_description "@{[ 'x' x 500 ]}";), 'one that fits');

# --- limits

my ($text) = said("$complete x402_price 1; x402_facilitator_max_calls 500;");
like $text, qr/\[warn\].*max_calls 500 needs worker_connections of at least 1625, and there are 1000/, 'too few connections';
quiet("$complete x402_price 1; x402_facilitator_max_calls 300;");
warns("$complete x402_price 1; x402_timeout 30s;", 'settle=60000ms is longer');
quiet("$complete x402_price 1; x402_timeout 30s; x402_facilitator_timeout settle=20s;");
my $algorand = "$url x402_network algorand-testnet; x402_pay_to %%ALGO%%; x402_price 1;" =~ s/%%ALGO%%/'A' x 58/er;
($text) = said($algorand =~ s/A{58}/7YHC7Y6DZG3ZP6MGXRUKBFAFYSQMXVD2WMEVUQV7OAZDNGYVNQMM3PFHXU/r);
like $text, qr/large_client_header_buffers 4 32k|address/, 'small header buffers';

# --- the rewrite phase

warns("$complete x402_price 1; return 200 text;", 'content of "return" cannot be sold', 'return with content');
warns("$complete x402_price 1; if (\$arg_a) { return 200 text; }", 'content of "return" cannot be sold', 'the same in "if"');
quiet("$complete x402_price 1; if (\$arg_a) { return 403; }");
quiet("$complete x402_price 1; return 301 /elsewhere;");
warns("$complete x402_price 1; rewrite ^ /other last;", 'leads out of this paid location', 'rewrite last');
warns("$complete x402_price 1; rewrite ^/a /b;", 'leads out of this paid location', 'rewrite');
quiet("$complete x402_price 1; rewrite ^ /$_;") for 'other break', 'other redirect', 'other permanent';
warns("$complete x402_price 1; set \$p \$x402_payer;", 'x402_payer is still empty', 'set');
warns("$complete x402_price 1; set \$p \"a \$x402_state\";", 'x402_state is still empty', 'set with a text');
warns("$complete x402_price 1; if (\$x402_payer) { return 403; }", 'x402_payer is still empty', 'if');
quiet("$complete x402_price 1; if (\$x402_presented) { return 403; }");

warns("$complete x402_price 1; error_page 418 = \@free; return 418;", '"return" answers before the payment is asked for', 'return and error_page');
quiet("$complete x402_price 1; if (\$arg_a) { return 418; }");

# --- what nginx gives to another location before the paid one

# Of a server: in front of the paid location (line 9), its name, what is in it, what is beside it.
sub site (%of) {
    my $price = $of{paid} =~ /x402_price/ ? '' : 'x402_price 1;';
    my $offer = $of{paid} =~ /x402_pay_to/ ? $complete =~ s/\Q$pay_to\E//r : $complete;
    my $conf = $frame =~ s/LINE/    $offer $price $of{paid}/r =~ s{location / }{location $of{name} }r;
    $conf =~ s/(?<=%%PORT%%;)/ $of{server}/ if $of{server};
    $conf =~ s/^(?=    \}\n\}\n\z)/$of{beside}\n/m if $of{beside};
    $conf =~ s/(?=    map)/    $of{http} / if $of{http};
    $conf =~ s/^(?=\}\n\z)/$of{more}\n/m if $of{more};
    return $t->test_config($conf);
}

sub site_warns ($says, $name, %of) {
    my ($text, $passed) = site(name => '/sold/', paid => '', %of);
    ok $passed && $text =~ /\[warn\][^\n]*$says[^\n]* in \S*tested\.conf:9$/m, "warned: $name" or diag $text;
    return;
}

sub site_quiet ($name, %of) {
    my ($text, $passed) = site(name => '/sold/', paid => '', %of);
    ok $passed && $text !~ /\[(?:warn|error|emerg)\]/, "nothing to say: $name" or diag $text;
    return;
}

my $proxied = 'proxy_pass http://127.0.0.1:1;';
site_warns('requests below "/sold/" that match "\\\\.pdf\$" are free', "a regular expression beside it: $_", beside => $_)
    for 'location ~ \.pdf$ { expires 1d; }', 'location ~* \.pdf$ { }', 'location ~ \.pdf$ { proxy_pass http://127.0.0.1:1; }';
site_warns('are free: nginx gives them', "a regular expression beside it: $_->[1]", paid => $_->[0], beside => $_->[1])
    for [ '', 'location ~ ^/sold/.*\.pdf$ { }' ], [ '', 'location ~ ^/(.+)/a$ { }' ], [ $proxied, "location ~ \\.json\$ { $proxied }" ];
site_quiet("no way around it: $_->[1]", name => $_->[0], beside => $_->[1])
    for [ '^~ /sold/', 'location ~ \.pdf$ { }' ], [ '= /sold/a.pdf', 'location ~ \.pdf$ { }' ], [ '/', 'location ~ \.css$ { }' ],
    [ '/sold/', 'location ~ \.pdf$ { x402 off; }' ], [ '/sold/', "location ~ \\.pdf\$ { $complete x402_price 1; }" ],
    [ '/sold/', 'location ~ /\. { deny all; }' ], [ '/sold/', 'location ~ /\. { return 404; }' ], [ '/sold/', 'location ~ \.pdf$ { internal; }' ],
    [ '/sold/', 'location ~ ^/open/.*\.pdf$ { }' ], [ '/sold/', 'location ~ ^/sold/preview$ { }' ], [ '/sold/', 'location ~ \.pdf$ { root /elsewhere; }' ],
    [ '/sold/', 'location /open/ { location ~ \.pdf$ { } }' ];
site_quiet('files beside what an upstream makes', paid => $proxied, beside => 'location ~* \.(css|js)$ { expires 1d; }');
site_quiet('a price around all', server => "$complete x402_price 1;", beside => 'location ~ \.pdf$ { }');

site_warns('"return" of the server answers requests for "/sold/" before', 'return of the server', server => 'return 200 text;');
site_warns('"rewrite" of the server answers requests for "/sold/" before', "of the server: $_", server => $_)
    for 'rewrite ^/sold/(.*)$ /open/$1 last;', 'rewrite ^/sold/ /open/a;', 'rewrite ^ /index.php;', 'rewrite ^/(.*)$ /$1x;';
site_quiet("of the server: $_", server => $_)
    for 'rewrite ^/sold/(.*)$ /sold/v2/$1 last;', 'rewrite ^/old/ /open/a;', 'rewrite ^(.*)$ $1 break;', 'rewrite ^/(?<at>.*)$ $at last;',
    'rewrite ^/sold/(.*)$ https://other.example/$1 permanent;',
    'if ($arg_a) { return 204; }', 'return 301 https://$host$request_uri;';

# Error pages are free below the price of a server, and a program there sees what was asked for.
my $shop = "$complete x402_price 1; location /shop/ { $proxied }";
for my $page ('402 @app', '402 = @app', '402 =200 @app', '405 @app', '403 413 503 @app', '405 =403 @app', '400 /index.php', '402 /index.php?q=1') {
    my ($text, $passed) = site(name => '/', paid => '', server => "$shop error_page $page;", beside => "location \@app { $proxied } location ~ \\.php\$ { $proxied }");
    ok $passed && $text =~ /\[warn\] error_page \d+ leads to "[^"]+", which has the price of its server/, "warned: error_page $page" or diag $text;
}
for my $case ([ '402 @app', 'location @app { x402 off; ' . $proxied . ' }' ], [ '404 @app', "location \@app { $proxied }" ], [ '500 502 @app', "location \@app { $proxied }" ],
    [ '405 = @app', "location \@app { $proxied }" ], [ '405 =200 /index.php', "location ~ \\.php\$ { $proxied }" ], [ '402 @app', 'location @app { try_files /402.html =402; }' ],
    [ '402 @app', "location \@app { rewrite ^ /402 break; $proxied }" ],
    [ '402 /page.php', "location = /page.php { x402 off; $proxied } location ~ \\.php\$ { $proxied }" ])
{
    my ($page, $beside) = @$case;
    my ($text, $passed) = site(name => '/', paid => '', server => "$shop error_page $page;", beside => $beside);
    ok $passed && $text !~ /\[warn\]/, "nothing to say: error_page $page; $beside" or diag $text;
}

# Of another server, or of the same.
my $root = 'root /srv/shop;';
site_warns('the files of "/sold/" are free at "/sold/"', "the same folder in another server: $_", server => $root, more => "server { listen 127.0.0.1:1; $_ }")
    for $root, "location / { $root }", "root /srv; location / { alias /srv/shop/; }";
site_warns('the files of "/sold/" are free at "/dear/"', 'the same files by the root', server => $root, paid => 'alias /srv/shop/dear/;');
site_warns('the files of "/sold/a" are free at "/sold/a"', 'an exact one', name => '= /sold/a', server => $root, more => "server { listen 127.0.0.1:1; $root }");
site_quiet("no copy: $_", server => $root, more => "server { listen 127.0.0.1:1; $_ }")
    for 'root /srv/other;', "$root return 301 https://a.example;", "$root location / { return 404; }", "$root location /sold/ { x402 off; }",
    "$root location /sold/ { internal; }", "$root location / { $proxied }", "$complete x402_price 1; $root", "$root location /sold { deny all; }";
site_quiet('what an upstream makes', paid => $proxied, server => $root, more => "server { listen 127.0.0.1:1; $root }");
site_warns('the files of "/sold/" are free at "/open../sold/"', 'an alias that leads out of its folder',
    server => 'location /open { alias /srv/pub/; }', paid => 'alias /srv/sold/;');
site_quiet("none: $_", server => $_, paid => 'alias /srv/sold/;')
    for 'location /open/ { alias /srv/pub/; }', 'location /open { alias /srv/pub; }', 'location /open { alias /srv/a/pub/; }';
# What proxy_store writes is on the disk before it is paid for, and stays there.
my $stored = "$proxied proxy_store on;";
site_warns('the files of "/sold/" are free at "/sold/"', "stored, in another server: $_", paid => $_, server => $root, more => "server { listen 127.0.0.1:1; $root }")
    for $stored, 'fastcgi_pass 127.0.0.1:1; fastcgi_store on;', "$proxied proxy_store /srv/shop\$uri;", "alias /srv/shop/sold/; $stored";
site_warns('requests below "/sold/" that match "\\\\.pdf\$" are free', 'stored, and a regular expression', paid => $stored, server => $root, beside => 'location ~ \.pdf$ { }');
site_quiet("stored: $_->[0]", paid => $_->[0], server => $root, more => "server { listen 127.0.0.1:1; $_->[1] }")
    for [ $stored, 'root /srv/other;' ], [ $stored, "$root location /sold/ { internal; }" ], [ "$proxied proxy_store off;", $root ],
    [ "$proxied proxy_store /srv/paid\$uri;", $root ];
site_quiet('a folder of its own', server => $root, paid => 'alias /srv/sold/;');

# Many servers are looked through once, not once for each pair of them.
for my $place ('', $proxied, 'alias /srv/sold/;') {
    my $before = (times)[2];
    my $each = "server { listen 127.0.0.1:1; server_name a%d; location /sold/ { $complete x402_price 1; $place } location /open/ { $proxied } }";
    my (undef, $passed) = site(name => '/', http => 'server_names_hash_max_size 65536;', paid => '', more => join "\n", map { sprintf $each, $_ } 1 .. 800);
    ok $passed, "800 servers: '$place'";
    cmp_ok((times)[2] - $before, '<', $ENV{X402_VALGRIND} ? 60 : 1.5, 'seconds of nginx -t');
}

# --- limits by what is not known yet

for my $key (qw($x402_payer $x402_payer$x402_state)) {
    for my $directive ("limit_req_zone $key zone=z:1m rate=1r/s;", "limit_conn_zone $key zone=z:1m;") {
        my ($text, $passed) = site(name => '/', paid => '', http => $directive);
        ok $passed && $text =~ /\[warn\].*zone "z" limits nothing: \$x402_\w+ is empty .*write x402_limit_payer/, "warned: $directive" or diag $text;
    }
}
site_quiet($_, http => $_) for 'limit_req_zone $binary_remote_addr zone=z:1m rate=1r/s;', 'limit_conn_zone $x402_presented zone=z:1m;',
    'limit_req_zone $binary_remote_addr$x402_payer zone=z:1m rate=1r/s;', 'limit_conn_zone $x402_state$binary_remote_addr zone=z:1m;';

# --- who may have content again, and x402_verify in vain

refused("$complete x402_price 1; x402_redeliver_key $_;", 'is the same for every client', "x402_redeliver_key $_")
    for 'constant', '$host', '$Host', '"a $scheme$request_uri"', '${server_name}', '$x402_offer', '"$host $x402_offer"';
refused("$complete x402_price 1; x402_redeliver_key $_;", 'is evaluated before the payment is read', "x402_redeliver_key $_")
    for '$x402_payer', '$X402_Payer', '"a $x402_transaction"', '"$x402_body_session $x402_payer"';
refused("$complete x402_price 1; x402_redeliver_key $_;", 'x402_redeliver_key is made from \$x402_body_.*write x402_read_body', 'a key of a body that is not read')
    for '$x402_body_session', '"$remote_addr ${x402_body_session}"';
quiet("$complete x402_price 1; $_") for 'x402_read_body 4k; x402_redeliver_key $x402_body_session;',
    'x402_redeliver_key "$remote_addr ${x402_body_session}"; x402_read_body 4k;', 'x402_redeliver_key $x402_offer$remote_addr;';
quiet("$complete x402_price 1; x402_redeliver_key $_;") for '$remote_addr', '""', '$http_authorization', '"$host $cookie_session"';
warns("$complete x402_price 1; x402_verify $_", 'x402_verify has no effect', "in vain: x402_verify $_")
    for 'off; x402_settle before;', 'local; x402_deny $member;', 'off; x402_protocol fast; x402_settle before;';
warns("$url x402_network solana-devnet; x402_pay_to 2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4; x402_price 1; x402_verify local;", 'x402_verify has no effect', 'local, and no EVM network');
warns("$complete x402_verify off;", 'x402_verify has no effect', 'x402_verify and nothing for sale');
quiet("$complete x402_price 1; x402_verify $_") for 'off;', 'local;', 'trusted;', 'remote; x402_settle before;';
warns("x402_facilitator https://x402.org/facilitator; $real x402_price 1;", 'settles test money only', 'the facilitator for test money, and real money');
quiet("x402_facilitator https://x402.org/facilitator; x402_network base-sepolia; $pay_to x402_price 1;");

# --- near names

refused("$url x402_network base-seploia; $pay_to x402_price 1;", 'did you mean "base-sepolia"\?');
refused("$url $pay_to x402_accept network=bsae price=1;", 'did you mean "base"\?');
refused("$complete x402_accept prize=1;", 'did you mean "price"\?');
refused("$complete x402_price 1; x402_protocol fasst;", 'did you mean "fast"\?');
$t->write('none.json', '{"info":{}}');
warns("$complete x402_price 1; x402_extension bazzar @{[ $t->dir ]}/none.json;", 'did you mean "bazaar"\?', 'a name that is near');

# --- where a message points to

$t->write('site.conf', "server {\n    listen 127.0.0.1:1;\n    location / {\n        x402_accept price=1;\n    }\n}\n");
my $outer = $frame =~ s/LINE//r =~ s{(?=    map)}{    x402_network base-sepolia; $pay_to include @{[ $t->dir ]}/site.conf;}r;
($text) = $t->test_config($outer);
like $text, qr/\[emerg\].*lacks a facilitator.* in \S*site\.conf:4$/m, 'the file and the line of the accept';
($text) = said("$pay_to $url x402_accept network=\$arg_n price=1;");
like $text, qr/: "network=" takes no variables/, 'quotes once';
unlike $text, qr/""/, 'not doubled';
($text) = said("x402_network base-sepolia; $pay_to x402_accept price=1;");
unlike $text, qr/in :0/, 'never line 0 of no file';

# --- a variable that is read too early, where -t cannot see it

$t->conf(<<"CONF");
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    limit_req_zone \$x402_payer zone=payers:1m rate=10r/s;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { $complete x402_price 1; limit_req zone=payers; }
    }
}
CONF
$t->start;
is $t->get('/')->status, 402, 'a limit by payer';
ok $t->wait_for(sub { $t->log =~ /\[warn\].*read before the payment is known/ }), 'is said not to work';

finish;
