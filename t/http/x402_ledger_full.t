# SPDX-License-Identifier: Apache-2.0
# On a full disk payments go on. The lines of the ledger that are lost are
# counted and told once, and what was cut of a line is taken back.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());

# Files that may not grow fail as a full disk does.
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, level => 'notice');
%%GLOBALS%%
worker_processes 1;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_ledger logs/ledger; error_log /dev/null; proxy_pass http://%%BACKEND%%; }
        location /full { x402_ledger /dev/full; error_log /dev/null; proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOF
$t->allow(qr/ledger .* cannot be written/);
$up->on('*', body => "SECRET\n");
my $wrapper = $t->write('nginx-with-limits', <<"EOF");
#!/bin/sh
trap '' XFSZ
ulimit -f 16
exec '${\X402::Nginx::binary()}' "\$\@"
EOF
chmod 0755, $wrapper or die $!;
$ENV{NGINX} = $wrapper;
$t->start;

sub lost () { return $t->ask('GET', '/metrics')->body =~ /^nginx_x402_ledger_lines_total\{outcome="lost"\} (\d+)$/m ? $1 : -1 }
sub told () { return scalar(() = $t->log =~ /\[crit\][^\n]*ledger "[^"]*" cannot be written/g) }

is_content paid($t, '/full'), "SECRET\n", 'a full disk: content is sold';
ok $t->wait_for(sub { lost() == 2 }), 'both lines are counted';
is_content paid($t, '/full'), "SECRET\n", 'and again';
ok $t->wait_for(sub { lost() == 4 }), 'with the next two';
is told(), 1, 'and told once';
like $t->log, qr{ledger "/dev/full" cannot be written \(28: No space left on device\); payments go on}, 'with the reason and the way out';

for (1 .. 12) {
    paid($t, '/many');
}
ok $t->wait_for(sub { lost() > 4 }), 'a file that may not grow';
open my $fh, '<', $t->dir . '/logs/ledger' or die $!;
my @lines = <$fh>;
cmp_ok scalar @lines, '>', 4, 'has lines';
is scalar(grep { !eval { JSON::PP::decode_json($_) } || !/\n\z/ } @lines), 0, 'all of them whole';
my ($written) = $t->ask('GET', '/metrics')->body =~ /^nginx_x402_ledger_lines_total\{outcome="written"\} (\d+)$/m;
is $written, scalar @lines, 'as many as are counted';
is lost() - 4 + @lines, 24, 'and the others are lost';

finish;
