# SPDX-License-Identifier: Apache-2.0
# TLS with a store of several servers: the nodes of a cluster, one of which shows
# the certificate of another host, and a sentinel with its master.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use X402::Certificates;
use X402::Machines;
use X402::Redis;
use X402::RedisCluster;
use X402::Sentinels;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $dir = File::Temp->newdir;
X402::Certificates::make("$dir");
$up->on('*', body => "SECRET\n");

sub machine ($store) {
    return nginx(machines_conf("timeout=2s ssl_trusted_certificate=$dir/ca.pem", address => '127.0.0.1'),
        facilitator => $f, backend => $up, holes => { STORE => $store })->start;
}
sub encrypted ($server) {
    my @clients = grep { /user=/ && !/cmd=client/ } split /\n/, $server->ask(CLIENT => 'LIST');
    my $port = $server->{options}{'tls-port'};
    return scalar grep {/laddr=127\.0\.0\.1:$port/} @clients;
}

# --- a cluster

my $cluster = X402::RedisCluster->new(tls => "$dir");
my @nodes   = $cluster->nodes->@*;
my $t       = machine($cluster->url . ' cluster');
my @payer;
$t->wait_for(sub {
    my @known = map { $_->known } @nodes;
    my $payer = random_hex(20);
    is_content paid($t, '/of', change => { from => $payer }), "SECRET\n", 'a payer';
    for my $i (0 .. 2) { $payer[$i] //= $payer if $nodes[$i]->known > $known[$i] }
    return 3 == grep {defined} @payer[ 0 .. 2 ];
}, 60);
is scalar(grep {defined} @payer), 3, 'each node of the cluster knows some of the payers';
cmp_ok encrypted($nodes[$_]), '>', 0, "node $_: by way of TLS" for 0 .. 2;
my $acknowledged = 0;
$acknowledged += $_->known for @nodes;

$nodes[2]->ask(CONFIG => 'SET', 'tls-cert-file', "$dir/other.pem", 'tls-key-file', "$dir/other.key");
$nodes[2]->ask(CLIENT => 'KILL', TYPE => 'normal', SKIPME => 'yes');
my $answer;
$t->wait_for(sub { $_->forget for $f, $up; ($answer = paid($t, '/other', change => { from => $payer[2] }))->status == 503 });
is $answer->status . $answer->body, '503{"error":"busy","charged":false}', 'a node with the certificate of another host: its payers come again';
is $f->calls + $up->hits, 0, 'nobody is asked';
my $port = $nodes[2]{options}{'tls-port'};
$t->log_like(qr/\[error\].*node "127\.0\.0\.1:$port".*TLS to .*mismatch.*the certificate of the server/, 'a line says which, and what to do');
is paid($t, '/others', change => { from => $payer[$_] })->status, 200, "those of node $_ pay" for 0, 1;
$nodes[2]->ask(CONFIG => 'SET', 'tls-cert-file', "$dir/good.pem", 'tls-key-file', "$dir/good.key");
ok $t->wait_for(sub { paid($t, '/back', change => { from => $payer[2] })->status == 200 }, 60), 'with its own certificate they pay, too';

# --- a sentinel and its master

my %tls = ('tls-auth-clients' => 'no', 'tls-replication' => 'yes', 'tls-ca-cert-file' => "$dir/ca.pem",
    'tls-cert-file' => "$dir/good.pem", 'tls-key-file' => "$dir/good.key");
my ($of_master, $of_sentinel) = map { X402::Port::reserve() } 1, 2;
my $master   = X402::Redis->new(%tls, 'tls-port' => $of_master);
my $sentinel = X402::Sentinel->new('tls-port' => $of_sentinel,
    text => join '', "sentinel monitor shop 127.0.0.1 $of_master 1\n", "sentinel down-after-milliseconds shop 60000\n",
    "tls-port $of_sentinel\n", map {"$_ $tls{$_}\n"} sort keys %tls);
$t = machine("sentinels://127.0.0.1:$of_sentinel/shop");
ok $t->wait_for(sub { paid($t, '/a')->status == 200 }, 60), 'the master of a sentinel' or diag $t->log;
cmp_ok encrypted($master), '>', 0, 'by way of TLS';
$t->log_like(qr/\[notice\].*the master is 127\.0\.0\.1:$of_master/, 'as the sentinel has told');
$acknowledged += $master->known;
$t->stop;
$t = machine('sentinels://127.0.0.1:' . $sentinel->port . '/shop');
is paid($t, '/b')->status, 503, 'TLS with a port of the sentinel that has none: busy';
$t->log_like(qr/\[warn\].*sentinel "127\.0\.0\.1:\d+" of the store: TLS to/, 'a line says so');

cmp_ok $acknowledged, '>', 0, "payments acknowledged: $acknowledged";

finish;
