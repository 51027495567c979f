# SPDX-License-Identifier: Apache-2.0
# A store that has lost its data learns from each machine again what is owed and
# of unknown outcome, however long ago that was, and also from one that comes
# back with its journal: another machine delivers what is owed, and nothing is
# charged twice.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::RedisCluster;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = machines_conf('timeout=3s lease=5s', patient => 1, http => 'x402_zone x402:1m journal=payments;');
my %nodes = (server => [ X402::Redis->of_kind ], cluster => X402::RedisCluster->new);
for my $kind ($ENV{STORE} ? 'server' : qw(server cluster)) {
    my $cluster = $kind eq 'cluster' && $nodes{cluster};
    my @nodes   = $cluster ? $cluster->nodes->@* : $nodes{server}->@*;
    tell_again($kind, $cluster ? $cluster->url . ' cluster' : $nodes[0]->url, @nodes);
}

sub tell_again ($kind, $url, @nodes) {
    my ($one, $two) = machines($conf, $f, $up, [ $url, $url ]);
    $f->settle('paid');
    my $keys = sub ($pattern) { return scalar map { $_->ask(KEYS => $pattern)->@* } @nodes };
    # Lists of payers with something open.
    my $open_in = sub ($many) { return $one->wait_for(sub { $keys->('*:o:*') >= $many }, 60) };
    my $empty = sub (@machines) {
        my %crit = map { $_ => $_->log_count(qr/\[crit\].*was emptied, or is another/) } @machines;
        $_->ask('FLUSHALL') for @nodes;
        ok $_->wait_for(sub { $_->log_count(qr/\[crit\].*was emptied, or is another/) > $crit{$_} }, 60), "$kind: emptied" for @machines;
    };
    my $owed = sub ($path) {
        $up->on($path, status => 500, body => "broken\n");
        my $payment = payment(unpaid($one, $path));
        is paid($one, $path, payment => $payment)->status, 500, "$kind, $path: charged, and owed";
        $up->on($path, body => "SECRET\n");
        return $payment;
    };

    my $old = $owed->("/before/$kind/old");
    $up->on("/$kind/open", body => "SECRET\n");
    my $open = payment(unpaid($one, "/$kind/open"));
    $f->settle('close');
    is paid($one, "/$kind/open", payment => $open)->status, 503, "$kind: another one, of unknown outcome";
    ok $open_in->(2), "$kind: the store knows of both";
    $f->settle('hold');    # nobody learns the outcome by itself
    # The workers that would repeat what they have written are gone.
    $one->reload;
    $empty->($one);
    ok $open_in->(2), "$kind: and is told again, from the zone";
    $f->settle('paid');
    $f->release;
    is_content finally($two, "/$kind/open", $open), "SECRET\n", "$kind: the unknown one is learned and delivered elsewhere";
    $f->forget;
    is_content finally($two, "/before/$kind/old", $old), "SECRET\n", "$kind: what is owed, too";
    is $f->calls('settle'), 0, "$kind: and is not charged again";

    my $back = $owed->("/before/$kind/back");
    ok defined $one->quit, "$kind: a machine ends";
    $empty->($two);
    is $keys->('*:o:*'), 0, "$kind: what it owes is not known";
    $one->start;
    ok $open_in->(1), "$kind: it comes back with its journal";
    $f->forget;
    is_content finally($two, "/before/$kind/back", $back), "SECRET\n", "$kind: and another machine delivers";
    is $f->calls('settle'), 0, "$kind: for no new charge";
    return;
}

finish;
