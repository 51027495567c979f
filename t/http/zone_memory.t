# SPDX-License-Identifier: Apache-2.0
# A zone takes memory as payments come: to count its claims reads none of the
# cells that were never used.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone wide:128m;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; root %%DIR%%/html; }
        location = /status { x402_status prometheus; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;
is_content paid($t, '/a'), "SECRET\n", 'paid';

sub claims ($state) {
    return $t->get('/status')->body =~ /^nginx_x402_zone_claims\{state="$state"\} (\d+)$/m ? $1 : 0;
}
ok $t->wait_for(sub { claims('delivered') == 1 }), 'the claim is counted';
cmp_ok claims('free'), '>', 100_000, 'among many that are free';

sub shared_kb ($pid) {
    open my $file, '<', "/proc/$pid/status" or die;
    return join('', <$file>) =~ /^RssShmem:\s+(\d+)/m ? $1 : die 'no RssShmem';
}
my ($worker) = $t->workers;
cmp_ok shared_kb($worker), '<', 24 * 1024, 'and the zone is nearly all untouched';

finish;
