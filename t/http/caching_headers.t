# SPDX-License-Identifier: Apache-2.0
# What paid answers say to caches and clients: private, whatever the upstream,
# expires or add_header say, and no payment headers but our own.

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
    proxy_intercept_errors off;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location / {
            x402_price $0.01;
            location /up/      { proxy_pass http://%%BACKEND%%/; }
            location /expires/ { expires 1h; proxy_pass http://%%BACKEND%%/; }
            location /epoch/   { expires epoch; proxy_pass http://%%BACKEND%%/; }
            location /max/     { expires max; proxy_pass http://%%BACKEND%%/; }
            location /add/     { add_header Cache-Control "public, s-maxage=600" always; proxy_pass http://%%BACKEND%%/; }
            location /mine/    { add_header PAYMENT-RESPONSE forged always; add_header X-Payment-Response forged always; proxy_pass http://%%BACKEND%%/; }
            location /cdn/     { add_header Surrogate-Control max-age=99 always; add_header CDN-Cache-Control max-age=99 always; proxy_pass http://%%BACKEND%%/; }
        }
        location /free/ { expires 1h; add_header Cache-Control public; proxy_pass http://%%BACKEND%%/; }
    }
}
EOF
# By what shared caches are told to keep a response: RFC 9213 and before, Akamai, Cloudflare, Fastly, LiteSpeed, Netlify,
# Vercel, nginx, Varnish.
my @vendors = qw(CDN-Cache-Control Surrogate-Control Edge-Control Cloudflare-CDN-Cache-Control Akamai-Cache-Control
    Fastly-Surrogate-Control X-LiteSpeed-Cache-Control Netlify-CDN-Cache-Control Vercel-CDN-Cache-Control
    X-Accel-Expires Edge-Cache-TTL X-Cache-TTL X-Varnish-TTL Tomorrow-Cache-Control);
my %said = (
    nothing => [],
    public  => [ 'Cache-Control' => 'public, max-age=60' ],
    shared  => [ 'Cache-Control' => 'max-age=60, s-maxage=600' ],
    odd     => [ 'Cache-Control' => 'PUBLIC,S-MaxAge="600",  must-revalidate' ],
    private => [ 'Cache-Control' => 'private, max-age=5' ],
    fields  => [ 'Cache-Control' => 'private="set-cookie", public' ],
    nostore => [ 'Cache-Control' => 'no-store' ],
    twice   => [ 'Cache-Control' => 'public', 'Cache-Control' => 'max-age=60' ],
    foreign => [ map { ($_ => 'forged') } qw(PAYMENT-REQUIRED PAYMENT-RESPONSE X-PAYMENT-RESPONSE) ],
    accel   => [ 'X-Accel-Expires' => '600', 'Surrogate-Control' => 'max-age=600', 'CDN-Cache-Control' => 'public' ],
    vendors => [ 'X-Mine' => 'kept', map { ($_ => 'max-age=600') } @vendors ],
    vary    => [ Vary => 'Accept-Language' ],
);
$up->on("/$_", body => "SECRET\n", headers => $said{$_}) for keys %said;
$up->on('/overrides', body => "SECRET\n", headers => [ 'Settlement-Overrides' => '{"amount":"1"}' ]);
$up->on('/failed', status => 404, body => 'no', headers => [ 'Cache-Control' => 'public, max-age=60',
    'PAYMENT-REQUIRED' => 'forged' ]);
$t->start;

my %expected = (
    '/up/nothing' => 'private',
    '/up/public'  => 'max-age=60, private',
    '/up/shared'  => 'max-age=60, private',
    '/up/odd'     => 'must-revalidate, private',
    '/up/private' => 'private, max-age=5',
    '/up/nostore' => 'no-store, private',
    '/up/twice'   => 'max-age=60, private',
    '/expires/nothing' => 'max-age=3600, private',
    '/expires/public'  => 'max-age=3600, private',
    '/epoch/nothing'   => 'no-cache, private',
    '/max/nothing'     => 'max-age=315360000, private',
    '/add/nothing'     => 'private',
    '/add/public'      => 'max-age=60, private',
);

# Order and spacing of directives are not promised.
sub directives ($line) { return join ', ', sort map { lc } split /\s*,\s*/, $line // '' }

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    my $p = $h2 ? 'HTTP/2, ' : '';
    for my $path (sort keys %expected) {
        my $r = paid($t, $path, %via);
        is_content $r, "SECRET\n", "$p$path: paid";
        is $r->header_count('Cache-Control'), 1, "$p$path: one line";
        is directives(scalar $r->header('Cache-Control')), directives($expected{$path}), "$p$path: what it says";

        # refused by settle
        $f->settle(refused => 'insufficient_funds');
        $r = paid($t, $path, %via);
        is_refused $r, "$p$path: refused";
        is join('|', $r->header('Cache-Control')), 'no-store', "$p$path: refused, no-store";
        $f->settle('paid');
    }
    my $r = paid($t, '/up/fields', %via);
    unlike $r->header('Cache-Control'), qr/public/, "${p}private for some fields, public for all";
    like $r->header('Cache-Control'), qr/\bprivate(?:,|\z)/, "${p}becomes private for all";

    # unpaid
    for my $path (qw(/up/public /expires/public /add/public /mine/public)) {
        $r = $t->get($path, %via);
        is join('|', $r->header('Cache-Control')), 'no-store', "$p$path: unpaid, no-store";
        is $r->header_count('Expires'), 0, "$p$path: unpaid, no Expires";
        ok offer($r), "$p$path: one offer, ours";
        is $r->header_count('PAYMENT-RESPONSE'), 0, "$p$path: no receipt";
    }

    # payment headers of others
    for my $path (qw(/up/foreign /mine/nothing)) {
        $r = paid($t, $path, %via);
        is_content $r, "SECRET\n", "$p$path: our receipt, no other";
        is $r->header_count('X-PAYMENT-RESPONSE'), 0, "$p$path: nor under another name";
        no_trace $r, 'forged', "$p$path: nothing forged";
    }
    $r = paid($t, '/up/failed', %via);
    is $r->status, 404, "${p}a failure";
    no_trace $r, 'forged', "${p}has no foreign offer either";

    # shared caches have more ears: those of each vendor, too
    for ([ 'paid', paid($t, '/up/vendors', %via) ], [ 'unpaid', $t->get('/up/vendors', %via) ]) {
        my ($name, $r) = @$_;
        is join(' ', grep { defined $r->header($_) } @vendors), '', "$p$name: no cache of any vendor hears more";
    }
    is scalar paid($t, '/up/vendors', %via)->header('X-Mine'), 'kept', "${p}another header stays";

    for my $path (qw(/up/accel /cdn/nothing)) {
        $r = paid($t, $path, %via);
        ok !$r->header('Surrogate-Control') && !$r->header('CDN-Cache-Control'), "$p$path: none of them hears more"
            or diag $r->summary;
    }

    my $varies = sub ($r) { join ', ', map { lc } $r->header('Vary') };
    for ([ 'unpaid', $t->get('/up/vary', %via) ], [ 'paid', paid($t, '/up/vary', %via) ]) {
        my ($name, $answer) = @$_;
        my $vary = join ', ', $answer->header('Vary');
        like $vary, qr/PAYMENT-SIGNATURE/i, "$p$name: varies by the payment";
        like $vary, qr/X-PAYMENT/i, "$p$name: in either header";
    }
    like $varies->(paid($t, '/up/vary', %via)), qr/accept-language/, "${p}and by what the upstream says";

    # A free location is left alone.
    $r = $t->get('/free/foreign', %via);
    is $r->header('PAYMENT-RESPONSE'), 'forged', "${p}a free location passes what it gets";
    is join('|', $r->header('Cache-Control')), 'max-age=3600|public', "${p}and caches as it likes";
    is $r->header_count('Vary'), 0, "${p}and varies by nothing";
}

# --- between the upstream and us only

for my $path ('/free/overrides', '/up/overrides') {
    my $answer = $path =~ /free/ ? $t->get($path) : paid($t, $path);
    is $answer->status, 200, $path;
    is $answer->header_count('Settlement-Overrides'), 0, "$path: no settlement override leaves";
}

finish;
