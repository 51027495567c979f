# SPDX-License-Identifier: Apache-2.0
# What an operator can get wrong: nginx -t refuses it, says what is wrong, and
# names file and line. It warns where a mistake is likely, and never asks the net.

use v5.36;
use Fcntl ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use X402::Test;

# The line under test stands in line 8 of the file.
my $frame = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
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
my $network  = 'x402_network base-sepolia;';
my $complete = "$url $network $pay_to";
my $asset    = 'asset=0x036CbD53842c5426634e7929541eC2318f3dCF7e';

my $t = nginx($frame =~ s/LINE//r);
$t->allow(qr/emerg/);

sub refused ($line, $says, $name = $line) {
    my $text = $t->config_error($frame =~ s/LINE/$line/r);
    ok +($text =~ /\[emerg\].*$says.*\Q in \E\S*tested\.conf:\d+/), "refused: $name"
        or diag $text || 'accepted';
    return;
}

# The very line is named, not the end of a block.
sub refused_here ($line, $says) {
    my $text = $t->config_error($frame =~ s/LINE/$line/r);
    ok +($text =~ /\[emerg\].*$says.*tested\.conf:8$/m), "refused here: $line"
        or diag $text || 'accepted';
    return;
}

sub key_file ($name, $text, $mode = 0600) {
    chmod $mode, $t->write($name, $text);
    return $t->dir . "/$name";
}

sub passes ($line, $name = $line) {
    my ($text, $passed) = $t->test_config($frame =~ s/LINE/$line/r);
    ok $passed && $text !~ /\[(?:warn|error|emerg)\].*x402/, "accepted: $name" or diag $text;
    return;
}

sub warns ($line, $says, $name = $line) {
    my ($text, $passed) = $t->test_config($frame =~ s/LINE/$line/r);
    ok $passed && $text =~ /\[warn\].*$says/, "warned: $name" or diag $text || 'no warning';
    return;
}

# --- what is right

passes("$complete x402_price $_;") for '$0.01', '0.01', '1', '"0.01 USDC"', '$0.000001', '0', '99', '$0.10', '1.0000000';
passes("$complete x402 off;");
passes('x402 off;');
passes("$url x402_accept network=eip155:8453 pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C price=0.05;");
passes("$complete x402_accept amount=5 $asset;");
passes(qq($complete x402_accept network=eip155:43113 amount=5 asset=0x5425890298aed601595a70AB815c96711a31Bc65 'extra={"name":"USD Coin","version":"2"}';));
passes(qq($complete x402_accept network=eip155:43113 price=0.05 decimals=6 asset=0x5425890298aed601595a70AB815c96711a31Bc65 'extra={"name":"USD Coin","version":"2"}';));
passes("$url $network x402_pay_to $_; x402_price 1;")
    for '0x209693bc6afc0c5328ba36faf03c514ef312287c', '0x209693BC6AFC0C5328BA36FAF03C514EF312287C';
passes("x402_facilitator $_; $network $pay_to x402_price 1;")
    for 'https://x402.org/facilitator', 'https://api.example.com/platform/v2/x402/', 'http://[::1]:4021',
    'http://nowhere.invalid/f';

# --- prices

refused_here("$complete x402_price $_;", 'price')
    for '-1', '+1', '1e-3', '.5', '5.', '1,000', '1_000', '$', 'free', '$$1', '0.0000001', '$1$2', '"1 USD C"',
    '"1 NOSUCH"', '0x10', "\xd9\xa1", '1' . '0' x 80;
refused_here("$complete x402_price \"\";", 'price');
refused_here("$complete x402_price 1; x402_price 2;", 'duplicate');
passes("$complete x402_price \$remote_user;");
passes("$url $network x402_price 1; x402_pay_to \$remote_user;");
like $t->config_error($frame =~ s/LINE/$complete x402_price \$nowhere;/r),
    qr/\[emerg\].*unknown "nowhere" variable/, 'refused: an unknown variable, in the words of nginx';
refused("$complete x402_refuse_status $_; x402_price 1;", 'is not a value of x402_refuse_status; write 402 or 403|arguments')
    for '401', '404', 'on', '402 403';
refused("$complete x402_malformed_status $_; x402_price 1;", 'write 402 or 400|arguments') for '401', '403', 'on', '402 400';
refused("$complete x402_validity $_; x402_price 1;", 'write min= or max=|must be a time of at most 7d|is duplicate|less than max=|arguments')
    for '', '60s', 'min', 'min=', 'max=x', 'max=-1', 'max=8d', 'min=1s min=2s', 'min=60s max=60s', 'min=2h max=1h', 'least=1s',
    'min=1s max=2s max=3s';
passes("$complete x402_validity $_; x402_price 1;") for 'min=0', 'max=7d', 'min=30s max=1h', 'max=1h min=30s';

# Where neither the end of a payment nor all of its forms are known, only a settlement keeps it from being used twice.
for (
    [ 'sui:mainnet',    'pay_to=0x' . 'ab' x 32 . ' amount=1 asset=0x2::sui::SUI decimals=9' ],
    [ 'aptos:1',        'pay_to=0x' . 'ab' x 32 . ' price=1' ],
    [ 'stellar:testnet', 'pay_to=CCW67TSZV3SSS2HXMBQ5JFGCKJNXKZM7UQUWUZPUTHXSTZLEO7SJMI75 price=1' ],
    [ 'hedera:mainnet', 'pay_to=0.0.5 amount=1 asset=0.0.0 decimals=8' ],
    [ 'kaspa:mainnet',  'pay_to=x amount=1 asset=y decimals=2' ],
) {
    my ($network, $terms) = @$_;
    refused("$url x402_settle off; x402_accept network=$network $terms;",
        qq{"x402_settle off" cannot sell on "$network": .*write "x402_settle after" or "x402_settle before"});
    unlike $t->config_error($frame =~ s/LINE/$url x402_accept network=$network $terms;/r), qr/cannot sell/,
        "$network: settled payments are for sale";
}
unlike $t->config_error($frame =~ s/LINE/$url x402_settle off; x402_accept network=$_ price=1;/r), qr/emerg/, "off: $_"
    for 'solana pay_to=CKPKJWNdJEqa81x7CkZ14BVPiY6y16Sxs7owznqtWYp5', 'base pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C';

refused("$complete x402_protocol $_; x402_price 1;", 'same header|write "v2 fast"') for 'v1 fast', 'fast v1', 'fast v2';
refused("$url $pay_to x402_network eip155:196; x402_protocol fast; x402_accept price=1 asset=0x036CbD53842c5426634e7929541eC2318f3dCF7e decimals=6 'extra={\"name\":\"a\",\"version\":\"1\"}';",
    'fast has no name for any network');
refused("$complete x402_protocol $_; x402_price 1;", 'protocol|arguments|twice|v2 v1')
    for 'v3', 'V2', 'v2 v2', 'v1 v2', 'v2 v1 v1';
refused("$url $pay_to x402_network eip155:42161; x402_protocol $_; x402_price 1;", 'no name for any network')
    for 'v1', 'v2 v1';

# --- what would silently do something else

refused("$complete x402_accept scheme=upto price=1; x402_charge $_;", 'has two factors; multiply them yourself')
    for '$x402_reply_usage*2*3', '$x402_reply_usage*$arg_a*2';
like $t->config_error($frame =~ s/LINE/$complete x402_accept scheme=upto price=1; x402_charge \$$_;/r),
    qr/\[emerg\].*\$$_ has no member name; write one after it/, "refused: \$$_" for 'x402_reply_', 'x402_answer_';
refused("$complete x402 $_;", qq{"x402 $_" has no price to ask for; write x402_price}) for 'on', 'shadow';
refused("$complete x402_price 1; x402_ledger on;", 'needs a path, syslog:... or off');
refused("$complete x402_price 1; x402_ledger a flush=x;", 'write one such as flush=1s');
refused("$complete x402_price 1; x402_paywall $_;", 'write on, wallet or off, or the path of a page') for 'yes', 'walet';
refused("$complete x402_price 1; x402_service name;", 'is not key=value; write one such as "name=My shop"');
refused_here($_, 'each need a location of their own')
    for 'x402_status; x402_manifest openapi;', 'x402_manifest x402; x402_status;', 'x402_did_document did:web:a; x402_status;', 'x402_manifest x402; x402_did_document did:web:a;';
refused_here("$complete x402_price 1; x402_sign_in time=1h $_;", 'cannot be used; write time=30d') for 'file=$uri', 'statement=$uri', 'statement=';
refused("$url $pay_to x402_network base; x402_protocol mpp; x402_accept $_;", 'can ask for none of the ways to pay of this location.*EIP-3009')
    for 'scheme=upto price=1', 'network=solana pay_to=CKPKJWNdJEqa81x7CkZ14BVPiY6y16Sxs7owznqtWYp5 price=1';

# --- who and where

refused("$url $pay_to x402_price 1;", 'network');
refused("$url $network x402_price 1;", 'pay_to');
refused("$network $pay_to x402_price 1;", 'facilitator');
refused("$url x402_network eip155:999999; $pay_to x402_price 1;", '(?:eip155:999999|asset)');
refused("$url x402_network nowhere; $pay_to x402_price 1;", 'nowhere');
refused("$url x402_network $_; $pay_to x402_price 1;", 'network')
    for 'eip155:', ':8453', 'eip155:8453:1', 'EIP155:8453', 'eip155:08453';
refused("$url $network x402_pay_to $_; x402_price 1;", '(?:address|pay_to)')
    for '0x209693Bc6afc0C5328bA36FaF03C514EF312287', '0x209693Bc6afc0C5328bA36FaF03C514EF312287CC',
    '209693Bc6afc0C5328bA36FaF03C514EF312287C00', '0x209693Bc6afc0C5328bA36FaF03C514EF312287G',
    '0x209693bC6afc0C5328bA36FaF03C514EF312287C', '0x0000000000000000000000000000000000000000', 'me';
my $private_key = '0x' . 'a1' x 32;
refused("$url $network x402_pay_to $private_key; x402_price 1;", 'pay_to has the form of a private key, which is not repeated here: write the address');
unlike $t->config_error($frame =~ s/LINE/$url $network x402_pay_to $private_key; x402_price 1;/r), qr/a1a1a1/, 'a private key is not in the message';
refused("$complete x402 on;", 'price');
refused("$complete x402 maybe;", 'maybe|invalid');
refused("$complete x402 shadow;", 'price');

# --- x402_accept

refused_here("$complete x402_accept;", '(?:arguments|x402_accept)');
refused_here("$complete x402_accept $_;", '(?:price|amount|key|accept|decimals|timeout|scheme|asset|extra|facilitator|value|pay_to)')
    for 'price', 'colour=red price=1', 'price=1 price=2', "price=1 amount=1 $asset",
    "amount=1.5 $asset", "amount=01 $asset", "amount=-1 $asset", "amount=x $asset", 'price=1 asset=0x12',
    "price=1 decimals=x $asset", 'price=1 timeout=x', 'price=1 timeout=0', 'price=1 scheme=batch-settlement', 'price=1 scheme=nonsense',
    'price=1 extra={', 'price=1 extra=[]', 'price=1 extra=1', 'price=1 network=solana',
    'price=1 facilitator=other', 'price=';
refused("$complete x402_accept amount=5;", 'asset');
refused("$complete x402_accept price=1 network=eip155:10;", 'asset|network');
refused("$complete x402_accept price=1 network=solana scheme=upto;", 'eip155', 'upto on Solana');
passes("$complete x402_accept $_;")
    for 'price=1 network=megaeth', 'price=1 scheme=upto',
    'price=1 network=solana pay_to=2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4';
refused(qq($complete x402_price 1; x402_description "@{[ 'x' x 3900 ]}"; x402_mime_type "@{[ 'y' x 3900 ]}"; x402_resource "http://@{[ 'z' x 3000 ]}";),
    '8', 'an offer over 8 KB');

# --- facilitator

refused_here("x402_facilitator $_; $network $pay_to x402_price 1;", '(?:facilitator|url|URL|scheme|port|host)')
    for 'x402.org', 'ftp://x402.org', 'http://', 'http://a:0', 'http://a:99999', 'http://a:b', 'http://u:p@a',
    'http://a/?q=1', 'http://a/#f', '"http://a b"', 'unix:/tmp/x',
    'file:///etc/passwd', '$arg_f', 'http://$host', 'http://$http_x_where/f';
refused_here("$complete x402_facilitator_timeout $_; x402_price 1;", '(?:time|parameter|duplicate)')
    for 'verify=0', 'verify=x', 'colour=1s', '1s', 'verify=1s verify=2s', 'verify=-1s';
refused_here("$complete x402_facilitator_max_calls $_; x402_price 1;", '(?:max_calls|value|invalid|number)') for '0', '-1', 'x';
refused("$complete x402_facilitator_ssl_trusted_certificate /nowhere/ca.pem; x402_price 1;", 'nowhere');
refused("$network $pay_to x402_facilitator https://facilitator.example; x402_facilitator_ssl_trusted_certificate $FindBin::Bin/config_errors.t; x402_price 1;",
    'no certificates can be read from "[^"]+config_errors.t"; write the path of a PEM file');

passes("$complete x402_facilitator_header $_; x402_price 1;")
    for 'X-Key abc', 'verify X-Key abc', 'settle X-Key "a b"', 'supported X-Key abc', 'Authorization "Bearer abc"', 'X-Key ""';
refused_here("$complete x402_facilitator_header $_->[0]; x402_price 1;", $_->[1])
    for [ '"" a', 'must not be empty' ], [ 'X-Key: a', 'needs a name' ], [ '"X Key" a', 'needs a name' ],
    [ 'X-Key "a\\r\\nX: b"', 'line break' ], [ '"X-Key\\n" a', 'needs a name' ], [ 'X-Key $arg_key', 'variables' ],
    [ 'X-$arg_key a', 'variables' ], [ 'verify a', 'value is missing' ], [ 'both X-Key a', 'verify, settle or supported' ],
    [ 'supported a', 'value is missing' ],
    map({ [ "$_ a", 'by the module itself' ] } qw(Content-Type content-length Host Expect Transfer-Encoding));
refused_here("$complete x402_facilitator_header X-Key; x402_price 1;", 'number of arguments');

# --- files: extensions and the page for browsers

my $bazaar = '{"info":{"input":{"type":"http"}},"schema":{}}';
$t->write("x/$_->[0]", $_->[1]) for [ 'id.json', '{"info":{"required":true}}' ], [ 'bazaar.json', $bazaar ],
    [ 'list.json', '[]' ], [ 'broken.json', '{"info":' ], [ 'twice.json', '{"info":1,"info":2}' ], [ 'empty', '' ],
    [ 'any.json', '{"any":1}' ], [ 'long.json', '{"a":"' . 'a' x 7000 . '"}' ], [ 'huge.json', ' ' x 70_000 ],
    [ 'page.html', 'a $5 b ${x402_price}' ], [ 'typo.html', 'a $x402_prize' ], [ 'huge.html', ' ' x 300_000 ];
my $x = $t->dir . '/x';

passes("$complete x402_price 1; x402_extension $_;")
    for "payment-identifier $x/id.json", "any $x/any.json", "bazaar $x/bazaar.json", 'off',
    "bazaar $x/bazaar.json route=/a/:b", "any $x/any.json; x402_extension payment-identifier $x/id.json";
refused_here("$complete x402_price 1; x402_extension $_->[0];", $_->[1])
    for [ 'any', 'needs a file' ], [ "\"\" $x/any.json", 'not the name' ], [ "\"a b\" $x/any.json", 'not the name' ],
    [ "any $x/none.json", "$x/none.json.*cannot be opened" ], [ "any $x", 'not a regular file' ], [ 'any ""', 'needs a name' ],
    [ "any $x/empty", "$x/empty.*not JSON" ], [ "any $x/broken.json", 'not JSON' ], [ "any $x/twice.json", 'not JSON' ],
    [ "any $x/list.json", 'not a JSON object' ], [ "any $x/long.json", 'shorten' ], [ "any $x/huge.json", 'shorten' ],
    [ "payment-identifier $x/any.json", 'required' ], [ "builder-code $x/any.json", 'does not name an app' ],
    [ "sign-in-with-x $x/any.json", 'write x402_sign_in' ], [ "bazaar $x/bazaar.json /a/:b", 'route=' ],
    [ "bazaar $x/bazaar.json route=", 'route=' ], [ "bazaar $x/bazaar.json route=/a", 'says what varies' ],
    [ "any $x/any.json route=/a/:b", 'only of use' ], [ "any $x/any.json; x402_extension any $x/any.json", 'twice' ],
    [ "off; x402_extension any $x/any.json", '"x402_extension off" stands alone' ],
    [ "any $x/any.json; x402_extension off", '"x402_extension off" stands alone' ], [ 'off; x402_extension off', '"x402_extension off" stands alone' ];

$t->write('x/large.json', '{"a":"' . 'a' x 5000 . '"}');
my $twice = "x402_extension a $x/large.json; x402_extension b $x/large.json;";
refused("$complete x402_price 1; $twice", 'extensions', 'extensions that make an offer of over 8 KB');
refused("$complete x402_price 1; location /in/ { $twice }", 'extensions', 'also beside an inherited price');

passes("$complete x402_price 1; x402_paywall $_;") for 'on', 'off', "$x/page.html";
refused_here("$complete x402_price 1; x402_paywall $_->[0];", $_->[1])
    for [ "$x/none.html", "$x/none.html.*cannot be opened" ], [ "$x/empty", 'is empty' ], [ "$x/huge.html", 'shorten' ],
    [ 'on; x402_paywall off', 'duplicate' ];
like $t->config_error($frame =~ s{LINE}{$complete x402_price 1; x402_paywall $x/typo.html;}r), qr/unknown "x402_prize" variable/,
    'a variable that does not exist';

# --- the rest

refused("$complete x402_settle off; x402_accept scheme=upto price=1;", 'scheme "upto" is charged for what.*x402_settle after');
refused_here("$complete x402_verify sometimes; x402_price 1;", '"sometimes" is not a value of x402_verify; write remote, local, trusted or off');
refused_here("$complete x402_verify off; x402_verify off; x402_price 1;", 'is duplicate');
refused_here("$complete $_ maybe; x402_price 1;", "\"maybe\" is not a value of $_; write \\w+ or \\w+") for qw(x402_unproven x402_batch x402_settle_failure);
refused("$complete x402_settle off; x402_verify off; x402_price 1;", 'x402_settle off.*verify is all that stands.*remove x402_verify');
passes("$complete x402_verify $_; x402_price 1;") for qw(remote off);
refused_here("$complete x402_settle sometimes; x402_price 1;", '(?:sometimes|invalid)');
refused_here("$complete x402_settle never; x402_price 1;", 'after, before or off');
refused_here("$complete x402_settle_buffer x; x402_price 1;", 'invalid');
refused_here("$complete x402_settle_wait x; x402_price 1;", 'invalid');
refused_here("$complete x402_timeout $_; x402_price 1;", '(?:timeout|invalid|value)') for 'x', '0', '-1';
refused_here("$complete x402_methods $_; x402_price 1;", '(?:method|invalid)') for 'G(T', '""', 'get';
refused_here("$complete x402_unproven maybe; x402_price 1;", '(?:maybe|invalid)');
refused_here("$complete x402_forward_payment maybe; x402_price 1;", '(?:maybe|invalid|on)');
refused_here('x402_zone x402:1m;', 'not allowed here');
for my $zone ('x402', 'x402:', ':1m', 'x402:1', 'x402:x', 'x402:1m more', 'x402:1m journal=', 'x402:1m journal=a more') {
    my $text = $t->config_error($frame =~ s/LINE//r =~ s/http \{/http { x402_zone $zone;/r);
    like $text, qr/\[emerg\].*tested\.conf:3/, "refused: x402_zone $zone";
}
like $t->config_error($frame =~ s/LINE//r =~ s/http \{/http { x402_zone a:1m; x402_zone b:1m;/r),
    qr/\[emerg\].*duplicate.*tested\.conf:3/, 'refused: two zones';

refused_here("$complete x402_cors $_; x402_price 1;", 'origin')
    for 'true', '*', 'app.example.com', 'https://', 'https://app.example.com/', 'https://App.example.com', '$http_origin',
    '"https://a.example https://b.example"', '""';
passes("$complete x402_cors $_; x402_price 1;")
    for qw(on off https://app.example.com http://localhost:3000 http://[::1]:80 chrome-extension://abc);

refused_here("$complete x402_unpaid_body $_; x402_price 1;", $_ eq 'text/plain' ? 'arguments' : 'media type')
    for 'text/plain', 'json x', '/x x', 'text/ x', '"" x', '$type x';

# Plans and credits.
my $key = $t->write('nvm.key', "sandbox:a-key\n");
chmod 0600, $key;
my $plans = "x402_protocol nevermined; x402_nevermined sandbox key_file=$key;";
passes("$plans x402_accept plan=1;", 'a plan');
passes("$plans x402_token_header a b-c; x402_settle_failure reject; x402_accept scheme=nvm plan=1 credits=\$host agent=a;", 'all of it');
passes("x402_nevermined $_ key_file=$key; x402_protocol nevermined; x402_accept plan=1;", "environment $_") for 'sandbox', 'http://127.0.0.1:1/a';
warns("x402_nevermined $_ key_file=$key; x402_protocol nevermined; x402_accept plan=1;", 'one of sandbox', "another environment: $_")
    for 'live', 'staging_live', 'staging_sandbox';
refused_here("x402_nevermined $_; x402_price 1;", 'number of arguments') for '', 'sandbox', 'sandbox a b';
refused_here("x402_nevermined $_ key_file=$key; x402_price 1;", '(?:environment|url|URL|http)') for 'Sandbox', 'prod', 'ftp://a', 'http://';
refused_here("x402_nevermined sandbox $_; x402_price 1;", '(?:key|file)') for $key, 'key_file=', 'key_file=/nowhere/at/all', 'key_file=/dev/null';
refused_here("$plans x402_nevermined sandbox key_file=$key;", 'duplicate');
refused_here("x402_protocol $_; x402_price 1;", 'cannot be combined') for 'v2 nevermined', 'nevermined v1';
refused_here("x402_token_header $_;", 'header') for 'a:b', '""', 'a_b';
refused("$plans x402_accept $_;", 'plan') for 'plan=x', 'plan=' . '9' x 79, 'credits=1', 'plan=1 price=1', 'plan=1 pay_to=a', 'plan=1 amount=1 asset=b';
refused("$plans x402_accept plan=1 credits=$_;", 'credits') for 'x', '-1', '1.5', '01';
refused("$plans x402_accept plan=1; x402_accept plan=2 credits=2;", 'credits');
refused("$plans x402_accept plan=1 scheme=exact;", 'scheme');
refused("$plans $complete x402_price 1;", 'plan');
refused("x402_protocol nevermined; x402_accept plan=1;", 'x402_nevermined');
refused("$plans x402_settle before; x402_accept plan=1;", 'x402_settle');
passes("$plans x402_settle off; x402_accept plan=1;", 'tokens without credits');
refused("$complete x402_accept $_;", 'nevermined') for 'plan=1', 'price=1 credits=1', 'price=1 agent=a';
refused("$complete x402_settle_failure deliver; x402_price 1;", 'nevermined');
passes("$complete x402_settle_failure reject; x402_price 1;");
refused_here("x402_settle_failure maybe;", '(?:maybe|invalid)');
refused_here("x402_read_body $_;", '(?:invalid|value)') for 'x', '-1';
chmod 0644, $key;
warns("$plans x402_accept plan=1;", '0644', 'a key that others may read');

# --- books

refused_here("x402_status $_;", 'write html, json or prometheus') for qw(xml openmetrics HTML);
refused_here('x402_status; x402_status json;', 'duplicate');
refused_here("x402_label $_;", $_ =~ /\$/ ? 'takes no variables' : '1 to 128 bytes') for '""', 'x' x 129, '$uri';
refused_here('x402_label a; x402_label b;', 'duplicate');
refused_here("x402_ledger $_->[0];", $_->[1]) for
    [ 'off buffer=4k', 'stands alone' ], [ 'l format=csv', 'unknown format' ], [ 'l buffer=1k', 'at least 4k' ],
    [ 'l buffer=x', 'invalid buffer size' ], [ 'l flush=0', 'invalid flush time' ], [ 'l size=4k', 'unknown or repeated parameter' ],
    [ 'l buffer=4k buffer=8k', 'repeated parameter "buffer=8k"' ], [ 'l flush=1s flush=2s', 'repeated parameter' ],
    [ '/', 'is a folder; write the path of a file' ], [ 'none/ledger', 'cannot be made: the folder "\S*/none/" cannot be used .2: No such file or directory.; make it' ],
    [ '$uri', 'takes no variables' ], [ '""', 'needs a path' ], [ 'syslog:server=127.0.0.1 buffer=4k', 'line by line' ],
    [ 'a; x402_ledger b', 'duplicate' ], [ 'syslog:host=x', 'syslog' ];
POSIX::mkfifo($t->dir . '/pipe', 0600) or die $!;
refused_here('x402_ledger pipe;', 'pipe" is a pipe that cannot be written now .*, so that nginx would wait for its reader');
{
    sysopen my $reader, $t->dir . '/pipe', Fcntl::O_RDONLY() | Fcntl::O_NONBLOCK() or die $!;
    passes("$complete x402_price 1; x402_ledger pipe;", 'a ledger that is a pipe with a reader');
}
{
    my $pid = open my $cat, '-|', 'cat', $t->dir . '/pipe' or die $!;
    $t->wait_for(sub { open my $stat, '<', "/proc/$pid/stat" or return; <$stat> =~ /\(cat\) S/ });
    passes("$complete x402_price 1; x402_ledger pipe;", 'one whose reader ends when nothing has it open for writing');
    close $cat;
}
# Lines of a log would be read as a torn end of the journal.
my $zone = 'x402_zone x402:1m journal=payments;';
my $journal = $frame =~ s/LINE/$complete x402_price 1;/r =~ s/server \{/$zone WORD $&/r;
my $unpaid = $frame =~ s/LINE//r =~ s/server \{/$zone $&/r;
sub taken ($conf, $file, $name) {
    like $t->config_error($conf), qr/\[emerg\].*\/\Q$file\E" belongs to the journal of x402_zone, and .*; write another path there/, "refused: $name";
    return;
}
for my $file (map {"payments$_"} '', qw(.2 .lock .new .events .events.2)) {
    taken($journal =~ s/WORD/x402_ledger $file;/r, $file, "a ledger in $file");
    taken(($journal =~ s/WORD//r) . "error_log $file;\n", $file, "a log behind http {} in $file");
}
taken($journal =~ s/WORD/error_log payments;/r, 'payments', 'a log in the journal');
taken($unpaid . "error_log payments.2;\n", 'payments.2', 'one where nothing is sold');
taken($unpaid =~ s/server \{/access_log payments; $&/r, 'payments', 'an access log where nothing is sold');
taken($t->filled($unpaid) =~ s/pid \S+;/pid payments;/r, 'payments', 'the pid of nginx in the journal');
my $signing = "x402_seal_key @{[ key_file('signing.key', 'k' x 64) ]}; x402_sign_in time=1h origin=https://a.example zone=bought:1m file=@{[ $t->dir ]}";
taken($journal =~ s/WORD/$signing\/payments.2;/r, 'payments.2', 'what x402_sign_in remembers in the journal');
like $t->config_error($journal =~ s/WORD/$signing\/bought; error_log bought;/r), qr/bought" belongs to x402_sign_in, and a log or ledger/,
    'refused: a log in the file of x402_sign_in';
$t->write('payments', '');
link $t->dir . '/payments', $t->dir . '/another' or die $!;
symlink $t->dir, $t->dir . '/elsewhere' or die $!;
taken($journal =~ s/WORD/x402_ledger another;/r, 'another', 'by another name');
taken(($journal =~ s/WORD//r) . "error_log elsewhere/payments.2;\n", 'payments.2', 'by another way');
unlink $t->dir . '/payments';
{
    my ($text, $passed) = $t->test_config(($journal =~ s/WORD//r) . "error_log other;\n");
    ok $passed, 'accepted: a log behind http {} in a file of its own' or diag $text;
}

# --- warnings

warns("$url x402_accept network=base price=1 pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C; "
    . 'x402_accept network=base-sepolia price=1 pay_to=0x209693Bc6afc0C5328bA36FaF03C514EF312287C;', 'test', 'test money beside real money');
warns(qq($complete x402_price 1; x402_description "@{[ 'x' x 3000 ]}";), '3', 'an offer over 3.5 KB');
warns("$complete x402_price 1; x402_accept price=2;", 'price', 'a price that no accept uses');

warns("$complete x402_price 1; error_page 404 /in/none; location /in/ { x402_price 1; }", 'error_page',
    'an error page that is for sale');

# --- passes

my $pass_key = 'x402_seal_key ' . key_file('good.key', 'k' x 64 . "\n") . ';';
my $sold = "$complete x402_price 1;";
passes("$sold $pass_key x402_pass time=1h requests=100 scope=server token=header key=\$remote_addr zone=passes:1m;", 'a pass');
passes("$sold x402_pass off;", 'no pass');
refused_here("x402_pass $_;", 'cannot be used; write time=1h')
    for 'time=0', 'time=x', 'time=400d', 'time=', 'time=1h requests=0', 'requests=-1', 'time=1h requests=x', 'time=1h scope=',
    'time=1h scope=$host', 'time=1h scope=URL', 'time=1h scope=uri', 'time=1h scope=servr', 'time=1h scope=Location', 'time=1h scope=path', 'time=1h token=body', 'time=1h key=constant', 'hours=1', 'on', 'off time=1h';
refused_here('x402_pass scope=server;', 'has no end');
refused_here("$_->[0];", "$_->[1]= is written twice")
    for ['x402_pass time=1h time=2h', 'time'], ['x402_sign_in time=1h scope=url scope=server', 'scope'], ['x402_mpp realm=a realm=b', 'realm'],
    ['x402_sign_offers transaction=off transaction=on key=a', 'transaction'], ['x402_facilitator_proxy http://proxy:3128 user=a user=b', 'user'];
refused_here('x402_pass time=1h zone=a:1m;', 'write requests= too');
refused_here('x402_pass time=1h requests=1 zone=a:1k;', 'at least 32k');
warns("$sold $pass_key x402_pass time=1h requests=1 zone=nowhere;", 'zone "nowhere" has no size, so it gets 1m; write zone=nowhere:1m');
warns("$sold $pass_key x402_sign_in time=1h origin=https://a.example zone=nowhere;", 'zone "nowhere" has no size, so it gets 1m; write zone=nowhere:1m');
warns("$sold x402_limit_payer rate=1r/s zone=nowhere;", 'zone "nowhere" has no size, so it gets 1m; write zone=nowhere:1m');
refused_here("$sold x402_seal_key no/such.key; x402_pass time=1h;", 'such\.key" cannot be opened; make one with "openssl rand -hex 32", mode 0600, or correct the path.*No such file');
refused_here("$sold x402_mpp key=no/such.key;", 'cannot be opened; make one with "openssl rand -hex 32"');
refused_here("$sold x402_sign_offers key=no/such.pem;", 'cannot be opened; make one with "openssl genpkey -algorithm ed25519"');
refused_here("$sold x402_extension merchant no/such.json;", 'cannot be opened; correct the path');
refused_here('x402_pass time=1h requests=1 zone=:1m;', 'has no name');
refused_here('x402_pass time=1h; x402_pass off;', 'is duplicate');
refused_here("$pass_key $pass_key", 'is duplicate');
refused_here('x402_seal_key ' . key_file('short.key', 'k' x 31 . "\n") . ';', 'is too short for a key');
refused_here('x402_seal_key nowhere.key;', 'cannot be opened');
warns('x402_seal_key ' . key_file('open.key', 'k' x 64, 0644) . ';', 'accessible to users other than its owner \(mode 0644\)', 'a key for all');
refused("$sold x402_pass time=1h;", 'needs a key: write x402_seal_key');
refused("$sold $pass_key x402_settle off; x402_pass time=1h;", 'needs a settlement, and this location has none');
refused("$complete $pass_key x402_accept scheme=upto price=1; x402_pass time=1h;", 'cannot be combined with scheme "upto"');

# --- signatures

sub in_server ($server, $location) { return $frame =~ s/listen [^;]*;/$& $server/r =~ s/LINE/$location/r }
my ($said) = $t->test_config(in_server('server_name shop;', "$sold $pass_key x402_sign_in time=30d scope=url \"statement=Come back\" origin=https://a.example zone=bought:1m file=@{[ $t->dir ]}/bought;"));
unlike $said, qr/emerg/, 'accepted: x402_sign_in';
refused_here("x402_sign_in $_;", 'cannot be used; write time=30d')
    for 'time=0', 'time=', 'scope=$host', 'origin=a.example', 'origin=https://a/b', 'origin=ftp://a', 'origin=https://', 'statement=' . 'x' x 201, 'statement=', 'key=a', 'on', 'file=';
refused_here('x402_sign_in scope=url;', 'how long a payment counts');
refused_here('x402_sign_in time=1h zone=a:1k;', 'at least 32k');
refused_here('x402_sign_in time=1h zone=a:1m file=/a; x402_sign_in off;', 'is duplicate');
refused_here("x402_sign_in time=1h zone=a:1m file=/a; location /b { x402_sign_in time=1h zone=a:1m file=/c; }", 'has the file');
refused("$sold x402_sign_in time=1h;", 'needs a key: write x402_seal_key');
refused("$sold $pass_key x402_sign_in time=1h;", 'write server_name, or origin=');
refused("$sold $pass_key x402_settle off; x402_sign_in time=1h;", 'needs a settlement, and this location');
refused("$complete $pass_key x402_accept scheme=upto price=1; x402_sign_in time=1h;", 'cannot be combined with scheme "upto"');
my ($secret) = $t->test_config($frame =~ s/LINE/x402_seal_key @{[ key_file('bad.key', 'secret' x 4) ]};/r);
unlike $secret, qr/secretsecret/, 'no byte of a key is printed';

# -t says how much a zone holds, and does not touch the network.
my ($text) = $t->test_config($frame =~ s/LINE/$complete x402_price 1;/r =~ s/http \{/http { x402_zone x402:1m;/r);
like $text, qr/\d+ claims/, 'how many claims a zone holds';
my $start = time;
$t->test_config($frame =~ s/LINE/$network $pay_to x402_facilitator http:\/\/nowhere.invalid; x402_price 1;/r);
cmp_ok time - $start, '<', 8, 'no look-up during -t';

# --- a wrong configuration is refused at reload, and the old one serves on

$t->conf($frame =~ s/LINE/$complete x402_price 1;/r);
$t->start;
is $t->get('/')->status, 402, 'running';
my @workers = $t->workers;
$t->conf($frame =~ s/LINE/$complete x402_price x;/r);
ok $t->reload_refused(qr/\[emerg\].*price/), 'a reload is refused';
is join(' ', $t->workers), "@workers", 'the old workers stay';
is $t->get('/')->status, 402, 'and serve';

finish;
