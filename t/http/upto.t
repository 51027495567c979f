# SPDX-License-Identifier: Apache-2.0
# Scheme upto: verified at the maximum, settled at what the upstream says the content has cost.

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
    x402_facilitator_timeout settle=1500ms;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        location /     { x402_accept scheme=upto price=5; proxy_pass http://%%BACKEND%%; }
        location /add/ {
            x402_accept scheme=upto price=5;
            add_header Settlement-Overrides '{"amount":"1"}';
            proxy_pass http://%%BACKEND%%/;
        }
        location /exact/ { x402_price 5; proxy_pass http://%%BACKEND%%/; }
        location /both   { x402_accept scheme=upto price=5; x402_accept price=5; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;

my $n = 0;
sub buy ($says, %options) {
    my $path = '/w' . $n++;
    $up->on($path, body => "SECRET\n", headers => [ map { ('Settlement-Overrides' => $_) } ref $says ? @$says : $says ]);
    $_->forget for $f, $up;
    return paid($t, $path, %options, payment => permit2(unpaid($t, $path, %options)));
}

my $accept = unpaid($t, '/')->{accepts}[0];
is "$accept->{scheme} $accept->{amount} $accept->{extra}{assetTransferMethod}", 'upto 5000000 permit2', 'the offer is the maximum';

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';
    for my $case ([ 'less', '{"amount":"2500"}', '2500' ], [ 'nothing', '{"amount":"0"}', '0' ],
        [ 'all of it', '{"amount":"5000000"}', '5000000' ], [ 'a share', '{"amount":"33.33%"}', '1666500' ],
        [ 'dollars', '{"amount":"$0.05"}', '50000' ], [ 'no word', [], '5000000' ])
    {
        my ($name, $says, $settled) = @$case;
        my $r = buy($says, @$via);
        is_content $r, "SECRET\n", "$p$name: content";
        is $f->asked('verify')->{paymentRequirements}{amount}, '5000000', "$p$name: verified at the maximum";
        is $f->asked('settle')->{paymentRequirements}{amount}, $settled, "$p$name: settled at what it cost";
        is $r->header_count('Settlement-Overrides'), 0, "$p$name: between the upstream and us";
    }
}

for my $case ([ 'more than the maximum', '{"amount":"5000001"}' ], [ 'less than nothing', '{"amount":"-5"}' ],
    [ 'no JSON', 'half' ], [ 'no amount', '{}' ], [ 'a word', '{"amount":"abc"}' ], [ 'two words', [ '{"amount":"1"}', '{"amount":"2"}' ] ],
    [ 'a number', '{"amount":5}' ])
{
    my ($name, $says) = @$case;
    my $r = buy($says);
    is $r->status, 502, "$name: 502";
    is $r->body, '{"error":"settlement_override_invalid","charged":false}', "$name: the word";
    no_trace $r, 'SECRET', "$name: no content";
    is $f->calls('settle'), 0, "$name: nothing is settled";
}
$t->log_like(qr/\[error\].*Settlement-Overrides is invalid/, 'the log says why');

# Only an upstream's word counts, and only for upto.
$up->on('/plain', body => "SECRET\n");
$_->forget for $f, $up;
is_content paid($t, '/add/plain', payment => permit2(unpaid($t, '/add/plain'))), "SECRET\n", 'add_header does not count as the upstream';
is $f->asked('settle')->{paymentRequirements}{amount}, '5000000', 'the maximum';
$up->on('/cheap', body => "SECRET\n", headers => [ 'Settlement-Overrides' => '{"amount":"1"}' ]);
$_->forget for $f, $up;
is_content paid($t, '/exact/cheap'), "SECRET\n", 'exact';
is $f->asked('settle')->{paymentRequirements}{amount}, '5000000', 'is exact';

# A failure of the content costs nothing, whatever it says.
$up->on('/failed', status => 500, body => 'no', headers => [ 'Settlement-Overrides' => '{"amount":"1"}' ]);
$_->forget for $f, $up;
is paid($t, '/failed', payment => permit2(unpaid($t, '/failed')))->status, 500, 'failed content';
is $f->calls('settle'), 0, 'is not charged';

# The answer may name less than was asked, never more; and an unknown outcome is asked again with the same amount.
$f->settle(with => { amount => '2000' });
is_content buy('{"amount":"2500"}'), "SECRET\n", 'the facilitator charged less';
$f->settle(with => { amount => '2501' });
is buy('{"amount":"2500"}')->status, 503, 'more than was asked is not accepted';
$f->settle('paid');
$f->settle_once(silent => 1);
$up->on('/doubt', body => "SECRET\n", headers => [ 'Settlement-Overrides' => '{"amount":"77"}' ]);
my $payment = permit2(unpaid($t, '/doubt'));
is paid($t, '/doubt', payment => $payment)->status, 503, 'unknown';
$_->forget for $f, $up;
is_content paid($t, '/doubt', payment => $payment), "SECRET\n", 'the same payment again';
is $f->asked('settle')->{paymentRequirements}{amount}, '77', 'the amount of the first settle';

# A new payment of the same payer and scheme finishes it as well, and less may have been taken then, too.
my $doubter = random_hex(20);
$up->on('/both', body => "SECRET\n", headers => [ 'Settlement-Overrides' => '{"amount":"77"}' ]);
$f->settle_once(silent => 1);
is paid($t, '/both', payment => permit2(unpaid($t, '/both'), from => $doubter))->status, 503, 'unknown';
$_->forget for $f, $up;
$f->settle(with => { amount => '50' });
is_content paid($t, '/both', payment => permit2(unpaid($t, '/both'), from => $doubter)), "SECRET\n",
    'a new payment of the payer';
is $f->asked('settle')->{paymentRequirements}{amount} . ' in ' . $f->calls('settle'), '77 in 1', 'only the older one is settled';
$f->settle('paid');

# A payer that has to settle before content cannot: the amount is not known yet, and the signed maximum must not be
# taken. It is told to come later, nothing is produced or charged, and its payment is free.
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';
    my $payer = random_hex(20);
    $_->forget for $f, $up;
    $f->settle(refused => 'insufficient_funds');
    is_refused paid($t, '/plain', @$via, payment => permit2(unpaid($t, '/plain'), from => $payer)), "${p}a refused settlement";
    $_->forget for $f, $up;
    $f->settle('paid');
    my $next = permit2(unpaid($t, '/plain'), from => $payer);
    my $r = paid($t, '/plain', @$via, payment => $next);
    is $r->status . $r->body, '503{"error":"busy","charged":false}', "${p}and then: 503";
    ok $r->header('Retry-After') && !$r->header('PAYMENT-REQUIRED') && !$r->header('PAYMENT-RESPONSE'), "${p}to come later";
    is $f->order, 'verify', "${p}verified, not settled";
    is $up->hits, 0, "${p}nothing is made";
    is paid($t, '/plain', @$via, payment => $next)->status, 503, "${p}the claim is free: not used, not in use";
    is_content paid($t, '/exact/plain', @$via, change => { from => $payer }), "SECRET\n", "${p}exact is settled first, and served";
    is_content paid($t, '/plain', @$via, payment => permit2(unpaid($t, '/plain'))), "SECRET\n", "${p}and so is another payer";
}

# The same for a payment that was refused and is presented again.
{
    $f->settle(refused => 'insufficient_funds');
    my $refused = permit2(unpaid($t, '/plain'));
    is_refused paid($t, '/plain', payment => $refused), 'a refused payment';
    $_->forget for $f, $up;
    $f->settle('paid');
    is paid($t, '/plain', payment => $refused)->body, '{"error":"busy","charged":false}', 'presented again: later';
    is $f->calls('settle') . $up->hits, '00', 'nothing is settled at the maximum, nor made';
}

# One payment, one nonce.
my $nonce = '123456789';
my $from  = random_hex(20);
is_content paid($t, '/plain', payment => permit2(unpaid($t, '/plain'), nonce => $nonce, from => $from)), "SECRET\n", 'paid';
is paid($t, '/plain', payment => permit2(unpaid($t, '/plain'), nonce => $nonce, from => $from))->status, 402, 'once';

finish;
