# SPDX-License-Identifier: Apache-2.0
# A store that is changed while machines use it, on connections that stay open:
# one that is told to evict is left within seconds, and one that is emptied is
# told again what the machines know.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::RedisCluster;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf     = machines_conf('timeout=2s', address => '127.0.0.1');
my $cluster  = X402::RedisCluster->new;
$up->on('*', body => "SECRET\n");

# All at once, because each takes some seconds.
my %redis = map { $_ => X402::Redis->new } qw(evicts emptied);
my %store = (evicts => $redis{evicts}->url, emptied => $redis{emptied}->url, cluster => $cluster->url . ' cluster');
my %t = map { $_ => nginx($conf, facilitator => $f, backend => $up, holes => { STORE => $store{$_} })->start } sort keys %store;
is_content paid($t{$_}, '/first'), "SECRET\n", "$_: with a store as it should be" for sort keys %t;

sub known (@servers) { my $sum = 0; $sum += $_->known for @servers; return $sum }
my @nodes = $cluster->nodes->@*;
for my $case ([ emptied => $redis{emptied} ], [ cluster => @nodes ]) {
    my ($name, @servers) = @$case;
    ok $t{$name}->wait_for(sub { known(@servers) == 1 }), "$name: knows the payment";
    $_->ask('FLUSHALL') for @servers;
    is known(@servers), 0, "$name: and then nothing";
}
$redis{evicts}->ask(CONFIG => 'SET', 'maxmemory-policy', 'allkeys-lru');

$t{evicts}->log_like(qr/\[error\].*set maxmemory-policy to noeviction/, 'evicts: a line says what to do');
my $payment = payment(unpaid($t{evicts}, '/busy'));
$_->forget for $f, $up;
my $answer = paid($t{evicts}, '/busy', payment => $payment);
is $answer->status . $answer->body, '503{"error":"busy","charged":false}', 'evicts: busy';
is $f->calls + $up->hits, 0, 'evicts: nobody is asked';
$redis{evicts}->ask(CONFIG => 'SET', 'maxmemory-policy', 'noeviction');
ok $t{evicts}->wait_for(sub { ($answer = paid($t{evicts}, '/busy', payment => $payment))->status == 200 }),
    'evicts: and then the payment is good';

my $acknowledged = 0;
for my $case ([ emptied => $redis{emptied} ], [ cluster => @nodes ]) {
    my ($name, @servers) = @$case;
    $t{$name}->log_like(qr/\[crit\].*was emptied, or is another.*appendonly yes/, "$name: a line says what to do");
    ok $t{$name}->wait_for(sub { known(@servers) == 1 }), "$name: the payment is told again";
    is_content paid($t{$name}, '/after'), "SECRET\n", "$name: payments go on";
    $t{$name}->wait_for(sub { known(@servers) == 2 });
    $acknowledged += known(@servers);
}
cmp_ok $acknowledged, '>', 0, "claims acknowledged: $acknowledged";

finish;
