# SPDX-License-Identifier: Apache-2.0
# The page of x402_status in headless Chromium: at four sizes, light and dark,
# nothing is wider than the window, no column is hidden on a phone, and nothing
# is loaded.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path qw(make_path);
use X402::Test;

my ($chromium) = grep {-x} map {"$_/chromium"} split /:/, $ENV{PATH};
plan skip_all => 'chromium is not installed' if !$chromium;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name a-server-with-a-name-that-is-long.shop.example;
        location / { x402_label a-label-without-any-place-to-break-it-that-goes-on-and-on-and-on; proxy_pass http://%%BACKEND%%; }
        location = /status { x402_status html; }
        # Frames it, to be as narrow as a phone, and says how wide it is.
        location = /frame { x402 off; default_type text/html; return 200 '<body style="margin:0"><iframe style="border:0" width="$arg_w" height="1500" src="/inside"></iframe><script>onload=function(){var d=document.querySelector("iframe").contentDocument.documentElement;document.title="wide "+d.scrollWidth+" of "+d.clientWidth+", hidden "+[].filter.call(d.querySelectorAll(".scroll"),function(s){return s.scrollWidth>s.clientWidth}).length}</script>'; }
        location = /inside { x402 off; proxy_pass http://127.0.0.1:%%PORT%%/status; proxy_hide_header Content-Security-Policy; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;
is_content paid($t, '/'), "SECRET\n", 'paid';
$f->settle('close');
is paid($t, '/')->status, 503, 'and one of unknown outcome';

my $pictures = "$FindBin::Bin/../../build/status";
make_path($pictures);

sub browse (@options) {
    open my $said, '-|', $chromium, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
        '--no-first-run', '--hide-scrollbars', '--user-data-dir=' . $t->dir . '/chromium', '--timeout=60000',
        '--virtual-time-budget=3000', @options
        or die "$chromium: $!";
    local $/;
    return scalar(<$said>) // '';
}

my $base = 'http://127.0.0.1:' . $t->port;
ok $t->wait_for(sub { $t->ask('GET', '/status')->body =~ /1\xc2\xa0unknown/ }), 'the payment in doubt is on the page';
open STDERR, '>', $t->dir . '/chromium.log' if !$ENV{X402_KEEP};
for my $width (320, 360, 1280, 1920) {
    for my $scheme ([ light => 1 ], [ dark => 0 ]) {
        my $file = "$pictures/$width-$scheme->[0].png";
        unlink $file;
        browse("--blink-settings=preferredColorScheme=$scheme->[1]", "--window-size=$width,1500", "--screenshot=$file", "$base/frame?w=$width");
        cmp_ok -s $file // 0, '>', 20_000, "$width, $scheme->[0]: more than an empty page";
    }
    my ($wide, $window, $hidden) = browse("--window-size=$width,1500", '--dump-dom', "$base/frame?w=$width") =~ /<title>wide (\d+) of (\d+), hidden (\d+)/;
    is $window, $width, "$width: the window is that wide";
    cmp_ok $wide // 9999, '<=', $width, "$width: and the page is not wider";
    is $hidden, 0, "$width: tables show all of their columns";
}

finish;
