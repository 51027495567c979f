# SPDX-License-Identifier: Apache-2.0
# Content that passes through nginx's own filters: they must work as ever when
# it is paid for, and must not let anything through when it is not.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Hold;
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
    proxy_http_version 1.1;
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    charset_map windows-1252 utf-8 { E4 C3A4; }
    types { text/html html; text/plain txt; }
    root %%DIR%%/html;

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        location /free/ { alias %%DIR%%/html/; }

        location / {
            x402_price $0.01;
            location /gzip/     { alias %%DIR%%/html/; gzip on; gzip_types text/plain; gzip_min_length 1; }
            location /gzipped/  { proxy_pass http://%%BACKEND%%/; gzip on; gzip_types text/plain; gzip_min_length 1; }
            location /gunzip/   { proxy_pass http://%%BACKEND%%/gz; gunzip on; }
            location /sub/      { alias %%DIR%%/html/; sub_filter SECRET REPLACED; sub_filter_types *; sub_filter_once off; }
            location /addition/ { alias %%DIR%%/html/; add_before_body /free/before.txt; add_after_body /free/after.txt; addition_types *; }
            location /ssi/      { alias %%DIR%%/html/; ssi on; ssi_types *; }
            location /charset/  { alias %%DIR%%/html/; default_type text/plain; charset utf-8; source_charset windows-1252; override_charset on; }
            location /slice/ {
                slice 1k;
                proxy_pass http://127.0.0.1:%%PORT_origin%%/;
                proxy_set_header Range $slice_range;
                proxy_cache cache;
                proxy_cache_key $uri$slice_range;
                proxy_cache_valid 200 206 1h;
            }
            location /mirror/   { mirror /copy; alias %%DIR%%/html/; }
        }
        location = /copy { internal; proxy_pass http://%%BACKEND%%/mirrored; }
    }
    server { listen 127.0.0.1:%%PORT_origin%%; }
}
EOF

my $text = join '', map { "SECRET $_\n" } 1 .. 5000;
$t->write('html/text.txt', $text);
$t->write('html/before.txt', "SECRET before\n");
$t->write('html/after.txt', "SECRET after\n");
$t->write('html/page.html', qq(SECRET page, <!--#include virtual="/free/before.txt" -->)
    . qq(<!--#include virtual="/free/text.txt" --><!--#echo var="uri" -->));
$t->write('html/umlaut.txt', "SECRET \xe4\n");
$up->on('/text.txt', body => $text);
$up->on('/gz', body => Compress::Zlib::memGzip($text), headers => [ 'Content-Encoding' => 'gzip' ]);
$t->start;

my @gzip = (headers => [ 'Accept-Encoding' => 'gzip' ]);
my $unzipped = sub ($r) { $r->header('Content-Encoding') eq 'gzip' && $r->inflated eq $text };
held($t, $f, 'gzip, file',  '/gzip/text.txt', @gzip, check => $unzipped);
held($t, $f, 'gzip, proxy', '/gzipped/text.txt', @gzip, check => $unzipped);
held($t, $f, 'gzip not wanted', '/gzip/text.txt', body => $text);
held($t, $f, 'gunzip', '/gunzip/', body => $text);
held($t, $f, 'sub_filter', '/sub/text.txt', marker => 'REPLACED', body => $text =~ s/SECRET/REPLACED/gr);
held($t, $f, 'addition', '/addition/text.txt', body => "SECRET before\n${text}SECRET after\n");
held($t, $f, 'SSI', '/ssi/page.html', body => "SECRET page, SECRET before\n$text/ssi/page.html");
held($t, $f, 'charset', '/charset/umlaut.txt', body => "SECRET \xc3\xa4\n");
held($t, $f, 'slice', '/slice/text.txt', body => $text);
held($t, $f, 'slice and range', '/slice/text.txt', status => 206,
    headers => [ Range => 'bytes=1000-3000' ], body => substr $text, 1000, 2001);
held($t, $f, 'mirror', '/mirror/text.txt', body => $text);

# The mirror is a subrequest of a paid request; of an unpaid one there is none.
$up->forget;
is $t->get('/mirror/text.txt')->status, 402, 'unpaid';
ok $up->untouched || $up->hits('/mirrored') == 0, 'nothing is mirrored';

finish;
