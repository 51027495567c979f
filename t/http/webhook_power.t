# SPDX-License-Identifier: Apache-2.0
# A loss of power while the files of x402_webhook take turns: the present one may be cut, or have zeros where its
# events were, and the former one has them still. It is not emptied before the present one is on the disk.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $shim = "$FindBin::Bin/../../build/chaos/fault_shim.so";
plan skip_all => 'build/chaos/fault_shim.so is not built' if !-e $shim;
plan skip_all => 'a sanitizer comes first'                if X402::Nginx::module() eq 'static';

my ($f, $up, $hook) = (facilitator(), backend(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up, holes => { HOOK => $hook->address });
%%GLOBALS%%
worker_processes 2;
env LD_PRELOAD;
env CHAOS_CONTROL;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_ledger off;
    x402_zone x402:4m journal=payments;
    x402_webhook http://%%HOOK%%/hook;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOC
$up->on('*', body => "CONTENT\n");
my @path = map { $t->dir . "/payments.events$_" } '', '.2';

sub waiting () { return $t->get('/metrics')->body =~ /^nginx_x402_webhook_waiting_events (\d+)$/m ? $1 : -1 }
sub events ()  { return map { $_->{body} =~ /"payment_id":"(\w+)"/ ? $1 : $_->{body} } $hook->requests('/hook') }

# --- what a loss of power leaves -----------------------------------------------------

# A line as the file has it; an event that was received begins with another byte.
sub event ($id) { return '{"event":"settled","payment_id":"' . $id . '","pad":"' . 'x' x 200 . "\"}\n" }
sub received ($id) { return event($id) =~ s/^\{/-/r }
sub file ($edition, @lines) { return sprintf "#%020d %020d\n", $edition, scalar(grep { /^-/ } @lines) }
sub file_of ($edition, @lines) { return file($edition, @lines) . join '', @lines }

# The files as they are found, and the events that are to be sent, in their order.
sub is_sent ($name, $first, $second, @expected) {
    unlink @path, $t->dir . '/payments', $t->dir . '/payments.2';
    $t->write('payments.events',   $first)  if defined $first;
    $t->write('payments.events.2', $second) if defined $second;
    $hook->forget;
    $hook->on('*', status => 204);
    $t->start;
    ok $t->wait_for(sub { events() >= @expected && waiting() == 0 }, 15), "$name: all are received";
    is join(' ', sort(events())), join(' ', sort @expected), "$name: each once";
    ok defined $t->quit, 'nginx ends';
    return;
}

$t->allow(qr/after a loss of power|belong to no whole event/);
my @abc   = map { event($_) } qw(a b c);
my $whole = file_of(7, @abc);
is_sent('cut behind its head',      $whole, file_of(8), qw(a b c));
is_sent('cut behind an event',      file_of(8, $abc[0]), $whole, qw(a b c));
is_sent('cut within an event',      $whole, file_of(8, $abc[0], substr $abc[1], 0, 50), qw(a b c));
is_sent('zeros',                    $whole, file_of(8, $abc[0], "\0" x 300, $abc[2], event('d')), qw(a b c d));
is_sent('zeros within an event',    $whole, file_of(8, $abc[0], substr($abc[1], 0, 60) . "\0" x 100 . substr($abc[1], 160), $abc[2]), qw(a b c));
is_sent('received since then',      $whole, file_of(8, received('a'), $abc[1], event('d')), qw(b c d));
is_sent('received before',          file_of(7, received('a'), @abc[1, 2]), file_of(8, $abc[1], event('d')), qw(b c d));
is_sent('nothing is missing',       $whole, file_of(8, received('a'), received('b'), $abc[2], event('d')), qw(c d));
is_sent('a file of another time',   file_of(5, event('z'), @abc), file_of(8, $abc[2]), qw(c));
is_sent('a head that was not done', $whole, file_of(8, $abc[0]) =~ s/^#/?/r, qw(a b c));
is_sent('zeros at its head',        $whole, "\0" x 43 . join('', @abc, event('d')), qw(a b c d));
is_sent('zeros at its beginning',   "\0" x (43 + length join '', @abc) . event('d'), $whole, qw(a b c d));
is $t->log_count(qr/2 events were gone from "\S*payments\.events" after a loss of power, and were found/), 1, 'a line says so';

# The events of one payment are sent in their order.
is_sent('one payment', file_of(7, event('p'), event('p') =~ s/settled/delivered/r),
    file_of(8, event('p') =~ s/settled/delivered/r), qw(p p));
is join(' ', map { $_->{body} =~ /"event":"(\w+)"/ } $hook->requests('/hook')), 'settled delivered', 'in its order';

# --- the disk is asked first -----------------------------------------------------------

my $control = $t->write('control', pack 'q12', (0) x 12);

sub set_word ($number, $value) {
    open my $disk, '+<:raw', $control or die "$control: $!";
    sysseek $disk, 8 * $number, 0;
    syswrite $disk, pack 'q', $value;
    return;
}

sub flushes () {
    open my $disk, '<:raw', $control or die "$control: $!";
    sysread $disk, my $bytes, 96;
    return (unpack 'q12', $bytes)[11];
}
sub with_lines () { return scalar grep { -s > 43 } @path }

local $ENV{LD_PRELOAD}    = $shim;
local $ENV{CHAOS_CONTROL} = $control;

# What was found in the former file is on the disk in the present one, too, when the former one is written over: the
# power fails again in that moment, and takes what was not on the disk.
sub bytes_of ($path) { open my $file, '<', $path or return ''; local $/; return scalar <$file> }
unlink @path, $t->dir . '/payments', $t->dir . '/payments.2';
$t->write('payments.events', $whole);
$t->write('payments.events.2', file_of(8, $abc[0]));
set_word(9, 3e6);
$t->launch;
ok $t->wait_for(sub { substr(bytes_of($path[0]), 0, 1) eq '?' }, 60), 'the former file is written over, and not on the disk yet';
kill KILL => $t->pid;
ok defined $t->wait_end, 'a second loss of power';
is substr(bytes_of($path[0]), 0, 1), '?', 'in that moment';
set_word(9, 0);
is_sent('what is left', '', bytes_of($path[1]), qw(a b c));

# While it takes its turn.
unlink @path;
$hook->on('*', status => 500);
$t->start;
paid($t, "/many$_") for 1 .. 70;
ok $t->wait_for(sub { waiting() == 140 }), 'many wait';
$hook->on('*', status => 204, refuses => '/many70');
$t->wait_for(sub { flushes() > 0 });
my $before = flushes();
set_word(9, 3600e6);    # as long as it stands there
ok $t->wait_for(sub { with_lines() == 2 }, 30), 'the other file has its turn';
is flushes(), $before, 'it is not on the disk yet';
set_word(9, 0);
ok $t->wait_for(sub { flushes() > $before }), 'then it is';
ok $t->wait_for(sub { with_lines() == 1 }), 'and the former one is emptied';
ok defined $t->quit, 'nginx ends';

finish;
