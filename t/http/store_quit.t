# SPDX-License-Identifier: Apache-2.0
# A worker that quits while the store is away: payments that are on their way end
# when the store is back, and it is told what became of them before the worker
# goes, so that another machine sells nothing twice.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind(appendonly => 'yes', appendfsync => 'always'));
my $conf = machines_conf('timeout=5s lease=30s', patient => 1);
my $port = X402::Port::reserve();
my ($one, $other) = map {
    nginx($conf, facilitator => $f, backend => $up, port => $port, address => "127.0.0.$_", holes => { STORE => $redis->url })->start
} 1, 2;
$up->on('*',     body => "SECRET\n");
$up->on('/made', body => "SECRET\n", hold => 1);

sub begin ($path) {
    my $payment = payment(unpaid($one, $path));
    my $c       = $one->connect;
    $c->write_request(GET => $path, headers => [ header_of($payment) ]);
    return ($payment, $c);
}

is_content paid($_, '/ready'), "SECRET\n", 'a machine' for $one, $other;
my ($made, $maker) = begin('/made');
$up->wait_count('/made', 1);
$f->forget;
$f->settle('hold');
my ($paid, $payer) = begin('/paid');
$f->wait_calls(settle => 1);
my $acknowledged = $redis->known;

# The store goes away, one payment is delivered, and the worker is told to quit.
$redis->stop;
$f->settle('paid');
$f->release('settle');
is_content $payer->answer, "SECRET\n", 'the store is away before PAID: content is delivered, because money has moved';
$one->log_like(qr/start it, or correct the address/, 'the store is away');
my @workers = $one->workers;
$one->signal('QUIT');
$one->log_like(qr/gracefully shutting down/, 'the worker is told to quit');
$redis->start;
ok $one->wait_for(sub { $one->log =~ /is there again/ }), 'the store is there again, for this worker, too';
$up->release('/made');
is_content $maker->answer, "SECRET\n", 'the payment whose content was being made is settled and delivered';
ok $one->wait_exit(@workers), 'the worker ends';
$_->forget for $f, $up;
is finally($other, '/made', $made)->status, 402, 'which the other machine knows';
is finally($other, '/paid', $paid)->status, 402, 'as it knows what was delivered before';
is $f->calls('settle') + $up->hits, 0, 'nobody is asked';
cmp_ok $acknowledged, '>', 0, "payments acknowledged: $acknowledged";

finish;
