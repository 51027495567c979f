# SPDX-License-Identifier: Apache-2.0
# The rule of Debian's package for logrotate finds the default ledger, and no line
# is lost while it rotates.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $program = (grep { -x } '/usr/sbin/logrotate', '/usr/bin/logrotate')[0];
plan skip_all => 'needs logrotate, and root' if !$program || $> != 0;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:1m journal=state/x402.journal;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $dir = $t->dir;
mkdir "$dir/state" or die $!;
mkdir "$dir/state/log" or die $!;
$up->on('*', body => "CONTENT\n");
$t->start;

# The rule as it is, with the paths of this nginx.
open my $file, '<', "$FindBin::Bin/../../debian/libnginx-mod-http-x402.logrotate" or die $!;
my $rule = do { local $/; <$file> };
my ($user, $group) = ((getpwuid $>)[0], (getgrgid $) + 0)[0]);
ok 1 == ($rule =~ s{^/var/lib/nginx/}{$dir/state/}mg), 'it rotates in the folder of the journal';
ok 1 == ($rule =~ s{^/var/log/nginx/}{$dir/state/log/}mg), 'and in that of the logs';
ok 1 == ($rule =~ s{www-data adm}{$user $group}), 'it makes the new file';
ok 1 == ($rule =~ s{^\s*\Kinvoke-rc\.d nginx rotate .*}{kill -USR1 $t->{pid}}m), 'it tells nginx';
chmod 0644, $t->write('rule', $rule);

sub lines ($path) { open my $lines, '<', $path or return 0; my @all = <$lines>; return scalar @all }

is_content paid($t, '/before'), "CONTENT\n", 'sold';
my $ledger = "$dir/state/x402.journal.ledger";
is lines($ledger), 2, 'two lines';
is system($program, '-f', '-s', "$dir/rotated", "$dir/rule"), 0, 'logrotate is content';
ok $t->wait_for(sub { -e $ledger && -s _ == 0 }), 'a new ledger';
is sprintf('%o', (stat $ledger)[2] & 0777), '640', 'that not everyone can read';
ok $t->wait_for(sub { paid($t, '/after'); lines($ledger) > 0 }), 'which is written';
my ($old) = glob "$ledger-*";
like $old, qr/-\d{8}\z/, 'the old one has its day';
cmp_ok lines($old), '>=', 2, 'and its lines';
is scalar(grep { !/\.ledger/ && /-\d{8}/ } glob "$dir/state/*"), 0, 'the journal is not rotated';
$t->log_unlike(qr/was (?:renamed|deleted)/, 'nothing is amiss');

finish;
