# SPDX-License-Identifier: Apache-2.0
# The page of x402_paywall as a real browser shows it: Chromium asks for it,
# renders it, and leaves pictures to look at below build/paywall. Skipped where
# there is none; `make paywall-shot` installs it.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use File::Path qw(make_path);

my ($chromium) = grep {-x} map {"$_/chromium"} split /:/, $ENV{PATH};
plan skip_all => 'no Chromium' if !$chromium;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_paywall on;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /one {
            x402_network base-sepolia;
            x402_price $0.01;
            x402_description "Weather for the next ten days, hour by hour";
            proxy_pass http://%%BACKEND%%;
        }
        location /readme {
            x402_network base-sepolia;
            x402_price $0.01;
            x402_description "Weather for the next ten days, hour by hour";
            x402_resource https://api.example.com/weather;
            proxy_pass http://%%BACKEND%%;
        }
        location /many {
            x402_accept network=base price=0.05;
            x402_accept network=polygon price=0.05;
            x402_accept network=base asset=0x1111111111111111111111111111111111111111 amount=3000000000000000000
                        decimals=18 'extra={"name":"Example Points","version":"1"}';
            x402_description "A report that <b>costs</b> money";
            x402_resource "https://api.example.com/reports/2026/november/a-very-long-name-that-has-no-place-to-break-a-line-at-all.pdf?format=pdf";
            x402_error "Your subscription has ended";
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$t->start;

my $pictures = "$FindBin::Bin/../../build/paywall";
make_path($pictures);

sub browse (@options) {
    open my $said, '-|', $chromium, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
        '--no-first-run', '--hide-scrollbars', '--user-data-dir=' . $t->dir . '/chromium', '--timeout=60000',
        '--virtual-time-budget=5000', @options
        or die "$chromium: $!";
    local $/;
    return scalar(<$said>) // '';
}

# A slow machine may be asked for the picture before the page is drawn.
sub shot ($file, @arguments) {
    for (1 .. 3) {
        unlink $file;
        browse("--screenshot=$file", @arguments);
        last if (-s $file // 0) > 20_000;
    }
    return -s $file // 0;
}

my %shots = (
    'one-wide'  => [ '/one',  '--window-size=1100,900' ],
    'readme'    => [ '/readme', '--window-size=720,410' ],
    'many-wide' => [ '/many', '--window-size=1100,1300' ],
    'many-dark' => [ '/many', '--window-size=1100,1300', '--blink-settings=preferredColorScheme=0' ],
);
open STDERR, '>', $t->dir . '/chromium.log' if !$ENV{X402_KEEP};
for my $name (sort keys %shots) {
    my ($path, @options) = $shots{$name}->@*;
    cmp_ok shot("$pictures/$name.png", @options, 'http://127.0.0.1:' . $t->port . $path), '>', 20_000, "$name: more than an empty page";
}

# A window cannot be as narrow as a phone; a frame can.
$t->write('phone.html', '<style>body{margin:0}iframe{border:0}</style><iframe width="320" height="1000" src="http://127.0.0.1:'
    . $t->port . '/one"></iframe>');
cmp_ok shot("$pictures/one-phone.png", '--window-size=500,1000', 'file://' . $t->dir . '/phone.html'), '>', 20_000, 'one-phone: more than an empty page';

my $dom = browse('--dump-dom', 'http://127.0.0.1:' . $t->port . '/many');
like $dom, qr{<h1>This costs 0\.05 USDC</h1>}, 'the price';
like $dom, qr{A report that &lt;b&gt;costs&lt;/b&gt; money}, 'the description is text';
unlike $dom, qr/<b>/, 'and no markup';
is $f->calls, 0, 'looking is free';

finish;
