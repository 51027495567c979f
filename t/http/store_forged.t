# SPDX-License-Identifier: Apache-2.0
# A payment that was settled before content and never answered may be forged. On
# whichever machine its payer presents what it has really signed, that is
# verified, and takes the claim over on all of them; and nothing else does.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::StoreProxy;
use X402::Test;

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->of_kind);
my $cut  = X402::StoreProxy->new($redis->port);
my $conf = machines_conf('timeout=3s lease=3s', patient => 1, http => 'x402_settle before;');
my ($one, $two) = machines($conf, $f, $up, [ $redis->url, $cut->url ]);
$up->on('*', body => "SECRET\n");

my $unknown = '503{"error":"settlement_unknown","charged":"unknown"}';
sub said ($answer) { return $answer->status . $answer->body }
sub fresh () { $_->forget for $f, $up; $f->verify('ok'); $f->settle('paid'); return }

# Presented by another client at this machine, and never answered: it, and what
# its payer has signed under the same nonce.
sub forged ($t, $path) {
    fresh;
    my %of = (from => random_hex(20), nonce => random_hex(32));
    my $forged = payment(unpaid($t, $path), %of, valid => 250);
    $f->settle('close');
    is said(paid($t, $path, payment => $forged, from => '127.0.0.66')), $unknown, "$path: one in doubt";
    fresh;
    return ($forged, payment(unpaid($t, $path), %of, valid => 200), %of);
}

sub signature ($payment) { return decoded($payment)->{payload}{signature} }

# --- the payer comes to the other machine, or to the same

for my $there ($two, $one) {
    my $path = $there == $two ? '/other' : '/same';
    my ($forged, $honest) = forged($one, $path);
    is_content paid($there, $path, payment => $honest), "SECRET\n", "$path: the payer is served";
    is $f->order, 'verify settle', "$path: verified, and settled";
    is $f->asked('settle')->{paymentPayload}{payload}{signature}, signature($honest), "$path: as it was signed";
    $there->log_like(qr/\[notice\].*unverified payment .* is replaced by/, "$path: the log says so");
    fresh;
    for my $t ($one, $two) {
        is finally($t, $path, $_)->status, 402, "$path: both are used, everywhere" for $honest, $forged;
    }
    is $up->hits, 0, "$path: nothing more is made";
}

# --- others that could have forged it

my ($forged, $honest, %of) = forged($one, '/forgers');
$f->verify(invalid => 'invalid_exact_evm_payload_signature');
is said(paid($two, '/forgers', payment => payment(unpaid($two, '/forgers'), %of, valid => 201))), $unknown, 'another forger';
is $f->order, 'verify', 'is found out';
fresh;
my $resigned = decoded($forged);
$resigned->{payload}{signature} = random_hex(65);
isnt paid($two, '/forgers', payment => encoded($resigned), from => '127.0.0.3')->status, 200, 'the same terms, and another signature';
is $f->calls('verify') + $up->hits, 0, 'change nothing';
is_content finally($two, '/forgers', $honest), "SECRET\n", 'the payer is served all the same';

# --- its settlement has the same outcomes: no refusal counts

($forged, $honest) = forged($one, '/doubt');
$f->settle(refused => 'invalid_exact_evm_nonce_already_used');
is said(paid($two, '/doubt', payment => $honest)), $unknown, 'a refusal proves nothing';
is said(paid($one, '/doubt', payment => $honest)), $unknown, 'on the other machine, too';
is $up->hits, 0, 'nothing was made';
fresh;
is_content finally($one, '/doubt', $honest), "SECRET\n", 'until it is paid';
is $f->asked('settle')->{paymentPayload}{payload}{signature}, signature($honest), 'with what the payer signed';

# --- a machine that knows the forged one does not settle what another has in hand

($forged, $honest) = forged($one, '/busy');
$f->settle('hold');
my $c = $two->connect;
$c->write_request(GET => '/busy', headers => [ header_of($honest) ]);
$f->wait_calls(settle => 1);
is said(paid($one, '/busy', payment => $honest)), $unknown, 'one that is being settled elsewhere';
is $f->calls('settle'), 1, 'is not settled here';
$f->settle('paid');
$f->release('settle');
is_content $c->answer, "SECRET\n", 'there it is delivered';
is finally($one, '/busy', $honest)->status, 402, 'and here it is used';
is $up->hits, 1, 'made once';

# --- many at once

($forged, $honest) = forged($one, '/many');
$f->verify('hold');
my @clients = map {
    my $client = ($one, $two)[ $_ % 2 ]->connect;
    $client->write_request(GET => '/many', headers => [ header_of($honest) ]);
    $client;
} 1 .. 8;
$f->wait_calls(verify => 8);
$f->verify('ok');
$f->release('verify');
my @answers = map { $_->answer } @clients;
is scalar(grep { $_->status == 200 } @answers), 1, 'eight copies on two machines: one is served' or diag map { $_->summary } @answers;
is $f->calls('settle') . $up->hits, '11', 'settled once, and made once';

# --- the store, at the moment of the takeover

for my $how (qw(before after silent garbage)) {
    ($forged, $honest) = forged($one, "/$how");
    $cut->on(takeover => $how);
    my $answer = paid($two, "/$how", payment => $honest);
    is said($answer), $unknown, "$how: the outcome is unknown as before";
    is $f->calls('settle') . $up->hits, '00', "$how: nothing is settled";
    $answer = finally($two, "/$how", $honest);
    is_content $answer, "SECRET\n", "$how: and then it is served";
    is $up->hits, 1, "$how: made once";
    is finally($one, "/$how", $honest)->status, 402, "$how: and used everywhere";
}
$two->allow(qr/no release of this module gives/);

($forged, $honest) = forged($one, '/late');
$cut->on(takeover => 0.4);
$c = $two->connect;
my $asked = $cut->asked('takeover');
$c->write_request(GET => '/late', headers => [ header_of($honest) ]);
ok $two->wait_for(sub { $cut->asked('takeover') > $asked }), 'the store is slow';
$two->leave($c);
is_content finally($one, '/late', $honest), "SECRET\n", 'and the client leaves: another machine delivers in the end';
is $up->hits, 1, 'once';

($forged, $honest) = forged($one, '/emptied');
$redis->ask('FLUSHALL');
is_content finally($one, '/emptied', $honest), "SECRET\n", 'a store that forgot the forged one';
is $up->hits, 1, 'made once';
is finally($two, '/emptied', $honest)->status, 402, 'is told';

cmp_ok $cut->answered('takeover'), '>', 0, 'calls acknowledged: ' . $cut->answered('takeover');

finish;
