# SPDX-License-Identifier: Apache-2.0
# x402_webhook: every event of the ledger is POSTed until it is received, signed,
# in order for each payment, over failures of the receiver, reloads, killed
# workers and restarts.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(hmac_sha256);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use X402::Test;

my ($f, $up, $hook) = (facilitator(), backend(), backend());
my $secret = 'a secret of more than sixteen bytes';
my $conf = <<'EOT';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:1m journal=payments;
    x402_webhook http://%%HOOK%%/hook/ secret=webhook.secret %%EVENTS%%;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        location / { proxy_pass http://%%BACKEND%%; }
        location /off { x402_ledger off; proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOT
my $holes = { HOOK => $hook->address, EVENTS => '' };
my $t = nginx($conf, facilitator => $f, backend => $up, holes => $holes);
$up->on('*', body => "CONTENT\n");
$hook->on('*', status => 204);
$t->write('webhook.secret', 'whsec_' . encode_base64($secret, '') . "\n");
chmod 0600, $t->dir . '/webhook.secret';
$t->start;

# What the receiver took, in order: [event, payment id, request].
sub received () {
    return map { my $e = JSON::PP::decode_json($_->{body}); [ $e->{event}, $e->{payment_id}, $_, $e ] } $hook->requests('/hook/');
}
sub events ($path, $wanted) {
    my @found;
    $t->wait_for(sub { @found = grep { $_->[3]{resource} =~ /\Q$path\E$/ } received(); @found >= $wanted }, 20);
    return @found;
}
sub kinds (@events) { return join ' ', map { $_->[0] } @events }
sub waiting () { return $t->get('/metrics')->body =~ /^nginx_x402_webhook_waiting_events (\d+)$/m ? $1 : undef }

# --- a payment --------------------------------------------------------------------

my $answer = paid($t, '/a');
is_content $answer, "CONTENT\n", 'paid';
my @a = events('/a', 2);
is kinds(@a), 'settled delivered', 'both events arrive, in order';
is $a[0][3]{transaction}, receipt($answer)->{transaction}, 'with the members of the ledger';
for (@a) {
    my ($kind, $id, $request) = @$_;
    my $head = $request->{headers};
    is $head->{'idempotency-key'}, $id, "$kind: Idempotency-Key is the payment id";
    is $head->{'content-type'}, 'application/json', 'JSON';
    my $signed = join '.', $head->{'webhook-id'}, $head->{'webhook-timestamp'}, $request->{body};
    is $head->{'webhook-signature'}, 'v1,' . encode_base64(hmac_sha256($signed, $secret), ''), 'signed';
    ok abs(time - $head->{'webhook-timestamp'}) < 30, 'with the time';
}
isnt $a[0][2]{headers}{'webhook-id'}, $a[1][2]{headers}{'webhook-id'}, 'each event has an id of its own';
ok $t->wait_for(sub { defined waiting() && waiting() == 0 }), 'nothing waits';
is_content paid($t, '/off'), "CONTENT\n", 'paid where the ledger is off';
is kinds(events('/off', 2)), 'settled delivered', 'the webhook is told';

# --- a receiver that fails ------------------------------------------------------------

$hook->on('/hook/', status => 500, body => 'no');
$hook->forget;
is_content paid($t, '/b'), "CONTENT\n", 'a receiver that fails keeps no client from buying';
ok $t->wait_for(sub { $hook->hits('/hook/') >= 3 }), 'the event is sent again';
is_deeply [ do { my %seen; grep { !$seen{$_}++ } map { $_->[0] } received() } ], ['settled'], 'and the next one of that payment waits';
is waiting(), 2, 'a metric says how many wait';
$t->log_like(qr/\[error\].*the webhook "http:.*" did not accept an event: status 500; \d+ events wait/, 'a line says why');
my %ids = map { $_->[2]{headers}{'webhook-id'} => 1 } received();
is scalar keys %ids, 1, 'it has the same id each time';

# over a restart
ok defined $t->quit, 'nginx ends';
$hook->on('/hook/', status => 200, body => '{}');
$hook->forget;
$t->start;
is kinds(events('/b', 2)), 'settled delivered', 'a restart forgets nothing';
ok $t->wait_for(sub { waiting() == 0 }), 'nothing waits';
my $before = $hook->hits('/hook/');

# a redirect is not an answer
$hook->on('/hook/', status => 307, headers => [ Location => 'http://' . $hook->address . '/elsewhere' ]);
is_content paid($t, '/c'), "CONTENT\n", 'paid';
ok $t->wait_for(sub { $hook->hits('/hook/') > $before }), 'sent';
is $hook->hits('/elsewhere'), 0, 'a redirect is not followed';
$hook->on('/hook/', status => 200);
is kinds((events('/c', 3))[-2, -1]), 'settled delivered', 'received in the end';
$t->log_like(qr/the webhook "[^"]*" receives events again/, 'the log says so');

# --- processes come and go ---------------------------------------------------------------

$hook->on('/hook/', hold => 1, status => 200);
is_content paid($t, '/d'), "CONTENT\n", 'paid';
$hook->forget;
ok $t->wait_for(sub { $hook->hits('/hook/') >= 0 && waiting() == 2 }), 'the receiver is slow';
my @old = $t->reload;
$hook->on('/hook/', status => 200);
$hook->release('/hook/');
ok $t->wait_exit(@old), 'old workers end after a reload';
ok $t->wait_for(sub { waiting() == 0 }), 'a new one sends what was left';

$hook->on('/hook/', status => 500);
is_content paid($t, '/e'), "CONTENT\n", 'paid';
my %dead = map { $_ => 1 } my @workers = $t->workers;
kill KILL => @workers;
$t->allow(qr/exited on signal 9/);
ok $t->wait_for(sub { 2 == grep { !$dead{$_} } $t->workers }), 'both workers are killed';
$hook->on('/hook/', status => 200);
ok $t->wait_for(sub { my @e = events('/e', 2); kinds(@e) =~ /settled delivered$/ }), 'nothing is lost';

# many at once, in order for each
$hook->forget;
my @payments = map { payment(unpaid($t, "/many$_")) } 1 .. 20;
my @connections = map { $t->connect } @payments;
$connections[ $_ - 1 ]->write_request(GET => "/many$_", headers => [ 'PAYMENT-SIGNATURE' => $payments[ $_ - 1 ] ]) for 1 .. 20;
$_->answer for @connections;
ok $t->wait_for(sub { $hook->hits('/hook/') >= 40 }), 'events of twenty payments';
my %of;
$of{ $_->[1] } .= "$_->[0] " for received();
is_deeply [ grep { $_ ne 'settled delivered ' } values %of ], [], 'each in order, each once';

# --- chosen events, and the configuration ------------------------------------------------

$holes->{EVENTS} = 'events=delivered,owed';
$t->conf($conf);
$t->reload;
$hook->forget;
is_content paid($t, '/chosen'), "CONTENT\n", 'paid';
is kinds(events('/chosen', 1)), 'delivered', 'only what was asked for';

# what waits at a reload goes by the new words
$hook->on('/hook/', status => 500);
is_content paid($t, '/moved'), "CONTENT\n", 'paid';
ok $t->wait_for(sub { waiting() == 1 }), 'its event waits';
my $other = 'another secret of more than sixteen bytes';
$t->write('other.secret', $other);
chmod 0600, $t->dir . '/other.secret';
$holes->{EVENTS} = 'events=closed';
$hook->on('/new/', status => 204);
$t->conf($conf =~ s{/hook/ secret=webhook\.secret}{/new/ secret=other.secret}r);
$t->reload;
ok $t->wait_for(sub { waiting() == 0 }), 'received at another URL, although its event is not chosen any more';
my ($moved) = $hook->requests('/new/');
my $head = $moved->{headers};
is $head->{'webhook-signature'}, 'v1,' . encode_base64(hmac_sha256(join('.', $head->{'webhook-id'}, $head->{'webhook-timestamp'}, $moved->{body}), $other), ''),
    'signed with the new secret';
$t->conf($conf =~ s/x402_webhook [^;]*;//r);
$t->reload;
is_content paid($t, '/none'), "CONTENT\n", 'paid without a webhook';

sub refused ($words, $why, $name) {
    my $text = $t->config_error($conf =~ s/x402_webhook [^;]*;/$words/r);
    return like $text, $why, $name;
}
refused('x402_webhook http://127.0.0.1/ events=sold;', qr/unknown event "sold"/, 'an unknown event');
refused('x402_webhook http://127.0.0.1/ colour=red;', qr/unknown or repeated parameter/, 'an unknown parameter');
refused('x402_webhook ftp://127.0.0.1/;', qr/receiver "ftp:\S+" must start with "https/, 'another protocol');
refused("x402_webhook http://127.0.0.1/$_;", qr/receiver \S+ must not have a query or a fragment; give it a path of its own/, "with $_") for '?token=a', '#a';
refused('x402_webhook http://user:word@127.0.0.1/;', qr/receiver \S+ must not contain a user name/, 'with a password');
refused('x402_webhook http://127.0.0.1/ secret=none;', qr/none.*failed|none" .*/, 'a secret that is not there');
$t->write('short.secret', 'short');
refused('x402_webhook http://127.0.0.1/ secret=short.secret;', qr/at least 16 bytes/, 'a short secret');
refused('x402_webhook http://127.0.0.1/; x402_webhook http://127.0.0.1/;', qr/duplicate/, 'twice');
like $t->config_error($conf =~ s/ journal=payments//r), qr/x402_webhook needs a journal/, 'no journal';
like scalar $t->test_config($conf =~ s/x402_webhook [^;]*;/x402_webhook http:\/\/hook.example.com\/;/r),
    qr/without encryption; write https/, 'a warning without encryption';

finish;
