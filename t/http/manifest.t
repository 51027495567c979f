# SPDX-License-Identifier: Apache-2.0
# x402_manifest tells agents what a server sells, in the formats that their tools
# read, and names nothing that strangers are not meant to know.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    map $arg_size $price { large 0.25; default 0.05; }
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        x402_service 'name=Weather "shop"' tags=weather,data icon=https://shop.example/i.png
                     contact=ops@shop.example "guidance=Ask for a city" proof=0x1234;
        location / { proxy_pass http://%%BACKEND%%; }
        location = /weather { x402_price $0.01; x402_description "The weather"; x402_mime_type application/json; proxy_pass http://%%BACKEND%%; }
        location /files/ { x402_price $1.50; proxy_pass http://%%BACKEND%%; }
        location /city/ { x402_price $0.02; x402_extension bazaar %%DIR%%/bazaar.json route=/city/:name; proxy_pass http://%%BACKEND%%; }
        location /orders { x402_price $3; x402_methods POST PUT; proxy_pass http://%%BACKEND%%; }
        location /sized { x402_price $price; x402_service price=0.05-0.25; proxy_pass http://%%BACKEND%%; }
        location /upto { x402_accept scheme=upto price=0.10; x402_service method=POST; proxy_pass http://%%BACKEND%%; }
        location /other { x402_accept network=base-sepolia asset=0x1111111111111111111111111111111111111111 amount=5 decimals=0 'extra={"name":"P","version":"1"}'; proxy_pass http://%%BACKEND%%; }
        location ~ \.pdf$ { x402_price $0.09; x402_service path=/reports/:id.pdf; proxy_pass http://%%BACKEND%%; }
        location /api/ { x402_price $0.03; location /api/inner { proxy_pass http://%%BACKEND%%; } proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-off { x402_price $0.01; x402 off; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-internal { internal; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-password { auth_basic me; auth_basic_user_file %%DIR%%/none; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-deny { allow 10.0.0.0/8; deny all; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-halves { deny 0.0.0.0/1; deny 128.0.0.0/1; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-late { deny all; allow 10.0.0.0/8; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-net { allow 10.0.0.0/8; allow 10.1.0.0/16; deny 11.0.0.0/8; deny 0.0.0.0/0; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-except { limit_except GET { deny all; } x402_methods POST; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /not-them { deny 192.0.2.0/24; deny 198.51.100.7; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /all { allow all; deny all; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /except { limit_except GET { auth_basic me; } x402_methods POST GET GET; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-asks { auth_request /HIDDEN-internal; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /asks { auth_request /HIDDEN-internal; x402_service list=on; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-listoff { x402_service list=off; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location @HIDDEN-named { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location ~ ^/HIDDEN-regex { x402_service list=off; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /either { satisfy any; auth_basic me; auth_basic_user_file %%DIR%%/none; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /a%b?c/ { x402_price $0.04; proxy_pass http://%%BACKEND%%; }
        location = "/sa y/{\"ö\"}" { x402_price $0.04; proxy_pass http://%%BACKEND%%; }
        location /twin { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location = /twin { x402_price $0.02; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-by-off { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location = /HIDDEN-by-off { x402 off; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-by-internal { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location = /HIDDEN-by-internal { internal; x402_price $0.02; proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-by-password { x402_price $0.01; location = /HIDDEN-by-password { auth_basic me; auth_basic_user_file %%DIR%%/none; proxy_pass http://%%BACKEND%%; } proxy_pass http://%%BACKEND%%; }
        location /HIDDEN-by-pattern { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location ~ ^/[A-Z]+-by-pattern$ { x402_service list=off; x402_price $0.02; proxy_pass http://%%BACKEND%%; }
        location ^~ /before-pattern { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location ~ ^/before-pattern$ { x402_service list=off; x402_price $0.02; proxy_pass http://%%BACKEND%%; }
        location /beside { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /bes { x402_price $0.03; location ~ ^/beside$ { x402 off; proxy_pass http://%%BACKEND%%; } proxy_pass http://%%BACKEND%%; }
        location /dav { x402_price $0.01; x402_methods PROPFIND; proxy_pass http://%%BACKEND%%; }
        location /some { x402_price $0.01; x402_methods POST; x402_service method=GET,POST,POST; proxy_pass http://%%BACKEND%%; }
        location = /openapi.json { x402_manifest openapi; }
        location = /based.json { x402_manifest openapi base=%%DIR%%/base.json; }
        location = /.well-known/x402 { x402_manifest x402; if ($arg_x) { set $seen 1; } }
    }
    server {
        listen 127.0.0.1:%%PORT_all%%;
        server_name paid.example;
        x402_price $0.01;
        location / { proxy_pass http://%%BACKEND%%; }
        location = /openapi.json { x402_manifest openapi; }
        location = /sold.json { x402 on; x402_manifest openapi; }
    }
}
EOF
my $t = nginx($text, facilitator => $f, backend => $up);
my $json = JSON::PP->new->canonical;
sub put ($name, $value) { return $t->write($name, $json->encode($value)) }

put('bazaar.json', {
    info => {
        input  => { type => 'http', method => 'GET', queryParams => { days => '3' }, pathParams => { name => 'ulm' } },
        output => { type => 'json', example => { degrees => 7 } },
    },
    schema => { type => 'object', properties => {
        input => { type => 'object', properties => {
            type => { const => 'http' }, method => { type => 'string' },
            queryParams => { type => 'object', properties => { days => { type => 'string' } }, required => ['days'] },
            pathParams => { type => 'object' } } },
        output => { type => 'object', properties => { type => { type => 'string' },
            example => { type => 'object', properties => { degrees => { type => 'number' } } } } },
    } },
});
put('base.json', {
    openapi => '3.1.0', info => { title => 'Mine', version => '7', contact => { url => 'https://mine.example' } },
    paths => {
        '/weather' => { get => { summary => 'My weather', responses => { 200 => { description => 'ok' } } } },
        '/orders' => { get => { summary => 'Free list', responses => {} }, post => { summary => 'Order', responses => {} } },
        '/twin-of-it' => { get => { responses => {} } },
        '/a%25b%3fc/{x}' => { get => { responses => {} } },
        '/files/{name}' => { summary => 'Files', get => { responses => {} } },
        '/health' => { get => { summary => 'Free', responses => {} } },
    },
    components => { schemas => { A => { type => 'string' } } },
});
$up->on('*', body => "SECRET\n");
$t->allow(qr/does not list scheme "upto"/);
$t->start;

sub manifest ($path, %options) { return $json->decode($t->ask('GET', $path, %options)->body) }
sub info ($document, $path, $method = 'get') { return $document->{paths}{$path}{$method}{'x-payment-info'} }

# --- OpenAPI ----------------------------------------------------------------------

my $answer = $t->get('/openapi.json');
is $answer->status, 200, 'it costs nothing';
is $answer->header('Content-Type'), 'application/json', 'and is JSON';
is $answer->header('Access-Control-Allow-Origin'), '*', 'for scripts, too';
my $document = $json->decode($answer->body);
is $document->{openapi}, '3.1.0', 'OpenAPI';
is_deeply $document->{info}, { title => 'Weather "shop"', version => '1.0.0', contact => { email => 'ops@shop.example' },
    'x-guidance' => 'Ask for a city' }, 'the service';
is_deeply $document->{'x-discovery'}, { ownershipProofs => ['0x1234'] }, 'and its proof';
is_deeply [ sort keys $document->{paths}->%* ], [ sort qw(/weather /files/{path} /city/{name} /orders /sized /upto /other
    /reports/{id}.pdf /api/{path} /api/inner /asks /either /not-them /all /except /a%25b%3Fc/{path}
    /sa%20y/%7B%22%C3%B6%22%7D /twin /some /before-pattern /beside /bes) ], 'every paid route, and no other';
unlike $answer->body . $t->get('/.well-known/x402')->body, qr/HIDDEN|openapi\.json/, 'nothing of what is hidden';

my $usdc = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
is_deeply info($document, '/weather'), {
    price => { mode => 'fixed', currency => 'USD', amount => '0.01' }, protocols => [ { x402 => {} } ],
    offers => [ { intent => 'charge', method => 'evm', amount => '10000', currency => $usdc } ] }, 'a price, in both shapes';
my $weather = $document->{paths}{'/weather'}{get};
is $weather->{summary}, 'The weather', 'what it is';
is_deeply $weather->{security}, [], 'no other credentials';
ok $weather->{responses}{402}, 'says 402';
ok $weather->{responses}{200}{content}{'application/json'}, 'and its type';
is_deeply [ sort keys $document->{paths}{'/orders'}->%* ], [qw(post put)], 'the methods that must pay';
ok $document->{paths}{'/orders'}{post}{requestBody}, 'with a body';
is info($document, '/orders', 'post')->{price}{amount}, '3', 'at a price';
is_deeply info($document, '/sized')->{price}, { mode => 'dynamic', currency => 'USD', min => '0.05', max => '0.25' },
    'a price that varies';
is_deeply info($document, '/upto', 'post')->{price}, { mode => 'dynamic', currency => 'USD', min => '0', max => '0.1' }, 'upto';
ok !info($document, '/other')->{price}, 'a token without a currency has no price in one';
is info($document, '/other')->{offers}[0]{amount}, '5', 'but its amount';
is_deeply [ map { join ' ', sort keys $document->{paths}{$_}->%* } '/except', '/some' ], [ 'get', 'post' ],
    'each method once, and none that a stranger may not use, or that is free';
is info($document, '/twin')->{price}{amount}, '0.02', 'an exact location is before a prefix';
my $city = $document->{paths}{'/city/{name}'}{get};
is_deeply [ map {"$_->{in} $_->{name} $_->{example}"} $city->{parameters}->@* ], [ 'path name ulm', 'query days 3' ],
    'parameters of bazaar';
is $city->{responses}{200}{content}{'application/json'}{schema}{properties}{degrees}{type}, 'number', 'and its output';

is $t->ask('HEAD', '/openapi.json')->status, 200, 'HEAD';
is $t->ask('POST', '/openapi.json', body => 'x')->status, 405, 'and no other method';

my $all = manifest('/openapi.json', port => 'all');
is $all->{info}{title}, 'paid.example', 'a server is called by its name';
is_deeply [ sort keys $all->{paths}->%* ], [ '/', '/sold.json' ], 'another server has its own list';
is $t->get('/sold.json', port => 'all')->status, 402, 'a manifest can be sold';

# --- merged into a document of the operator's ------------------------------------------

my $based = manifest('/based.json');
is "$based->{info}{title} $based->{info}{version} $based->{info}{contact}{url}", 'Mine 7 https://mine.example', 'its words win';
is $based->{paths}{'/weather'}{get}{summary}, 'My weather', 'its operations stay';
is info($based, '/weather')->{price}{amount}, '0.01', 'and get the price';
ok $based->{paths}{'/weather'}{get}{responses}{200} && $based->{paths}{'/weather'}{get}{responses}{402}, 'and the 402';
ok !info($based, '/orders', 'get'), 'a method that is free stays free';
is info($based, '/orders', 'post')->{price}{amount}, '3', 'beside one that is not';
is info($based, '/files/{name}')->{price}{amount}, '1.5', 'found by its template';
is info($based, $_->[0])->{price}{amount}, $_->[1], "$_->[0] is that of a location"
    for [ '/twin-of-it', '0.01' ], [ '/a%25b%3fc/{x}', '0.04' ], [ '/twin', '0.02' ];
ok !$based->{paths}{'/files/{path}'}, 'which is not listed twice';
ok !info($based, '/health'), 'free routes stay free';
ok $based->{paths}{'/city/{name}'}, 'what it lacks is added';
ok $based->{components}{schemas}{A}, 'all else is kept';

# --- the resource list --------------------------------------------------------------------

my $list = manifest('/.well-known/x402');
is_deeply manifest('/.well-known/x402?x=1'), $list, 'an if around a set changes nothing';
is $list->{version} . $list->{x402Version}, '12', 'both drafts';
ok +(grep { $_ eq "http://localhost/weather" } $list->{resources}->@*), 'full URLs';
my ($item) = grep { $_->{resource} =~ m{/weather\z} } $list->{items}->@*;
is "$item->{type} $item->{input}{method} $item->{accepts}[0]{amount}", 'http GET 10000', 'what an item has';
($item) = grep { $_->{resource} =~ m{/city/} } $list->{items}->@*;
is $item->{input}{routeTemplate}, '/city/:name', 'a template';
is_deeply [ sort $list->{resources}->@* ], [ sort map {"http://localhost$_"} '/dav', keys $document->{paths}->%* ],
    'the same as in the other, and what that has no words for';
for my $path ('/sa%20y/%7B%22%C3%B6%22%7D', '/a%25b%3Fc/x', '/twin') {
    my ($known) = grep { $_->{resource} =~ m{localhost\Q@{[ $path =~ s/x\z/{path}/r ]}\E\z} } $list->{items}->@*;
    is unpaid($t, $path)->{accepts}[0]{amount}, $known->{accepts}[0]{amount}, "$path is found, at its price";
}

# --- in the offer ---------------------------------------------------------------------------

my $resource = unpaid($t, '/weather')->{resource};
is_deeply [ $resource->@{qw(serviceName tags iconUrl)} ],
    [ 'Weather "shop"', [ 'weather', 'data' ], 'https://shop.example/i.png' ], 'the offer names the service';
is_content paid($t, '/weather'), "SECRET\n", 'and is paid';
ok !exists unpaid($t, '/', port => 'all')->{resource}{serviceName}, 'not elsewhere';

# --- the facilitator's word on extensions ------------------------------------------------------

my $words = encode_base64('{"bazaar":{"status":"rejected","rejectedReason":"no schema"}}', '');
$f->settle(paid => 1, headers => [ 'EXTENSION-RESPONSES' => $words ]);
my $r = paid($t, '/weather');
is $r->status, 200, 'sold';
ok !defined $r->header('EXTENSION-RESPONSES'), 'the client does not see it';
$t->log_like(qr/\[notice\].*reports about extensions: bazaar status=rejected rejectedReason=no schema/, 'the log does');
paid($t, '/weather');
is scalar(() = $t->log =~ /reports about extensions/g), 1, 'once, while it says the same';

# --- at start -----------------------------------------------------------------------------------

sub tested ($change, $to) { return $t->test_config($text =~ s/\Q$change\E/$to/r) }
my $many = join '', map {"location /l$_ { x402_price \$0.01; proxy_pass http://%%BACKEND%%; }\n"} 1 .. 980;
my ($said, $passed) = tested('location = /openapi.json', "${many}location = /openapi.json");
ok $passed && $said !~ /warn/, 'a thousand locations, with the others' or diag $said;
($said) = tested('x402_service path=/reports/:id.pdf;', '');
like $said, qr/\[warn\].*omits 1 locations .*write x402_service path=/, 'a location whose path is not known';
($said) = tested('x402_service price=0.05-0.25;', '');
like $said, qr{\[warn\].*cannot determine the price of "/sized".*write x402_service price=}, 'a price that is not known';
($said, $passed) = tested('x402_manifest x402;', 'x402_manifest off; return 404;');
ok $passed, 'no list' or diag $said;
for my $case (
    [ 'x402_manifest x402;',              'x402_manifest off base=a;',       'write openapi, x402 or off' ],
    [ 'x402_manifest x402;',              'x402_manifest html;',             'write openapi, x402 or off' ],
    [ 'x402_manifest x402;',              'x402_manifest x402 base=a;',      'base= belongs to' ],
    [ 'base=%%DIR%%/base.json',           'base=%%DIR%%/none.json',          'none.json' ],
    [ 'base=%%DIR%%/base.json',           'base=%%DIR%%/nginx.conf',         'is not an OpenAPI document' ],
    [ 'base=%%DIR%%/base.json',           'basis=x',                         'write base=file' ],
    [ 'x402_service list=off;',           'x402_service list=no;',           'write on or off' ],
    [ 'x402_service list=off;',           'x402_service name=$host;',        'takes no variables' ],
    [ 'x402_service list=off;',           'x402_service a=b;',               'write name, tags' ],
    [ 'x402_service list=off;',           'x402_service list=on; x402_service list=off;', 'is duplicate' ],
    [ 'contact=ops@shop.example',         'path=/x',                         'belong to one location' ],
) {
    my ($from, $to, $says) = @$case;
    ($said, $passed) = tested($from, $to);
    ok !$passed && $said =~ /\[emerg\].*\Q$says\E/, "refused: $to" or diag $said;
}

finish;
