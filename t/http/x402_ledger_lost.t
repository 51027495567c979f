# SPDX-License-Identifier: Apache-2.0
# A ledger that was deleted or renamed is noticed. A pipe whose reader stands
# still, and a syslog server that is away, lose lines and nothing else, which is
# counted, and told once.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Fcntl qw(O_NONBLOCK O_RDONLY F_SETPIPE_SZ);
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $away = X402::Port::reserve();
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, level => 'notice', holes => { AWAY => $away });
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
        location / { x402_ledger logs/ledger; proxy_pass http://%%BACKEND%%; }
        location /pipe { x402_ledger logs/pipe; proxy_pass http://%%BACKEND%%; }
        location /socket { x402_ledger syslog:server=unix:%%DIR%%/slow.socket; proxy_pass http://%%BACKEND%%; }
        location /syslog { x402_ledger syslog:server=127.0.0.1:%%AWAY%%; proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402 off; x402_status prometheus; }
    }
}
EOF
$t->allow(qr/ledger .* (?:cannot be written|was deleted)|syslog/);
POSIX::mkfifo($t->dir . '/logs/pipe', 0600) or die $!;
sysopen my $reader, $t->dir . '/logs/pipe', O_RDONLY | O_NONBLOCK or die $!;
fcntl $reader, F_SETPIPE_SZ, 8192 or die $!;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $t->dir . '/slow.socket') or die $!;
chmod 0777, $t->dir . '/slow.socket' or die $!;
$t->start;

sub count ($outcome) { return $t->ask('GET', '/metrics')->body =~ /^nginx_x402_ledger_lines_total\{outcome="$outcome"\} (\d+)$/m ? $1 : -1 }
sub told ($words) { return scalar(() = $t->log =~ /$words/g) }

# --- a pipe ---------------------------------------------------------------------------

is paid($t, "/pipe/$_")->status, 200, "sold, payment $_" for 1 .. 10;
is count('written') + count('lost'), 20, 'all lines are counted';
cmp_ok count('lost'), '>', 5, 'those that do not fit as lost';
is told('\[crit\][^\n]*ledger "\S*/pipe" cannot be written \(11: [^)]*\); payments go on, .*too slow, or has stopped'), 1, 'told once, with the cure';
my $written = count('written');
my $read = '';
1 while sysread $reader, $read, 65536, length $read;
my @lines = split /^/, $read;
is scalar @lines, $written, 'what was written can be read';
is scalar(grep { !eval { JSON::PP::decode_json($_) } } @lines), 0, 'in whole lines';
paid($t, '/pipe/again');
is count('written'), $written + 2, 'and it is written again';
close $reader;
$t->signal('USR1');
is paid($t, '/pipe/gone')->status, 200, 'sold without a reader';

# --- syslog ----------------------------------------------------------------------------

is paid($t, "/syslog/$_")->status, 200, 'sold while the syslog server is away' for 1 .. 4;
is told('\[crit\][^\n]*ledger "syslog:\S+" cannot be written [^\n]*start the syslog server'), 1, 'told once, with the cure';

# It takes what its queue has room for.
my %before = map { $_ => count($_) } qw(written lost);
is paid($t, "/socket/$_")->status, 200, "sold, payment $_" for 1 .. 12;
is count('written') + count('lost') - $before{written} - $before{lost}, 24, 'all lines to a server that does not read are counted';
$socket->blocking(0);
my @messages;
while (defined $socket->recv(my $message, 8192)) { push @messages, $message }
is scalar @messages, count('written') - $before{written}, 'those that count as written arrive';
is scalar(grep { !/: (\{.*\})\z/ || !eval { JSON::PP::decode_json($1) } } @messages), 0, 'whole';
is told('\[crit\][^\n]*ledger "syslog:server=unix:\S+" cannot be written [^\n]*the syslog server is too slow, or has stopped'), 1, 'told once, with the cure';

# --- deleted and renamed -----------------------------------------------------------------

paid($t, '/one');
rename $t->dir . '/logs/ledger', $t->dir . '/logs/ledger.1' or die $!;
ok $t->wait_for(sub { told('\[warn\][^\n]*ledger "\S*/ledger" was renamed, [^\n]* send USR1') == 1 }), 'renamed: noticed, with the cure';
$t->signal('USR1');
ok $t->wait_for(sub { -e $t->dir . '/logs/ledger' }), 'made again';
$t->wait_for(sub { paid($t, '/two'); -s $t->dir . '/logs/ledger' });
unlink $t->dir . '/logs/ledger' or die $!;
ok $t->wait_for(sub { told('\[crit\][^\n]*ledger "\S*/ledger" was deleted, [^\n]* send USR1') == 1 }), 'deleted: noticed, with the cure';
my $lost = count('lost');
paid($t, '/three');
is count('lost'), $lost + 2, 'and what goes nowhere is counted as lost';
$t->signal('USR1');
ok $t->wait_for(sub { -e $t->dir . '/logs/ledger' }), 'made again';
ok $t->wait_for(sub { paid($t, '/four'); -s $t->dir . '/logs/ledger' }), 'and written';
$lost = count('lost');
paid($t, '/five');
is count('lost'), $lost, 'and nothing is lost any more';
cmp_ok -s $t->dir . '/logs/ledger', '>', 0, 'it has lines';

finish;
