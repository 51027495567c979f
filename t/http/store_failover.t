# SPDX-License-Identifier: Apache-2.0
# x402_store sentinel://: a replica that is behind becomes the master, and is told
# what it missed; a master that stands still is replaced, and comes back.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Failover;
use X402::Machines;
use X402::Redis;
use X402::Sentinels;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
$up->on('*', body => "SECRET\n");
my $acknowledged = 0;

# --- a replica that is behind becomes the master

my $master    = X402::Redis->new;
my $replica   = $master->replica;
my $sentinels = X402::Sentinels->new($master, 'shop');
my ($one, $other) = two_machines($sentinels->url, $f, $up);
sells_again('sentinels', $_) for $one, $other;
ends_well $one, sub { $replica->known >= 2 }, 'the replica is in step';
my $before = $replica->known;
$replica->freeze;
$master->ask(CLIENT => 'KILL', TYPE => 'replica');
my @sold = sold($one, 3);
ends_well $one, sub { $master->known >= $before + 3 }, 'the master knows what the replica does not';
$acknowledged += 3;
$sentinels->hurry;
$master->stop;
$replica->thaw;
ends_well $one, sub { $replica->known == $before }, 'three payments are lost with the master';
ends_well $one, sub { $replica->ask('ROLE')->[0] eq 'master' }, 'its replica takes over';
$sentinels->calm($replica->port);
ends_well $one, sub { $replica->known >= $before + 3 }, 'and is told what was lost';
is_used('a replica that was behind', $other, \@sold, $f, $up);
sells_again('a replica that was behind', $_) for $one, $other;

# --- a master stands still, and comes back

$master->start;
ends_well $one, sub { $master->ask(INFO => 'replication') =~ /role:slave.*master_link_status:up/s }, 'the old master is a replica';
@sold = sold($one, 3);
ends_well $one, sub { $master->known == $replica->known }, 'and knows what was sold';
$sentinels->hurry;
$f->settle('hold');
my $settling = payment(unpaid($one, '/settling'));
$_->forget for $f, $up;
my $c = $one->connect;
$c->write_request(GET => '/settling', headers => [ header_of($settling) ]);
$f->wait_calls(settle => 1);
$replica->freeze;
$f->settle('paid');
$f->release('settle');
is_content $c->answer, "SECRET\n", 'the master stands still before PAID: content is delivered, because money has moved';
ends_well $one, sub { $master->ask('ROLE')->[0] eq 'master' }, 'another one takes over';
$sentinels->calm($master->port);
sells_again('the master stands still', $_) for $one, $other;
$replica->thaw;
push @sold, sold($one, 2);
is_used('it comes back', $other, \@sold, $f, $up);
is finally($other, '/settling', $settling)->status, 402, 'nor is the one that was on its way';
$acknowledged += 5;
ends_well $one, sub { $replica->ask('ROLE')->[0] eq 'slave' }, 'it is a replica then';
sells_again('it comes back', $_) for $one, $other;

cmp_ok $acknowledged, '>', 0, "payments acknowledged: $acknowledged";

finish;
