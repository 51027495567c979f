# SPDX-License-Identifier: Apache-2.0
# gRPC calls are sold like any request: the price is an HTTP 402, a call that
# failed (grpc-status in the header, not 0) is free, one that worked is charged.

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
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /free/ { grpc_pass grpc://127.0.0.1:%%PORT_grpc%%; }
        location /      { x402_price $0.01; grpc_pass grpc://127.0.0.1:%%PORT_grpc%%; }
    }
    # A server of calls; nginx itself, since it speaks HTTP/2 without TLS.
    server { listen 127.0.0.1:%%PORT_grpc%% http2; location / { proxy_pass http://%%BACKEND%%; } }
}
EOC
my $message = "\0\0\0\0\6SECRET";
my @grpc = ('Content-Type' => 'application/grpc');
$up->on('/a.Service/Works', body => $message, headers => [ @grpc, 'grpc-encoding' => 'identity' ]);
$up->on('/a.Service/Ok', body => $message, headers => [ @grpc, 'grpc-status' => '0' ]);
$up->on("/a.Service/Fails$_", body => '', headers => [ @grpc, 'grpc-status' => $_, 'grpc-message' => 'no' ]) for 1, 5, 16;
$up->on('/a.Service/Odd', body => '', headers => [ @grpc, 'grpc-status' => 'x' ]);
$up->on('/free/', body => $message, headers => \@grpc);
$up->on('/a.Service/Dies', body => '', die => 'head');
$t->start;

my %call = (h2 => 1, port => 'h2', method => 'POST', body => "\0\0\0\0\2me");
my @call = (headers => [ @grpc, TE => 'trailers' ]);

for my $h2 (1, 0) {
    delete @call{qw(h2 port)} if !$h2;
    my $p = $h2 ? '' : 'HTTP/1.1, ';

    $up->forget;
    my $r = $t->ask('POST', '/a.Service/Works', %call, @call);
    is $r->status, 402, "${p}unpaid";
    ok offer($r), "${p}with an offer";
    no_trace $r, 'SECRET', "${p}and no content";
    ok $up->hits == 0, "${p}the service saw nothing";
    is $t->ask('POST', '/free/', %call, @call)->body, $message, "${p}a free call";

    for my $path (qw(Works Ok)) {
        $f->forget;
        $r = paid($t, "/a.Service/$path", %call, @call);
        is_content $r, $message, "${p}$path: paid";
        is $f->order, 'verify settle', "${p}$path: charged";
        is +($up->requests("/a.Service/$path"))[-1]{body}, $call{body}, "${p}$path: the message arrives";
    }

    for my $path (qw(Fails1 Fails5 Fails16 Odd Dies)) {
        $f->forget;
        my $payment = payment(unpaid($t, "/a.Service/$path", %call));
        for my $time (qw(first second)) {
            $r = paid($t, "/a.Service/$path", payment => $payment, %call, @call);
            is $r->header_count('PAYMENT-RESPONSE'), 0, "${p}$path, $time time: no receipt";
            is $r->header('grpc-status'), $path =~ /(\d+)/ ? $1 : $path eq 'Odd' ? 'x' : undef, "${p}$path: its status";
        }
        is $f->order, 'verify verify', "${p}$path: never settled";
    }

    $f->settle_once(refused => 'insufficient_funds');
    $r = paid($t, '/a.Service/Works', %call, @call);
    is_refused $r, "${p}refused";
    no_trace $r, 'SECRET', "${p}refused: no content";
}

finish;
