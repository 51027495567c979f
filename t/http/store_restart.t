# SPDX-License-Identifier: Apache-2.0
# The store is killed (kill -9) and starts again, with what its mode of
# persistence has kept. With an append-only file other machines know all that
# was acknowledged; without one they know what the machine that has it tells
# again, and where that is gone, too, the chain stands behind the rest.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = machines_conf('timeout=5s lease=3s');
$up->on('*', body => "SECRET\n");

my $acknowledged = 0;
for my $case (
    [ 'always', 1, appendonly => 'yes', appendfsync => 'always' ],
    [ 'everysec', 1, appendonly => 'yes', appendfsync => 'everysec' ],
    [ 'no file, a machine that tells', 1, appendonly => 'no' ],
    [ 'no file, and no machine', 0, appendonly => 'no' ],
) {
    my ($name, $knows, %mode) = @$case;
    my $redis = X402::Redis->of_kind(%mode);
    my ($one, $other) = machines($conf, $f, $up, [ ($redis->url) x 2 ]);
    my $delivered = payment(unpaid($one, '/delivered'));
    is_content paid($one, '/delivered', payment => $delivered), "SECRET\n", "$name: sold by one machine";
    $f->settle_once('close');
    my $unknown = payment(unpaid($one, '/unknown'));
    is paid($one, '/unknown', payment => $unknown)->status, 503, "$name: an unknown outcome";
    my $sent = +($f->requests('settle'))[-1]{body};
    ok $one->wait_for(sub { $redis->ask('DBSIZE') >= 3 }), "$name: the store knows both";
    $acknowledged += $redis->ask('DBSIZE');

    $one->destroy if !$knows;
    $redis->stop;
    $redis->start;
    ok $one->wait_for(sub { paid($_, '/ready')->status == 200 }), "$name: machines sell again" for $knows ? $one : (), $other;

    # A cluster that has just started refuses for two seconds, and what is told
    # is told again each second.
    sleep 3 if ($ENV{X402_STORE} // '') eq 'cluster';
    # The unknown outcome may be asked about in the background by now.
    my $verified = $f->calls('verify');
    $up->forget;
    $f->verify(invalid => 'invalid_exact_evm_nonce_already_used') if !$knows;
    is finally($other, '/delivered', $delivered)->status, 402, "$name: what was delivered is used";
    is $f->calls('verify') - $verified, $knows ? 0 : 1, "$name: as the store says, or the chain";
    is $up->hits, 0, "$name: and not made again";
    if ($knows) {
        is_content finally($other, '/unknown', $unknown), "SECRET\n", "$name: the unknown outcome is learned by the other";
        cmp_ok scalar(grep { $_->{body} eq $sent } $f->requests('settle')), '>=', 2, "$name: with the same bytes";
    }
    $f->verify('ok');
    $_->forget for $f, $up;
}

# It reads its data, which takes a while: payments wait for the end of that.
if (($ENV{X402_STORE} // '') ne 'cluster') {
    my $slow = X402::Redis->of_kind;
    my $t = nginx($conf, facilitator => $f, backend => $up, address => '127.0.0.1', holes => { STORE => $slow->url })->start;
    my $sold = payment(unpaid($t, '/sold'));
    is_content paid($t, '/sold', payment => $sold), "SECRET\n", 'sold before it is started again';
    ok $t->wait_for(sub { $slow->known >= 1 }), 'and it knows';
    $acknowledged += $slow->known;
    $slow->ask(SET => "filler:$_", 'x' x 2048) for 1 .. 500;
    $slow->ask('SAVE');
    $slow->stop;
    $slow->{options} = { $slow->{options}->%*, 'key-load-delay' => 10_000, 'loading-process-events-interval-bytes' => 1024 };
    $slow->{loads} = 1;
    $slow->start;
    $_->forget for $f, $up;
    my $answer;
    ok $t->wait_for(sub { $answer = paid($t, '/loads'); $t->log =~ /LOADING/ }), 'it says that it loads';
    is $answer->status . $answer->body, '503{"error":"busy","charged":false}', 'busy';
    is $f->calls + $up->hits, 0, 'nobody is asked';
    $t->log_like(qr/LOADING.*wait until it is done/, 'with a line that says what to do');
    ok $t->wait_for(sub { paid($t, '/ready')->status == 200 }, 30), 'and then it sells';
    is paid($t, '/sold', payment => $sold)->status, 402, 'and what was sold is used';
}

cmp_ok $acknowledged, '>=', 12, "keys acknowledged: $acknowledged";

finish;
