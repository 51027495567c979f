# SPDX-License-Identifier: Apache-2.0
# TLS with the store that stalls or breaks: in the handshake, and within a record
# while a payment waits for an answer. Nothing is sold meanwhile, and nothing
# twice; a line says what to do, and payments go on once the way is whole again.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use MIME::Base64 qw(decode_base64);
use X402::Certificates;
use X402::Machines;
use X402::Redis;
use X402::Test;
use X402::WireProxy;

my ($f, $up) = (facilitator(), backend());
my $dir = File::Temp->newdir;
X402::Certificates::make("$dir");
my $tls   = X402::Port::reserve();
my $redis = X402::Redis->new('tls-port' => $tls, 'tls-auth-clients' => 'no', 'tls-ca-cert-file' => "$dir/ca.pem",
    'tls-cert-file' => "$dir/good.pem", 'tls-key-file' => "$dir/good.key");
my $wire = X402::WireProxy->new($tls);
my $t = nginx(machines_conf("timeout=2s lease=3s ssl_trusted_certificate=$dir/ca.pem", patient => 1, address => '127.0.0.1'),
    facilitator => $f, backend => $up, holes => { STORE => 'rediss://127.0.0.1:' . $wire->port })->start;
$up->on('*', body => "SECRET\n");
my $count = 0;

sub is_back ($name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer;
    $wire->now('pass');
    $t->wait_for(sub { ($answer = paid($t, '/back' . ++$count))->status == 200 }, 20);
    return is $answer->body, "SECRET\n", "$name: payments go on" || diag $t->log;
}

is_back('at first');

# --- in the handshake: what the server says first is some hundred bytes

my %line = (
    stall => qr/TLS to .*: no answer in time/,
    close => qr/TLS to .*/,
    reset => qr/TLS to .*/,
    freeze => qr/TLS to .*: no answer in time/,
);
for my $how (qw(stall close reset freeze)) {
    my $log = length $t->log;
    # The connection that is open is cut as well, with its next answer.
    $wire->now($how, $how eq 'stall' ? 0 : 70);
    my $answer;
    ok $t->wait_for(sub { $_->forget for $f, $up; ($answer = paid($t, '/busy' . ++$count))->status == 503
        && substr($t->log, $log) =~ $line{$how} }, 30), "$how in the handshake: a line says so" or diag substr $t->log, $log;
    $_->forget for $f, $up;
    $answer = paid($t, '/busy' . ++$count);
    is $answer->status . $answer->body, '503{"error":"busy","charged":false}', "$how in the handshake: busy";
    is $f->calls + $up->hits, 0, "$how in the handshake: nobody is asked";
    like substr($t->log, $log), qr/TLS to [^\n]*(?:look into its log|correct the host)/, "$how in the handshake: it says what to do";
    is_back("$how in the handshake");
}

# --- within a record, at each answer that a payment waits for

my $cut = $wire->cut;
for my $case ([ verify => 'close' ], [ verify => 'reset' ], [ verify => 'freeze' ], [ settle => 'close' ], [ settle => 'reset' ], [ settle => 'freeze' ]) {
    my ($call, $how) = @$case;
    my $name = "$how at $call";
    my $payment = payment(unpaid($t, '/cut'));
    $_->forget for $f, $up;
    $f->$call('hold');
    my $c = $t->connect;
    $c->write_request(GET => '/cut', headers => [ header_of($payment) ]);
    $f->wait_calls($call => 1);
    # The next answer breaks off within its record.
    $wire->now($how, 9);
    $f->$call($call eq 'verify' ? 'ok' : 'paid');
    $f->release($call);
    my $answer = $c->answer;
    like $answer->status, qr/\A(?:200|409|503)\z/, "$name: content, or come again" or diag $answer->summary;
    unlike $answer->body, qr/"charged":false/, "$name: it may be charged" if $call eq 'settle';
    is_back($name);
    my $sold = $answer->status == 200;
    my $again = finally($t, '/cut', $payment);
    is $again->status, $sold ? 402 : 200, "$name: sold once" or diag $again->summary, $t->log;
    my ($nonce) = decode_base64($payment) =~ /"nonce":"(0x\w+)"/ or die $payment;
    is scalar(grep { $_->{body} =~ /$nonce/ } $f->requests('settle')), 1, "$name: and settled once";
}
cmp_ok $wire->cut - $cut, '>=', 6, 'connections that were cut: ' . ($wire->cut - $cut);
cmp_ok $redis->known, '>', 10, 'claims acknowledged: ' . $redis->known;

finish;
