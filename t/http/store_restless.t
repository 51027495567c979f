# SPDX-License-Identifier: Apache-2.0
# A store that takes connections, and closes each with its first script: it is
# asked again some times a second, and no more, and payments are told to come
# again.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Time::HiRes qw(sleep);
use X402::Machines;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $cut = X402::StoreProxy->new($redis->port);
my $t   = nginx(machines_conf('timeout=2s', address => '127.0.0.1'), facilitator => $f, backend => $up, holes => { STORE => $cut->url })->start;
$up->on('*', body => "SECRET\n");
is_content paid($t, '/first'), "SECRET\n", 'a payment';

# An unknown outcome is written behind, and that is repeated with each connection.
$f->settle_once('close');
$cut->always(finish => 'before');
is paid($t, '/unknown')->status, 503, 'an unknown outcome';
my ($asked, $log) = ($cut->asked('INFO'), length $t->log);
sleep 3;
my $again = $cut->asked('INFO') - $asked;
cmp_ok $again, '>', 0, 'it is asked again';
cmp_ok $again, '<=', 30, 'and not without an end';
my $lines = () = substr($t->log, $log) =~ /\n/g;
cmp_ok $lines, '<=', 120, 'nor does the log fill up';
$cut->clear;
ok $t->wait_for(sub { paid($t, '/after')->status == 200 }), 'and then payments go on';
cmp_ok $cut->answered('take'), '>', 0, 'calls acknowledged: ' . $cut->answered('take');

finish;
