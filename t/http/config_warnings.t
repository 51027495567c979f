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

# --- x402_bypass

quiet("$complete x402_price 1; x402_bypass $_;") for '$member', 'off', '0', '""', '$https', '"$member$limit_req_status"';
refused("$complete x402_price 1; x402_bypass $_;", 'would make every request free') for 'on', '1', 'no', '$member 1', 'off $member';
refused("$complete x402_price 1; x402_bypass \$member; x402_bypass off;", 'stands alone');
refused("$complete x402_price 1; x402_bypass off; x402_bypass \$member;", 'stands alone');
warns("$complete x402_price 1; x402_bypass $_;", 'any client can write') for '$arg_free', '$http_x_key', '$cookie_key', '$member $arg_a',
    '"$arg_a$member"', '"${member}${http_x}"', '$args', '$query_string', '$is_args', '$content_type', '$content_length';
warns("$complete x402_price 1; x402_bypass $_;", 'is never empty') for '$uri', '$host', '$remote_addr', '$scheme', '"$member$request_method"',
    '$request_id', '$server_protocol';

warns("$complete x402_price 1; x402_bypass $_;", 'any client can write') for '$request_body', '$ssl_server_name', '$http2', '$invalid_referer';
warns("$complete x402_price 1; x402_bypass $_;", 'is never empty') for '$ssl_client_verify', '$pipe', '$request_filename';
warns("$complete x402_price 1; x402_bypass $_;", 'any client can write \$remote_user') for '$remote_user', '"$member$remote_user"';
quiet("$complete x402_price 1; x402_bypass \$remote_user; $_") for 'auth_basic x; auth_basic_user_file users;', 'auth_request /asked;';

# --- methods

warns("$complete x402_price 1; x402_methods $_;", 'did you mean .* not listed are free') for 'PSOT', 'GET POSTS', 'DELETED';
quiet("$complete x402_price 1; x402_methods $_;") for 'GET HEAD POST PUT DELETE', 'PROPFIND SEARCH', 'CUSTOM-METHOD';

# --- free requests

warns("$complete x402_price 1; x402_free 5/d key=$_;", 'free requests without end') for '$http_x_key', '$arg_k', '$binary_remote_addr$cookie_a', '$args';
quiet("$complete x402_price 1; x402_free 5/d key=$_;") for '$binary_remote_addr', '$member', '$ssl_client_fingerprint';

# --- the request body

refused("$complete x402_price \$x402_body_price;", 'write x402_read_body', 'a price of a body that is not read');
refused("$complete x402_price 1; x402_bypass \$x402_body_free;", 'x402_bypass.*write x402_read_body', 'a bypass of it');
quiet("$complete x402_price \$member; x402_read_body 1k;");
warns("$complete x402_price 1; x402_bypass \$x402_body_free; x402_read_body 1k;", 'any client can write', 'a bypass that the client writes');

# --- what a client writes is what it pays

warns("$complete x402_price $_;", 'client writes .* itself, and so chooses the price; look it up in a map', "a price of $_")
    for '$arg_price', '$http_x_price', '$cookie_price', '${arg_price}', '"1$arg_zeros"';
warns("$complete x402_price \$x402_body_price; x402_read_body 1k;", 'client writes \$x402_body_price', 'a price of the body');
warns("$url x402_network base-sepolia; x402_pay_to \$arg_to; x402_price 1;", 'client writes \$arg_to itself, and so chooses the receiver', 'a receiver of an argument');
warns("$complete x402_accept scheme=upto price=1; x402_charge $_;", 'client writes .* itself, and so chooses what it pays, down to nothing', "x402_charge $_")
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
my $mpp = "$complete x402_price 1; x402_protocol v2 mpp; x402_mpp key=$other; auth_basic a;";
warns($mpp, '"x402_protocol mpp" beside auth_basic: a client cannot send both.*write "satisfy any"', 'a password beside MPP');
quiet($_) for "$mpp satisfy any;", $mpp =~ s/auth_basic a/auth_basic off/r, $mpp =~ s/x402_protocol v2 mpp; x402_mpp \S+//r;
warns("$complete x402_price 1; x402_seal_key $other;", 'x402_seal_key has no effect.*x402_pass or x402_sign_in', 'a seal key without passes');
quiet("$complete x402_price 1; x402_seal_key $other; $_") for 'x402_pass time=1h;', 'x402_protocol v2 mpp;', 'x402_protocol v2 mpp; x402_mpp realm=a.example;';
warns("$complete x402_paywall wallet; $_", 'no client can pay from it', "a wallet for $_")
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
