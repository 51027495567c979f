# SPDX-License-Identifier: Apache-2.0
# The ledger has one JSON line for each money event, with all members, in the
# file of its location, also for outcomes that come without a request. Lines stay whole, the file
# is opened again at USR1, and a full disk loses lines and nothing else.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET ();
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $log = IO::Socket::INET->new(Proto => 'udp', LocalAddr => '127.0.0.1', Timeout => 10) or die $!;
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { SYSLOG => $log->sockport });
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_ledger logs/ledger;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        location / { x402_label all; proxy_pass http://%%BACKEND%%; add_header X-Id $request_id; }
        location /early { set $early $request_id; proxy_pass http://%%BACKEND%%; add_header X-Id $early; }
        location /buffered { x402_ledger logs/buffered format=json buffer=16k flush=100ms; proxy_pass http://%%BACKEND%%; }
        location /syslog { x402_ledger syslog:server=127.0.0.1:%%SYSLOG%%,tag=shop; proxy_pass http://%%BACKEND%%; }
        location /off { x402_ledger off; proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

sub lines ($file = 'ledger') {
    open my $fh, '<', $t->dir . "/logs/$file" or return;
    my @lines = <$fh>;
    return map { JSON::PP::decode_json($_) } @lines;
}
# The events of one resource, in order, once there are as many as wanted.
sub events ($path, $wanted, $file = 'ledger') {
    my @found;
    $t->wait_for(sub {
        @found = grep { ($_->{resource} // '') =~ /\Q$path\E$/ } lines($file);
        return @found >= $wanted;
    });
    return @found;
}
sub kinds (@events) { return join ' ', map { $_->{event} } @events }

# --- paid, with all members -----------------------------------------------------

my @members = qw(time event payment_id request_id server location method resource payer pay_to network asset symbol
    amount amount_decimal scheme x402_version verify_ms transaction facilitator settle_ms delivered reason module_version);
my $answer = paid($t, '/paid');
is_content $answer, "SECRET\n", 'paid';
my @paid = events('/paid', 2);
is kinds(@paid), 'settled delivered', 'settled, then delivered';
is_deeply [ sort keys $_->%* ], [ sort @members ], "$_->{event} has all members" for @paid;
my $settled = $paid[0];
like $settled->{time}, qr/\A20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/, 'time in UTC';
like $settled->{payment_id}, qr/\A[0-9a-f]{64}\z/, 'payment id';
is $paid[1]{payment_id}, $settled->{payment_id}, 'the same in both';
is $settled->{request_id}, scalar $answer->header('X-Id'), 'the request id that nginx logs';
like $settled->{request_id}, qr/\A[0-9a-f]{32}\z/, 'of the same form';
is $paid[1]{request_id}, $settled->{request_id}, 'one for each request';
my $early = paid($t, '/early');
is +(events('/early', 1))[0]{request_id}, scalar $early->header('X-Id'), 'the same where it was read before the payment';
my %ids = map { $_ => 1 } $settled->{request_id}, map { scalar paid($t, '/paid/again')->header('X-Id') } 1 .. 8;
is scalar keys %ids, 9, 'and another one for each other request';
my %wanted = (
    server => 'shop.example', location => 'all', method => 'GET', pay_to => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
    network => 'eip155:84532', symbol => 'USDC', amount => '10000', amount_decimal => '0.01', scheme => 'exact',
    x402_version => 2, facilitator => $f->url, delivered => JSON::PP::false, reason => undef,
);
is_deeply { map { $_ => $settled->{$_} } keys %wanted }, \%wanted, 'and what it is about';
is $settled->{transaction}, receipt($answer)->{transaction}, 'the transaction of the receipt';
like $settled->{payer}, qr/\A0x[0-9a-fA-F]{40}\z/, 'payer';
like "$settled->{verify_ms} $settled->{settle_ms}", qr/\A\d+ \d+\z/, 'both times';
is $paid[1]{delivered}, JSON::PP::true, 'delivered';

# --- the other events -------------------------------------------------------------

$f->settle(refused => 'insufficient_funds');
paid($t, '/refused');
my ($refused) = events('/refused', 1);
is $refused->{event}, 'refused', 'refused';
is $refused->{reason}, 'insufficient_funds', 'with its reason';

$f->settle('close');
my $value = payment(unpaid($t, '/unknown'));
is paid($t, '/unknown', payment => $value)->status, 503, 'an outcome that is unknown';
my ($unknown) = events('/unknown', 1);
is $unknown->{event}, 'unknown', 'unknown';
ok $unknown->{reason}, 'says why';
$f->settle('paid');
is_content paid($t, '/unknown', payment => $value), "SECRET\n", 'presented again';
my @resolved = events('/unknown', 3);
is kinds(@resolved), 'unknown resolved redelivered', 'resolved and delivered';
is $_->{payment_id}, $unknown->{payment_id}, "$_->{event} is of the same payment" for @resolved;

# without its client
$f->settle('hold');
$f->forget;
my $c = $t->connect;
$c->write_request(GET => '/gone', headers => pay_with($t, '/gone'));
$f->wait_calls(settle => 1);
ok $t->leave($c, 'hang_up'), 'the client leaves while its payment is settled';
$f->settle('paid');
$f->release;
my @gone = events('/gone', 2);
is kinds(@gone), 'settled owed', 'settled and owed';
is $gone[1]{$_}, $gone[0]{$_}, "with the same $_" for qw(request_id location method pay_to amount_decimal verify_ms transaction);
is $gone[0]{location}, 'all', 'and all that is known of the request';

# without its worker
$f->settle('hold');
$f->forget;
$c = $t->connect;
$c->write_request(GET => '/killed', headers => pay_with($t, '/killed'));
$f->wait_calls(settle => 1);
my @workers = $t->workers;
kill KILL => @workers;
$t->wait_for(sub { my %old = map { $_ => 1 } @workers; my @new = grep { !$old{$_} } $t->workers; @new == 2 });
$f->settle('paid');
$f->release;
my @killed = events('/killed', 2);
is kinds(@killed), 'resolved owed', 'resolved in the background';
is_deeply [ @{ $killed[0] }{qw(location method amount_decimal scheme x402_version)} ], [ 'all', 'GET', '0.01', 'exact', 2 ],
    'with the members that its request had';
ok $killed[0]{request_id}, 'its id as well';
$t->allow(qr/exited on signal 9/);

# and with an outcome that stays unknown
$f->settle('hold');
$f->forget;
$c = $t->connect;
$c->write_request(GET => '/lost', headers => pay_with($t, '/lost'));
$f->wait_calls(settle => 1);
@workers = $t->workers;
$f->settle('close');
kill KILL => @workers;
$t->wait_for(sub { my %old = map { $_ => 1 } @workers; my @new = grep { !$old{$_} } $t->workers; @new == 2 });
$f->release;
my @lost = events('/lost', 1);
is kinds(@lost), 'unknown', 'of a worker that was killed, the first answer that proves nothing is a line';
$f->settle('paid');
@lost = events('/lost', 3);
is kinds(@lost), 'unknown resolved owed', 'one, until it is resolved';

# --- buffered, by syslog, off -------------------------------------------------------

is_content paid($t, '/buffered'), "SECRET\n", 'paid at a location with a buffer';
is kinds(events('/buffered', 2, 'buffered')), 'settled delivered', 'written after a moment';
is_content paid($t, '/off'), "SECRET\n", 'paid where the ledger is off';
is_content paid($t, '/syslog'), "SECRET\n", 'paid where it goes to syslog';
my @sent = map { $log->recv(my $message, 8192); $message } 1, 2;
like $sent[0], qr/\A<190>.* shop: \{"time":.*"event":"settled".*\}\z/, 'one message for settled';
like $sent[1], qr/"event":"delivered"/, 'and one for delivered';
is scalar(grep { $_->{resource} =~ m{/(?:off|syslog|buffered)$} } lines()), 0, 'nothing of these in the other file';

# --- rotation -------------------------------------------------------------------------

rename $t->dir . '/logs/ledger', $t->dir . '/logs/ledger.1' or die $!;
$t->signal('USR1');
ok $t->wait_for(sub { -e $t->dir . '/logs/ledger' }), 'opened again at USR1';
is_content paid($t, '/rotated'), "SECRET\n", 'paid afterwards';
is kinds(events('/rotated', 2)), 'settled delivered', 'in the new file';

# --- whole lines ----------------------------------------------------------------------

my @payments = map { payment(unpaid($t, "/many$_")) } 1 .. 40;
my @connections = map { $t->connect } @payments;
$connections[ $_ - 1 ]->write_request(GET => "/many$_", headers => [ 'PAYMENT-SIGNATURE' => $payments[ $_ - 1 ] ]) for 1 .. 40;
$_->answer for @connections;
ok $t->wait_for(sub { 80 == grep { $_->{resource} =~ m{/many\d+$} } lines() }), 'lines of two workers stay whole';

finish;
