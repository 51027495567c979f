# SPDX-License-Identifier: Apache-2.0
# The facilitator's name: looked up by nginx's resolver where there is one, else
# in the background; the last good addresses are kept, and calls that wait for
# an address wait no longer than their deadline.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Names;

my $names = X402::Names->new;
my ($f, $up) = (facilitator(), backend());
my ($port) = $f->url =~ /:(\d+)/;
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { FPORT => $port, DNS => $names->port });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_facilitator_timeout verify=4s;
    x402_facilitator_group nowhere { server http://nowhere.invalid:%%FPORT%% max_fails=0; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location /resolver/ {
            resolver 127.0.0.1:%%DNS%% ipv6=off valid=1s;
            x402_price $0.01;
            x402_facilitator http://facilitator.test:%%FPORT%%;
            proxy_pass http://%%BACKEND%%;
        }
        location /local/ {
            x402_price $0.01;
            x402_facilitator http://localhost:%%FPORT%%;
            proxy_pass http://%%BACKEND%%;
        }
        location /nowhere/ {
            x402_price $0.01;
            x402_facilitator nowhere;    # for ever hoped for
            proxy_pass http://%%BACKEND%%;
        }
        location /quiet/ {
            resolver 127.0.0.1:%%DNS%% ipv6=off valid=1s;
            x402_price $0.01;
            x402_facilitator http://quiet.test:%%FPORT%%;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

is_content paid($t, '/resolver/a'), "SECRET\n", 'a name by nginx\'s resolver';
is $f->order, 'verify settle', 'and both calls go there';
is_content paid($t, '/local/a'), "SECRET\n", 'a name of the system';

# The address is due for another look (its time to live is a second), and the
# name server has forgotten it: the last good one serves on.
$names->does('unknown');
sleep 1.2;
my $said = qr/no address found for facilitator host "facilitator\.test"; the last good ones/;
my @served;
ok $t->wait_for(sub { push @served, paid($t, '/resolver/a')->status; $t->log =~ $said }),
    'a look-up that fails is said';
is scalar(grep { $_ != 200 } @served), 0, 'payments go on meanwhile';
is_content paid($t, '/resolver/a'), "SECRET\n", 'and the last good address is kept';

# A name server that is silent: the call waits for its deadline, no longer.
$names->does('silence');
my $r = paid($t, '/quiet/a');
is $r->status, 504, 'no address in time: 504';
is $r->body, '{"error":"facilitator_timeout","charged":false}', 'with its word';
cmp_ok $r->seconds, '<', 10, 'at the deadline';
$names->does('answer all');
my $served = $t->wait_for(sub { paid($t, '/quiet/a')->status == 200 });
ok $served, 'an address that becomes known is used';

# An unknown name: an answer each, and no thread for each.
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/nowhere/a', headers => pay_with($t, '/nowhere/a'), close => 1);
    $c;
} 1 .. 100;
my ($worker) = $t->workers;
opendir my $threads, "/proc/$worker/task" or die $!;
my $count = grep { /\d/ } readdir $threads;
cmp_ok $count, '<=', 4, 'a hundred calls to an unknown name start no hundred threads';
is scalar(grep { $_->answer->status == 502 } @clients), 100, 'all are answered 502';
is $up->hits('/nowhere/a'), 0, 'the backend is not asked';

finish;
