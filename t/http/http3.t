# SPDX-License-Identifier: Apache-2.0
# A payment over HTTP/3, where nginx has it (1.25 and newer): the client is curl,
# which has to speak it, too.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Certificates;
use X402::Test;

plan skip_all => 'nginx has no HTTP/3' if `@{[ X402::Nginx::binary() ]} -V 2>&1` !~ /with-http_v3_module/;
plan skip_all => 'curl has no HTTP/3'  if (`curl -V 2>/dev/null` // '') !~ /\bHTTP3\b/;

my ($f, $up) = (facilitator(), backend());
my ($port, $udp) = X402::Port::reserve_udp();
my $t = nginx(<<'CONF', facilitator => $f, backend => $up, port => $port);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%% quic reuseport;
        listen 127.0.0.1:%%PORT%% ssl;
        ssl_certificate     %%DIR%%/good.pem;
        ssl_certificate_key %%DIR%%/good.key;
        location /file/ { alias %%DIR%%/html/; }
        location /up/   { proxy_pass http://%%BACKEND%%/; }
        location /large/ { x402_settle_buffer 4k; alias %%DIR%%/html/; }
    }
}
CONF
X402::Certificates::make($t->dir);
my $large = join '', map { sprintf "%07d\n", $_ } 1 .. 100_000;
$t->write('html/a', "SECRET\n");
$t->write('html/large', $large);
$up->on('/a', body => "SECRET\n");
$t->start;
close $udp;

# Status, headers in lower case, body.
sub ask3 ($path, @headers) {
    my $dir = $t->dir;
    unlink "$dir/head", "$dir/body";
    system('curl', '-s', '--http3-only', '--cacert', "$dir/ca.pem", '--max-time', 30, '-D', "$dir/head", '-o', "$dir/body",
        map({ ('-H', $_) } @headers), "https://127.0.0.1:@{[ $t->port ]}$path");
    my $head = X402::Nginx::_slurp("$dir/head");
    my %answer = (body => X402::Nginx::_slurp("$dir/body"));
    ($answer{status}) = $head =~ m{\AHTTP/3 (\d+)};
    $answer{headers}{ lc $1 } = $2 while $head =~ /^([\w-]+): (.*?)\r?$/mg;
    return \%answer;
}

for my $path ('/file/a', '/up/a', '/large/large') {
    $f->forget;
    my $unpaid = ask3($path);
    is $unpaid->{status}, 402, "$path: unpaid, 402";
    is $f->calls, 0, "$path: without a call";
    my $offer = decoded($unpaid->{headers}{'payment-required'});
    my $paid  = ask3($path, 'PAYMENT-SIGNATURE: ' . payment($offer));
    is $paid->{status}, 200, "$path: paid, 200";
    is $paid->{body}, $path =~ /large/ ? $large : "SECRET\n", "$path: the content, whole";
    ok decoded($paid->{headers}{'payment-response'})->{success}, "$path: the receipt";
    is $f->order, 'verify settle', "$path: asked once each";
}

$f->settle(refused => 'insufficient_funds');
my $offer   = decoded(ask3('/file/a')->{headers}{'payment-required'});
my $refused = ask3('/file/a', 'PAYMENT-SIGNATURE: ' . payment($offer));
is $refused->{status}, 402, 'a refused settlement: 402';
unlike $refused->{body}, qr/SECRET/, 'and no content';

finish;
