# SPDX-License-Identifier: Apache-2.0
# Whatever a path is spelled like, by whatever method and protocol it
# is asked for, content that has a price is not reached without paying it.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    underscores_in_headers on;
    root %%DIR%%/html;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /          { }
        location /files/    { x402_price $0.01; }
        location /alias/    { x402_price $0.01; alias %%DIR%%/html/files/; }
        location /uri/      { x402_price $0.01; proxy_pass http://%%BACKEND%%/; }
        location /nouri/    { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location = /exact   { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location ~ ^/re/(.*) { x402_price $0.01; proxy_pass http://%%BACKEND%%/$1; }
        location /outer/    { location /outer/in/ { x402_price $0.01; proxy_pass http://%%BACKEND%%; } }
        location /named/    { try_files /none @sold; }
        location @sold      { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /inside/   { internal; x402_price $0.01; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT_slashes%%;
        merge_slashes off;
        location /     { }
        location /uri/ { x402_price $0.01; proxy_pass http://%%BACKEND%%/; }
    }
}
EOC
$t->write('html/files/secret.txt', "SECRET\n");
$up->on('*', body => "SECRET\n");
$t->start;

# Every spelling of a path that ever opened a gate somewhere.
sub spellings ($path) {
    my ($front, $last) = $path =~ m{\A(.*)/([^/]*)\z};
    return (
        $path, "/$path", "///$path", "/.$path", "/x/..$path", "/a..b/..$path", "/x/%2e%2e$path", "/%2e$path",
        "/x/.%2E$path", "/..$path", "$front//$last", "$front/./$last", "$front/x/../$last",
        map({"$front$_$last"} '%2F', '%2f', '%252F', '%5C', '\\', '%255C', '/%2e/', '/;x/'),
        map({"$path$_"} ';x', '%00', '%00.html', '%0A', '%0D%0A', '%20', '.', '/', '//', '/.', '/..', '/../', '%2F', '?', '?a',
            '%3F', '%23', '#f', "\xe2\x80\xa8", '%e2%80%a8', '%c0%af', "\xc0\xaf", '%ff', '%', '%zz', '%u002f', "\t", '~', '%3b'),
        uc $path, ucfirst($path) =~ s{\A/(.)}{'/' . uc $1}er, $path =~ s/(\w)/sprintf '%%%02x', ord $1/er,
        $path =~ s/(\w)/sprintf '%%%02X', ord $1/ger, "http://else.example$path", "http:$path", "*",
        "$path?" . 'a' x 2100, "$path/" . 'a' x 2100, "$path/" . 'a' x 9000,
    );
}

my %where = ('' => [qw(/files/secret.txt /alias/secret.txt /uri/a /nouri/a /exact /re/a /outer/in/a /named/a /inside/a)],
    h2 => [qw(/files/secret.txt /uri/a /exact /re/a /outer/in/a /named/a)],
    slashes => [qw(/uri/a)]);
for my $port (sort keys %where) {
    for my $path ($where{$port}->@*) {
        my (@open, %seen);
        for my $spelling (spellings($path)) {
            next if $port eq 'h2' && $spelling =~ m{\A[^/]|\t};
            my $r = $t->get($spelling, $port ? (port => $port) : (), $port eq 'h2' ? (h2 => 1) : ());
            $seen{ $r->status }++;
            push @open, substr $spelling, 0, 80 if $r->raw =~ /SECRET/ || $r->status =~ /\A2/;
        }
        is "@open", '', "no spelling of $path opens it" . ($port && " ($port)") or diag explain \%seen;
        ok $path =~ /inside/ ? !$seen{402} : $seen{402}, "$path has its price" . ($port && " ($port)");
    }
}

# --- methods

my @priced = qw(/files/secret.txt /uri/a /exact);
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my @open;
    for my $path (@priced) {
        for my $method (qw(HEAD OPTIONS TRACE CONNECT PROPFIND COPY get Get G E), 'A' x 1000) {
            my $r = $t->ask($method, $path, @$via);
            push @open, "$method $path" if $r->raw =~ /SECRET/ || $r->status =~ /\A[23]/;
        }
        for my $headers ([ Origin => 'http://a.example', 'Access-Control-Request-Method' => 'GET' ],
            map { [ $_ => 'OPTIONS' ] } qw(X-HTTP-Method-Override X-Method-Override X-HTTP-Method X-Original-Method))
        {
            for my $method (qw(GET POST OPTIONS)) {
                my $r = $t->ask($method, $path, @$via, headers => $headers);
                push @open, "$method $path, @$headers" if $r->status != 402;
            }
        }
        for my $header (qw(X-Original-URL X-Rewrite-URL X-Forwarded-Uri X-Accel-Redirect)) {
            my $r = $t->get($path, @$via, headers => [ $header => '/' ]);
            push @open, "$path, $header" if $r->status != 402;
        }
    }
    is "@open", '', 'no method opens a priced location' . (@$via && ' (HTTP/2)');
}

# --- protocols

sub raw ($bytes) {
    my $c = $t->connect;
    $c->send($bytes);
    $c->shut;
    $c->rest(2);
    $c->hang_up;
    return $c->raw;
}
for my $path (@priced) {
    no_trace raw("GET $path\r\n"), 'SECRET', "HTTP/0.9, $path";
    no_trace raw("GET $path HTTP/1.0\r\n\r\n"), 'SECRET', "HTTP/1.0, $path";
    for my $upgrade ('websocket', 'h2c', 'TLS/1.0', 'connect-ip') {
        no_trace raw("GET $path HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nHTTP2-Settings: AAMAAABk\r\n"
            . "Upgrade: $upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"),
            'SECRET', "upgrade to $upgrade, $path";
    }
}

# Requests sent in part, or before they were asked for.
no_trace raw("GET /uri/a HTTP/1.1\r\nHost: a\r\nX-Half: "), 'SECRET', 'half a header';
no_trace raw("POST /uri/a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n"), 'SECRET',
    '100-continue without a body';
no_trace raw("POST /uri/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), 'SECRET',
    'a body that does not end';

ok $up->untouched, 'I1: the backend saw not one byte of all this';
is $f->calls, 0, 'and the facilitator was not asked';

# --- and all of these places can be paid for

is_content paid($t, $_), "SECRET\n", "$_, paid" for grep { !/inside/ } $where{''}->@*;

finish;
