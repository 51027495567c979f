# SPDX-License-Identifier: Apache-2.0
# x402_read_body: the price from a field of the request's JSON body, which the
# upstream still gets whole; and bodies that no price can be taken from.

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
    map $x402_body_model $price { large 0.05; default 0.01; }
    map $x402_body_model $exact { "" 0.01; small 0.01; default 0.05; }
    log_format body '$x402_body_model|$x402_body_n|$x402_body_flag|$x402_body_maxTokens|$x402_body_list|$x402_body_none';
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        access_log %%DIR%%/body.log body;
        add_header X-State "$x402_state $x402_reason" always;
        client_max_body_size 10m;
        proxy_http_version 1.1;
        location /small {
            x402_price $price;
            x402_read_body 1k;
            proxy_pass http://%%BACKEND%%;
        }
        location /filed {
            x402_price $price;
            x402_read_body 1m;
            client_body_buffer_size 1k;
            client_body_in_file_only clean;
            proxy_pass http://%%BACKEND%%;
        }
        location /spilled {
            x402_price $price;
            x402_read_body 1m;
            client_body_buffer_size 1k;
            proxy_pass http://%%BACKEND%%;
        }
        location /direct {
            x402_price $price;
            x402_read_body 64k;
            proxy_request_buffering off;
            proxy_pass http://%%BACKEND%%;
        }
        location /exact { x402_price $exact; x402_read_body 1k; proxy_pass http://%%BACKEND%%; }
        location /moved { x402_price $price; x402_read_body 1k; rewrite ^ /small last; }
        location /page {
            x402_price $price;
            x402_read_body 1k;
            error_page 400 413 = /page/error;
            proxy_pass http://%%BACKEND%%;
        }
        location = /page/error { x402 off; internal; return 200 "fix it\n"; }
        location /never { x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /open { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

sub price_of ($answer) { return (offer($answer) // { accepts => [ {} ] })->{accepts}[0]{amount} // 'none' }
sub ask ($path, $body, %options) { return $t->ask(POST => $path, body => $body, %options) }

# The offer for this very body, paid.
sub buy ($path, $body, %options) {
    my $offer = offer(ask($path, $body, %options)) // return ask($path, $body, %options);
    return ask($path, $body, %options, headers => [ 'PAYMENT-SIGNATURE' => payment($offer), ($options{headers} // [])->@* ]);
}

# --- the price, and the body ------------------------------------------------------------

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $name = @$via ? 'HTTP/2' : 'HTTP/1.1';
    is price_of(ask('/small', '{"model":"large"}', @$via)), '50000', "$name: a field decides";
    is price_of(ask('/small', '{"model":"tiny"}', @$via)), '10000', "$name: another value";
    is price_of(ask('/small', '', @$via)), '10000', "$name: no body";
    is price_of($t->get('/small', @$via)), '10000', "$name: GET";
    for my $path (qw(/small /filed /spilled /direct)) {
        $_->forget for $f, $up;
        my $body = '{"model":"large","text":"' . 'z' x ($path eq '/small' ? 900 : 20000) . '"}';
        my $r = buy($path, $body, @$via);
        is $r->status, 200, "$name: $path is sold";
        is $f->asked('settle')->{paymentRequirements}{amount}, '50000', "$name: $path: for its price";
        my ($request) = $up->requests;
        is length $request->{body}, length $body, "$name: $path: the upstream has it whole";
        is $request->{body}, $body, "$name: $path: and unchanged";
        is $up->hits, 1, "$name: $path: once";
    }
}
$_->forget for $f, $up;
$t->allow(qr/body_\.\.\. was read where the body is not known/);
is ask('/never', '{"model":"large"}')->status, 500, 'a location that does not read sells nothing by the body';
is $f->calls, 0, 'and no facilitator was asked';

# The chunks of a client that does not say how much it sends.
my $body = '{"model":"large"}';
my $c = $t->connect;
my $json = "Content-Type: application/json\r\n";
$c->send("POST /small HTTP/1.1\r\nHost: a\r\n${json}Transfer-Encoding: chunked\r\n\r\n5\r\n" . substr($body, 0, 5) . "\r\n");
sleep 0.1;
$c->send(sprintf "%x\r\n%s\r\n0\r\n\r\n", length($body) - 5, substr $body, 5);
is price_of($c->answer(method => 'POST')), '50000', 'in pieces';
$c->send("POST /small HTTP/1.1\r\nHost: a\r\n${json}Content-Length: " . length($body) . "\r\nExpect: 100-continue\r\n\r\n");
my $invited = '';
ok $t->wait_for(sub { $invited .= $c->rest(0.01); $invited =~ /100 Continue/ }), 'a client that waits to be asked is asked';
$c->send($body);
is price_of($c->answer(method => 'POST')), '50000', 'and told the price';
is $c->request('GET', '/open')->status, 200, 'the connection goes on';

# A price that was offered for one body buys no other.
$_->forget for $f, $up;
my $cheap = offer(ask('/small', '{"model":"tiny"}'));
my $r = ask('/small', '{"model":"large"}', headers => [ 'PAYMENT-SIGNATURE' => payment($cheap) ]);
is $r->status, 402, 'paid for the cheap one, asked for the expensive one';
is $f->calls, 0, 'no facilitator was asked';
ok $up->untouched, 'not served';

# A text is that text: what is nearly a cheap name has the price of any other.
is price_of(ask('/exact', qq({"model":"$_->[0]"}))), $_->[1], "a name: $_->[2]"
    for [ small => 10000, 'as it is' ], [ '\\u0073mall', 10000, 'escaped' ],
    [ 'small ', 50000, 'a space behind' ], [ ' small', 50000, 'a space in front' ], [ 'small\\n', 50000, 'a line end' ],
    [ 'small\\u00a0', 50000, 'a space that is not ASCII' ], [ "sm\xc3\xa5ll", 50000, 'another letter' ], [ ' ', 50000, 'a space alone' ],
    [ 'sm\\"all', 50000, 'a quote' ];

is price_of(ask('/moved', '{"model":"large"}')), '50000', 'read in the location that serves';

# --- what no price can be taken from -------------------------------------------------------

$_->forget for $f, $up;
for my $case (
    [ '{"model":"tiny","model":"large"}' => 400, 'a member twice' ],
    [ '{"model":"tiny","MODEL":"large"}' => 400, 'a member twice, but for the case' ],
    [ '{"model":"large"' => 400, 'cut short' ], [ 'model=large' => 400, 'a form' ], [ '{"model":"large"} x' => 400, 'more behind it' ],
    [ "{\"model\":\"\xff\"}" => 400, 'no UTF-8' ], [ "\xef\xbb\xbf{\"model\":\"large\"}" => 400, 'a byte order mark' ],
    [ '[{"model":"large"}]' => 400, 'an array' ], [ '"large"' => 400, 'a text' ], [ '7' => 400, 'a number' ], [ 'null' => 400, 'null' ],
    [ '[' x 500 => 400, 'deep' ], [ '{"text":"' . 'x' x 1100 . '"}' => 413, 'large' ], [ ' ' x 1025 => 413, 'large and blank' ],
) {
    my ($text, $status, $name) = @$case;
    for my $via ([], [ h2 => 1, port => 'h2' ]) {
        is ask('/small', $text, @$via)->status, $status, "$name: $status";
        is ask('/small', $text, @$via, headers => [ 'PAYMENT-SIGNATURE' => payment($cheap) ])->status, $status, "$name: paid, too";
    }
}
$c = $t->connect;
$c->send("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" . sprintf("%x\r\n%s\r\n", 2000, 'x' x 2000) . "0\r\n\r\n");
is $c->answer(method => 'POST')->status, 413, 'chunks that are too many';
$c = $t->connect;
$c->send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n");
is $c->answer(method => 'POST')->status, 413, 'too large: refused before it is sent';
for my $case ([ '{' => 400, 'invalid' ], [ 'x' x 2000 => 413, 'too_large' ]) {
    my ($text, $status, $word) = @$case;
    $r = ask('/small', $text);
    is $r->body, qq({"error":"request_body_$word","charged":false}), "$status says what is wrong";
    is $r->header('Content-Type'), 'application/json', 'as JSON';
    is $r->header('X-State'), "failed request_body_$word", 'and variables say so';
}
is ask('/page', '{')->body, "fix it\n", 'an error page of one\'s own';
is ask('/page', 'x' x 2000)->body, "fix it\n", 'for both';
is $f->calls, 0, 'no facilitator was asked about any of them';
ok $up->untouched, 'and the backend did not see them';

# What headers make another text of.
my $both = '{"model":"tiny","text":"&model=large&"}';
for my $case (
    [ 'Content-Type' => 'application/x-www-form-urlencoded' => 400 ], [ 'Content-Type' => 'Application/X-WWW-Form-Urlencoded; a=b' => 400 ],
    [ 'Content-Type' => 'multipart/form-data; boundary=x' => 400 ], [ 'Content-Type' => 'application/json; charset=utf-7' => 400 ],
    [ 'Content-Type' => 'application/json;CHARSET = "UTF-16LE"' => 400 ], [ 'Content-Type' => 'text/plain;charset=utf-8;charset=utf-7' => 400 ],
    [ 'Content-Type' => '' => 400 ], [ 'Content-Type' => 'json' => 400 ], [ 'Content-Type' => '*/*' => 400 ], [ 'Content-Type' => '+json' => 400 ],
    map({ [ 'Content-Type' => $_ => 400 ] } qw(application/x-url-encoded application/yaml text/yaml application/octet-stream text/html
        application/jsonp application/x-ndjson multipart/x+json), 'application/x-www-form-urlencoded, application/json',
        'application/yaml,a/b+json', 'application/json, application/yaml', 'application/yaml +json',
        'application/json; charset=utf-8, text/yaml', 'application/json; a="application/x-www-form-urlencoded"'),
    [ 'Content-Encoding' => 'gzip' => 400 ], [ 'Content-Encoding' => 'identity, deflate' => 400 ],
    [ 'Content-Type' => 'application/json; charset="UTF-8"' => 402 ], [ 'Content-Type' => 'text/plain;charset=UTF-8' => 402 ],
    [ 'Content-Type' => 'application/vnd.api+json' => 402 ], [ 'Content-Type' => 'Application/JSON ; a=b' => 402 ], [ 'Content-Type' => 'text/json' => 402 ], [ 'Content-Encoding' => 'Identity' => 402 ],
) {
    my ($header, $value, $status) = @$case;
    is ask('/small', $both, @$_, headers => [ $header => $value ])->status, $status, "$header: $value: $status" for [], [ h2 => 1, port => 'h2' ];
    my @paid = (headers => [ $header => $value, 'PAYMENT-SIGNATURE' => payment($cheap) ]);
    is ask('/small', $both, @paid)->status, 400, "$header: $value: paid, too" if $status == 400;
}
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    is ask('/small', $both, type => undef, @$via)->status, 400, 'no type: 400';
    is ask('/small', $both, type => undef, @$via, headers => [ 'PAYMENT-SIGNATURE' => payment($cheap) ])->status, 400, 'no type: paid, too';
    is ask('/small', $both, @$via, headers => [ 'Content-Type' => 'application/json', 'Content-Type' => $_ ])->status, 400, "two types: '$_'"
        for 'application/x-www-form-urlencoded', '';
    is price_of(ask('/small', '', @$via, headers => [ 'Content-Type' => 'application/x-www-form-urlencoded' ])), '10000', 'an empty body has any type';
}
ok $up->untouched, 'the backend did not see them';

# A client that goes while it sends leaves nothing behind.
for (1 .. 3) {
    $c = $t->connect;
    $c->send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
    sleep 0.05;
    $c->hang_up;
}
is price_of(ask('/small', '{"model":"large"}')), '50000', 'others are served on';

# --- as text ----------------------------------------------------------------------------------

unlink $t->dir . '/body.log';
$t->reload;
ask('/small', '{"model":"a\r\nb\"<","n":350,"flag":true,"maxTokens":1.5,"list":[1],"none":null}');
my $log = '';
$t->wait_for(sub { open my $file, '<', $t->dir . '/body.log' or return 0; local $/; ($log = <$file> // '') =~ /\n/ });
is $log, "a??b??|350|true|1.5|-|-\n", 'numbers, strings and truth values are text, the rest is empty';

finish;
