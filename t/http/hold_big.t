# SPDX-License-Identifier: Apache-2.0
# 50 MB, held: unchanged when paid, not a byte when not.

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
    x402_price $0.01;
    proxy_http_version 1.1;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;

        location /sendfile/   { alias %%DIR%%/html/; sendfile on; }
        location /read/       { alias %%DIR%%/html/; sendfile off; }
        location /buffered    { proxy_pass http://%%BACKEND%%/big; }
        location /memory      { proxy_pass http://%%BACKEND%%/big; proxy_max_temp_file_size 0; }
        location /unbuffered  { proxy_pass http://%%BACKEND%%/big; proxy_buffering off; }
        location /chunked     { proxy_pass http://%%BACKEND%%/chunked; }
    }
}
EOF

my $line = "SECRET " . 'x' x 56 . "\n";
my $big  = $line x (50 * 1024 * 1024 / 64);
$t->write('html/big', $big);
$up->on('/big', body => $line, size => length $big);
$up->on('/chunked', body => $line, size => length $big, chunked => 1);
$t->start;

held($t, $f, $_, $_, body => $big) for qw(/sendfile/big /read/big /buffered /memory /unbuffered /chunked);

# The worker holds almost nothing of it while it waits.
my ($worker) = $t->workers;
sub resident () {
    open my $status, '<', "/proc/$worker/status" or die;
    return +(map { /VmRSS:\s+(\d+)/ } <$status>)[0];
}
my $before = resident();
$f->settle('hold');
$f->forget;
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => $_, headers => pay_with($t, $_), close => 1);
    $c;
} (qw(/sendfile/big /read/big /buffered /memory /unbuffered)) x 2;
ok $f->wait_calls(settle => 10), 'ten held';
cmp_ok resident() - $before, '<', 1_000, 'each in less than 100 KB' if !$ENV{X402_SLOW};
is join('', map { $_->rest(0.02) } @clients), '', 'none has sent a byte';
$f->settle('paid');
$f->release('settle');
is scalar(grep { $_->answer->body eq $big } @clients), 10, 'released';

finish;
