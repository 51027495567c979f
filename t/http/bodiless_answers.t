# SPDX-License-Identifier: Apache-2.0
# An answer without a body is delivered when its header is: the payment for it
# is used, in both orders of settlement.

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
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /after/  { proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /stream/ { proxy_buffering off; proxy_pass http://%%BACKEND%%; }
        location /file/   { alias %%DIR%%/html/; }
    }
}
EOC
for my $where ('after', 'before', 'stream') {
    $up->on("/$where/204", status => 204);
    $up->on("/$where/304", status => 304, headers => [ ETag => '"a"' ]);
    $up->on("/$where/302", status => 302, headers => [ Location => '/elsewhere' ], body => '');
    $up->on("/$where/200", body => '');
    $up->on("/$where/chunked/200", body => '', chunked => 1);
}
$t->write('html/200', '');
$t->start;

sub used ($path, %how) {
    my $name = $path . ($how{h2} ? ' over HTTP/2' : '');
    my ($status) = $path =~ /(\d+)\z/;
    my $payment = payment(unpaid($t, $path));
    $_->forget for $f, $up;
    my $r = paid($t, $path, payment => $payment, %how);
    is $r->status, $status, "$name: answered";
    ok receipt($r)->{success}, "$name: charged";
    is $r->body, '', "$name: without a body";
    is paid($t, $path, payment => $payment, %how)->status, 402, "$name: the payment is used";
    is $up->hits, $path =~ /file/ ? 0 : 1, "$name: made once";
    is $f->calls('settle'), 1, "$name: settled once";
    return;
}

for my $protocol ([], [ h2 => 1, port => 'h2' ]) {
    used("/$_", @$protocol) for (map { my $where = $_; map {"$where/$_"} qw(204 302 200 chunked/200) } qw(after before stream)),
        'before/304', 'file/200';
}
$t->log_unlike(qr/owed/, 'nothing is owed');

finish;
