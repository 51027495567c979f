# SPDX-License-Identifier: Apache-2.0
# A facilitator that sleeps leaves a free location on the same single worker as
# quick as it was before.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_processes 1;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout verify=30s settle=30s;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    keepalive_requests 10000;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /free  { return 200 free; }
        location /paid  { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /first { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

# Of five hundred requests, on a connection that is kept.
sub p99 () {
    my $c = $t->connect;
    my @seconds = sort { $a <=> $b } map {
        my $r = $c->request(GET => '/free');
        $r->status == 200 ? $r->seconds : 99;
    } 1 .. 500;
    $c->hang_up;
    return $seconds[494];
}

# Other processes may have the processor for a moment: the best of three counts.
sub best () { return (sort { $a <=> $b } map { p99() } 1 .. 3)[0] }

my $normal = best();
my @sleepers;
for my $step ([ '/paid', 'verify' ], [ '/first', 'settle' ]) {
    my ($path, $call) = @$step;
    $call eq 'verify' ? $f->verify('hold') : $f->settle('hold');
    $f->forget;
    push @sleepers, map {
        my $c = $t->connect(from => "127.0.0.$_");
        $c->write_request(GET => $path, headers => pay_with($t, $path));
        $c;
    } 2 .. 21;
    ok $f->wait_calls($call => 20), "twenty payments wait for $call";
    my $now = best();
    note sprintf 'p99 %.2f ms while %s sleeps, %.2f ms before', 1000 * $now, $call, 1000 * $normal;
    cmp_ok $now, '<', 2 * $normal + 0.1, "$call: the free location is as quick as ever";
}
$_->abort for @sleepers;
$f->release;

finish;
