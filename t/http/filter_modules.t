# SPDX-License-Identifier: Apache-2.0
# What leaves is what is judged: with every filter module of nginx and of Debian's
# packages below, content that a filter turned into an error, emptied or broke off is
# not charged (owed, if the money moved first), and the module's own answers pass
# by all filters that would judge or change them. docs/filters.md has the table.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Compress::Zlib ();
use X402::Test;

my $folder = '/usr/lib/nginx/modules';
my @modules = grep { -e "$folder/$_.so" } qw(ndk_http_module ngx_http_brotli_filter_module ngx_http_echo_module
    ngx_http_headers_more_filter_module ngx_http_image_filter_module ngx_http_js_module ngx_http_lua_module
    ngx_http_modsecurity_module ngx_http_perl_module ngx_http_srcache_filter_module ngx_http_subs_filter_module
    ngx_http_uploadprogress_module ngx_http_xslt_filter_module);
@modules = () if X402::Nginx::module() eq 'static' || X402::Nginx::binary() ne '/usr/sbin/nginx';
my %has = map { s/\A(?:ngx_http_|ndk_)//r =~ s/(?:_filter)?_module\z//r => 1 } @modules;
diag "not installed: @{[ grep { !$has{$_} } qw(brotli echo headers_more image js lua modsecurity srcache subs uploadprogress xslt) ]}"
    if keys %has < 13;

my $png = png(64);
my @lengthless = 'header_filter_by_lua_block { ngx.header.content_length = nil }';

# Name, module, its configuration, file, what becomes of a payment, what to expect then.
# charged: body or check; uncharged: status; closed: the connection ends.
my @cases = (
    [ 'range', '', '', 'text.txt', charged => status => 206, headers => [ Range => 'bytes=0-5' ], body => 'SECRET' ],
    [ 'ranges', '', '', 'text.txt',
        charged => status => 206, headers => [ Range => 'bytes=0-5,7-7' ], check => sub { $_[0]->body =~ /SECRET/ } ],
    [ 'range beyond the end', '', '', 'text.txt', uncharged => status => 416, headers => [ Range => 'bytes=9000-' ] ],
    [ 'range beyond the end, gzip', '', 'gzip on; gzip_types text/plain; gzip_min_length 1;', 'text.txt',
        uncharged => status => 416, headers => [ Range => 'bytes=9000-' ] ],
    [ 'range beyond the end, proxy', '', 'proxy_force_ranges on; proxy_pass http://%%BACKEND%%/;', 'up',
        uncharged => status => 416, headers => [ Range => 'bytes=9000-' ] ],
    [ 'SSI of nothing', '', 'ssi on; ssi_types *;', 'nothing.txt', uncharged => status => 502 ],
    [ 'userid', '', 'userid on;', 'text.txt', charged => body => "SECRET text\n" ],
    [ 'image, resized', 'image', 'image_filter resize 8 8;', 'image.png',
        charged => check => sub { $_[0]->body =~ /\A\x89PNG/ && length $_[0]->body < length $png } ],
    [ 'image, its size', 'image', 'image_filter size;', 'image.png', charged => check => sub { $_[0]->body =~ /"width": 64/ } ],
    [ 'image from a text', 'image', 'image_filter resize 8 8;', 'text.txt', uncharged => status => 415 ],
    [ 'image from a text of an upstream', 'image', 'image_filter test; proxy_pass http://%%BACKEND%%/;', 'up',
        uncharged => status => 415 ],
    [ 'image beyond the buffer', 'image', 'image_filter resize 8 8; image_filter_buffer 100;', 'image.png',
        uncharged => status => 415 ],
    [ 'XSLT', 'xslt', 'xslt_stylesheet %%DIR%%/html/sheet.xsl; xslt_types text/plain;', 'page.txt',
        charged => check => sub { $_[0]->body =~ /SECRET sheet/ } ],
    [ 'XSLT of no XML', 'xslt', 'xslt_stylesheet %%DIR%%/html/sheet.xsl; xslt_types text/plain;', 'text.txt',
        uncharged => status => 500 ],
    [ 'subs', 'subs', 'subs_filter SECRET REPLACED; subs_filter_types text/plain;', 'text.txt',
        charged => body => "REPLACED text\n" ],
    [ 'headers more', 'headers_more', 'more_set_headers "X-More: yes";', 'text.txt',
        charged => check => sub { $_[0]->header('X-More') eq 'yes' }, own => 'X-More' ],
    [ 'echo', 'echo', 'echo_before_body "SECRET before"; echo_after_body "SECRET after";', 'text.txt',
        charged => body => "SECRET before\nSECRET text\nSECRET after\n" ],
    [ 'brotli', 'brotli', 'brotli on; brotli_min_length 1; brotli_types text/plain;', 'text.txt',
        charged => headers => [ 'Accept-Encoding' => 'br' ], check => sub { $_[0]->header('Content-Encoding') eq 'br' } ],
    [ 'upload progress', 'uploadprogress', 'proxy_pass http://%%BACKEND%%/; track_uploads ups 10s;', 'up',
        charged => body => "SECRET up\n" ],
    [ 'Lua, a header', 'lua', 'header_filter_by_lua_block { ngx.header["X-Lua"] = "yes" }', 'text.txt',
        charged => check => sub { $_[0]->header('X-Lua') eq 'yes' }, own => 'X-Lua' ],
    [ 'Lua, another status', 'lua', 'header_filter_by_lua_block { if ngx.status == 200 then ngx.status = 503 end }', 'text.txt',
        uncharged => status => 503, body_leaves => 1 ],
    [ 'Lua, another body', 'lua', "@lengthless body_filter_by_lua_block { ngx.arg[1] = string.upper(ngx.arg[1]) }", 'text.txt',
        charged => body => "SECRET TEXT\n" ],
    [ 'Lua, an empty body', 'lua', "@lengthless body_filter_by_lua_block { ngx.arg[1] = nil }", 'text.txt',
        uncharged => status => 502 ],
    [ 'Lua, a body cut short', 'lua', 'body_filter_by_lua_block { ngx.arg[1] = string.sub(ngx.arg[1], 1, 3) }', 'text.txt',
        uncharged => status => 502 ],
    [ 'Lua, an error in the header', 'lua', 'header_filter_by_lua_block { if ngx.status == 200 then error("planted") end }',
        'text.txt', 'closed' ],
    [ 'Lua, an error in the body', 'lua', 'body_filter_by_lua_block { error("planted") }', 'text.txt', 'closed' ],
    [ 'Lua, a broken answer that the content does not use', 'lua',
        'content_by_lua_block { ngx.location.capture("/broken") ngx.print("SECRET text\n") }', 'text.txt',
        charged => body => "SECRET text\n" ],
    [ 'Lua, an error that the content does not use', 'lua',
        'content_by_lua_block { ngx.location.capture("/error") ngx.print("SECRET text\n") }', 'text.txt',
        charged => body => "SECRET text\n" ],
    [ 'njs, the same', 'js', 'js_content x.asks;', 'text.txt', charged => body => "SECRET text\n" ],
    [ 'njs, another body', 'js', 'js_header_filter x.lengthless; js_body_filter x.upper;', 'text.txt',
        charged => body => "SECRET TEXT\n" ],
    [ 'njs, an empty body', 'js', 'js_header_filter x.lengthless; js_body_filter x.empty;', 'text.txt',
        uncharged => status => 502 ],
    [ 'njs, an error', 'js', 'js_header_filter x.fails;', 'text.txt', 'closed' ],
    [ 'WAF, nothing found', 'modsecurity', q(modsecurity on; modsecurity_rules 'SecRuleEngine On';), 'text.txt',
        charged => body => "SECRET text\n" ],
    [ 'WAF, response header', 'modsecurity', q(modsecurity on; modsecurity_rules 'SecRuleEngine On
        SecRule RESPONSE_STATUS "@streq 200" "id:1,phase:3,deny,status:403"';), 'text.txt', uncharged => status => 403 ],
    map({ [ "srcache, a store that is $_", 'srcache', "srcache_store GET /$_ key=\$uri;", 'text.txt',
        charged => body => "SECRET text\n" ] } qw(broken error)),
    [ 'srcache, store', 'srcache', 'srcache_store GET /stored key=$uri;', 'text.txt', charged => body => "SECRET text\n" ],
);
@cases = grep { !$_->[1] || $has{ $_->[1] } } @cases;

my ($f, $up) = (facilitator(), backend());
$up->on('/up', body => "SECRET up\n");
$up->on('/stored', body => 'ok');
$up->on('/error', status => 500, body => 'SECRET');
$up->on('/broken', body => 'SECRET' x 100, die_after => 6);

for my $last (0, @modules ? 1 : ()) {
    my $order = $last ? 'loaded last' : 'loaded first';
    my $t = server($last);
    for my $i (0 .. $#cases) {
        my ($name, undef, undef, $file, $outcome, %expected) = $cases[$i]->@*;
        money_last($t, "$order, $name", "/after/$i/$file", $outcome, %expected);
        money_first($t, "$order, $name", "/before/$i/$file", $outcome, %expected);
    }
    $t->allow(qr/planted|by a filter|prematurely closed|Access denied|image filter|xmlParse|xslt|parser|Start tag|exception/i);
}

sub server ($last) {
    my $load = join ' ', map {"load_module $folder/$_.so;"} @modules;
    my $rule = 0;
    my $locations = sub ($prefix, $more) {
        return join "\n", map {
            my $content = $cases[$_][2] =~ /proxy_pass/ ? '' : 'alias %%DIR%%/html/;';
            my $text = $cases[$_][2] =~ s/id:1,/'id:' . ++$rule . ','/er;
            "location /$prefix/$_/ { $more $content $text }";
        } 0 .. $#cases;
    };
    my $http = join ' ', ($has{js} ? 'js_import x from %%DIR%%/x.js;' : ()),
        ($has{uploadprogress} ? 'upload_progress ups 1m;' : ());
    my $globals = $last ? "$load %%GLOBALS%%" : "%%GLOBALS%% $load";
    my ($after, $before) = ($locations->('after', ''), $locations->('before', 'x402_settle before;'));
    my $t = nginx(<<"EOF", facilitator => $f, backend => $up);
$globals
events { }
http {
    %%HTTP%%
    $http
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    default_type text/plain;
    types { image/png png; }
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_price \$0.01;
        add_header X-Own yes always;
        add_header X-Transaction \$x402_transaction always;
        location = /broken { internal; x402 off; proxy_pass http://%%BACKEND%%; }
        location = /error { internal; x402 off; proxy_pass http://%%BACKEND%%; }
        location = /stored { internal; x402 off; proxy_pass http://%%BACKEND%%; }
        $after
        $before
    }
}
EOF
    $t->write('html/text.txt', "SECRET text\n");
    $t->write('html/nothing.txt', '<!--#set var="a" value="SECRET" -->');
    $t->write('html/image.png', $png);
    $t->write('html/page.txt', '<?xml version="1.0"?><page>SECRET page</page>');
    $t->write('html/sheet.xsl', '<?xml version="1.0"?>'
        . '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        . '<xsl:output method="text"/><xsl:template match="/">SECRET sheet</xsl:template></xsl:stylesheet>');
    $t->write('x.js', <<'EOF');
function lengthless(r) { delete r.headersOut['Content-Length']; }
function upper(r, data, flags) { r.sendBuffer(data.toUpperCase(), flags); }
function empty(r, data, flags) { r.sendBuffer('', flags); }
function fails(r) { if (r.status == 200) { throw new Error('planted'); } }
async function asks(r) {
    await r.subrequest('/broken');
    r.return(200, 'SECRET text\n');
}
export default { lengthless, upper, empty, fails, asks };
EOF
    return $t->start;
}

# Settled after content.
sub money_last ($t, $name, $path, $outcome, %expected) {
    my @asked = (headers => $expected{headers} // []);

    # Without a payment, and below with one that is refused when it is settled: the
    # module's answer as it was made, under the headers that the operator adds to all.
    my $r = $t->get($path, @asked);
    ok $r->status == 402 && $r->complete && $r->body =~ /"error":"Payment required"/ && offer($r)
        && ($r->header('X-Own') // '') eq 'yes' && ($r->header('Cache-Control') // '') eq 'no-store',
        "$name: unpaid" or diag $r->summary;
    is $r->header($expected{own}) // '', 'yes', "$name: unpaid, with its header" if $expected{own};

    $f->forget;
    $f->settle('paid');
    $r = paid($t, $path, @asked);
    if ($outcome eq 'charged') {
        my $good = $r->status == ($expected{status} // 200) && $r->complete
            && $r->header_count('PAYMENT-RESPONSE') == 1 && $r->header_count('X-Own') == 1
            && ($expected{check} ? $expected{check}->($r) : $r->body eq $expected{body});
        ok $good, "$name: paid" or diag $r->summary;
        is $r->header('X-Transaction'), (receipt($r) // {})->{transaction}, "$name: paid, add_header knows the transaction";
        is $f->order, 'verify settle', "$name: charged once";

        $f->settle(refused => 'insufficient_funds');
        $r = paid($t, $path, @asked);
        is_refused $r, "$name: refused";
        no_trace $r, 'SECRET', "$name: refused, no content";
        is $r->header_count('X-Own'), 1, "$name: refused, with the operator's header";
        $f->settle('paid');
        return;
    }
    is $r->status, $outcome eq 'closed' ? 0 : $expected{status}, "$name: what leaves" or diag $r->summary;
    is $f->calls('settle'), 0, "$name: not charged";
    ok !$r->header('PAYMENT-RESPONSE'), "$name: no receipt";
    no_trace $r, 'SECRET', "$name: no content" if !$expected{body_leaves};
    return;
}

# Settled before content: what a filter fails is owed.
sub money_first ($t, $name, $path, $outcome, %expected) {
    $f->forget;
    my $count = sub { return scalar(my @lines = $t->log =~ /payment owed: charged/g) };
    my $before = $count->();
    my $r = paid($t, $path, headers => $expected{headers} // []);
    is $f->calls('settle'), 1, "$name, money first: charged";
    if ($outcome eq 'charged') {
        is $r->status, $expected{status} // 200, "$name, money first: what leaves" or diag $r->summary;
        is $count->(), $before, "$name, money first: nothing owed";
        return;
    }
    ok $t->wait_for(sub { $count->() == $before + 1 }), "$name, money first: owed";
    is $r->header_count('PAYMENT-RESPONSE'), 1, "$name, money first: with its receipt" if $r->status;
    return;
}

sub piece ($type, $data) {
    return pack('N', length $data) . $type . $data . pack 'N', Compress::Zlib::crc32($type . $data);
}

sub png ($size) {
    my $rows = '';
    for my $y (0 .. $size - 1) {
        $rows .= "\0" . join '', map { pack 'C3', $_ * 3, $y * 3, $_ * $y % 256 } 0 .. $size - 1;
    }
    return "\x89PNG\r\n\x1a\n" . piece('IHDR', pack 'NNC5', $size, $size, 8, 2, 0, 0, 0)
        . piece('IDAT', Compress::Zlib::compress($rows)) . piece('IEND', '');
}

finish;
