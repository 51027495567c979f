# SPDX-License-Identifier: Apache-2.0
# Money beside passwords and addresses: "any" means password or money, "all"
# means both, and a request that need not pay is not charged.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(encode_base64);

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    auth_basic_user_file %%DIR%%/passwords;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        x402_price $0.01;

        location /any/  { satisfy any; auth_basic x; alias %%DIR%%/html/; }
        location /all/  { satisfy all; auth_basic x; alias %%DIR%%/html/; }
        location /deny/ { satisfy any; deny all; alias %%DIR%%/html/; }
        location /allow/ { satisfy any; allow all; alias %%DIR%%/html/; }
        location /denyall/ { deny all; alias %%DIR%%/html/; }
        location /get/  { satisfy any; auth_basic x; x402_methods POST; alias %%DIR%%/html/; }
        location /off/  { satisfy any; auth_basic x; x402 off; alias %%DIR%%/html/; }
    }
}
EOF
$t->write('passwords', "me:{PLAIN}word\n");
$t->write('html/a', "SECRET\n");
$t->start;

my @password = (Authorization => 'Basic ' . encode_base64('me:word', ''));
my @wrong    = (Authorization => 'Basic ' . encode_base64('me:no', ''));

# what is presented => status, is it charged
my %expected = (
    any     => { nothing => [402], password => [200], money => [ 200, 1 ], both => [200], wrong => [402], 'wrong+money' => [ 200, 1 ] },
    all     => { nothing => [401], password => [402], money => [401], both => [ 200, 1 ], wrong => [401], 'wrong+money' => [401] },
    deny    => { nothing => [402], money => [ 200, 1 ] },
    allow   => { nothing => [200], money => [200] },
    denyall => { nothing => [403], money => [403] },
    get     => { nothing => [401], password => [200], money => [401] },
    off     => { nothing => [401], password => [200], money => [401] },
);

for my $h2 (0, 1) {
    my %via = $h2 ? (h2 => 1, port => 'h2') : ();
    for my $where (sort keys %expected) {
        for my $what (sort keys $expected{$where}->%*) {
            my ($status, $charged) = $expected{$where}{$what}->@*;
            my @headers;
            push @headers, @password if $what =~ /password|both/;
            push @headers, @wrong    if $what =~ /wrong/;
            # The offer is the same all over this server.
            push @headers, pay_with($t, '/deny/a')->@* if $what =~ /money|both/;
            $f->forget;
            my $r = $t->get("/$where/a", %via, headers => \@headers);
            my $name = ($h2 ? 'HTTP/2, ' : '') . "$where, $what";
            is $r->status, $status, "$name: $status";
            is $f->order, $charged ? 'verify settle' : '', "$name: " . ($charged ? 'charged' : 'nothing asked');
            is $r->header_count('PAYMENT-RESPONSE'), $charged ? 1 : 0, "$name: receipt";
            is $r->header_count('PAYMENT-REQUIRED'), $status == 402 ? 1 : 0, "$name: offer";
            no_trace $r, 'SECRET', "$name: no content" if $status != 200;
        }
    }
}

# A settlement that is refused closes again what money had opened.
$f->settle(refused => 'insufficient_funds');
for my $where (qw(any deny)) {
    my $r = paid($t, "/$where/a");
    is_refused $r, "$where: refused";
    no_trace $r, 'SECRET', "$where: no content";
}
my $r = $t->get('/all/a', headers => [ @password, pay_with($t, '/deny/a')->@* ]);
is_refused $r, 'all: refused';

finish;
