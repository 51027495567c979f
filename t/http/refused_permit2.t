# SPDX-License-Identifier: Apache-2.0
# A settlement by Permit2 that the facilitator refuses before it sends anything, in its own words: an offer and a
# receipt, nothing is in doubt, and what the payer presents next is settled before content is made.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_accept price=0.01 'extra={"assetTransferMethod":"permit2"}';
    server {
        listen 127.0.0.1:%%PORT%%;
        location /        { proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

sub fresh () { $_->forget for $f, $up; return }
sub pays ($path, $payer) { return paid($t, $path, payment => permit2(unpaid($t, $path), from => $payer)) }

for my $word (qw(permit2_insufficient_balance permit2_allowance_required permit2_deadline_expired
    invalid_permit2_signature permit2_simulation_failed permit2_2612_amount_mismatch eip2612_deadline_expired
    erc20_approval_tx_wrong_target unexpected_verify_error), 'permit2_simulation_failed: execution reverted')
{
    my $payer = random_hex(20);
    $f->settle(refused => $word);
    fresh;
    my $r = pays('/a', $payer);
    is_refused $r, "$word: refused";
    is receipt($r)->{errorReason}, $word, "$word: in the facilitator's word";
    is $f->order, 'verify settle', "$word: verified, then settled";

    fresh;
    is_refused pays('/a?again', $payer), "$word: refused again";
    is $f->order . $up->hits, 'settle0', "$word: settled first, and nothing is made";

    $f->settle('paid');
    fresh;
    is_content pays('/a?better', $payer), "SECRET\n", "$word: served once it is paid";
    is $f->order, 'settle', "$word: settled first";
}

# A wallet with one cent: thirty payments at once, for thirty other things.

my $poor = random_hex(20);
$f->settle(refused => 'permit2_insufficient_balance');
$f->settle_once('paid');
fresh;
is_content pays('/b?0', $poor), "SECRET\n", 'the first is paid';
is_refused pays('/b?1', $poor), 'the second is refused';
is $up->hits, 2, 'both were made';
my $offer = unpaid($t, '/b');
my @waiting = map {
    my $c = $t->connect;
    $c->write_request(GET => "/b?$_", headers => [ header_of(permit2($offer, from => $poor)) ]);
    $c;
} 2 .. 31;
is scalar(grep { $_->answer->status == 402 } @waiting), 30, 'thirty more are refused';
is $up->hits, 2, 'and nothing is made for them';

# Settled before content, by a stranger who signed nothing.

$f->settle(refused => 'invalid_permit2_signature');
fresh;
is_refused pays('/before/', random_hex(20)), 'a forged one is refused';
is $up->hits, 0, 'and nothing is made';

finish;
