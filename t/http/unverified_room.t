# SPDX-License-Identifier: Apache-2.0
# Where money moves before content a stranger's forged payments are settled, too. Those whose outcome is unknown have
# room of their own with a share for each client; beyond it a payment is verified first. An honest payer is served.

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
    x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; }
    x402_facilitator patient;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_settle before;
    x402_zone x402:512k;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /after { x402_settle after; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;

sub forge ($path, $from, %as) {
    return paid($t, $path, payment => payment(unpaid($t, $path), from => random_hex(20), %as), from => $from)->status;
}
# The facilitator finds a forgery out when it verifies, and says nothing of use when it settles.
sub attack () { $_->forget for $f, $up; $f->verify(invalid => 'invalid_exact_evm_payload_signature'); $f->settle('close'); return }
sub honest () { $_->forget for $f, $up; $f->verify('ok'); $f->settle('paid'); return }
sub stays_open ($from) {
    my $open = 0;
    $open++ while $open < 200 && forge('/x', $from) == 503;
    return $open;
}

# --- no payer's older claim

attack;
my $victim = random_hex(20);
is forge('/page', '127.0.0.66', from => $victim), 503, 'a forgery in a payer\'s name, of unknown outcome';
honest;
is_content paid($t, '/page', payment => payment(unpaid($t, '/page'), from => $victim)), "SECRET\n",
    'does not keep the payer from buying the same';

# --- one client

attack;
my $share = stays_open('127.0.0.66') + 1;
cmp_ok $share, '<', 20, "one client makes $share claims of unknown outcome";
is forge('/x', '127.0.0.66'), 402, 'more of its payments are verified first, and refused' for 1 .. 20;
$t->log_like(qr/no room for another unverified payment .* verified before/, 'the log says so');
honest;
is_content paid($t, '/a', payment => payment(unpaid($t, '/a'), from => random_hex(20)), from => '127.0.0.66'), "SECRET\n",
    'an honest payer at the same address is served';
is $f->order, 'verify settle', 'verified first';

# --- many clients

attack;
my ($clients, $all) = (67, $share);
$all += stays_open("127.0.0.$clients") while $all < 1000 && $clients++ < 90;
is forge('/x', '127.0.1.1'), 402, "$all claims of unknown outcome fill the room: payments of all clients are verified first";
honest;
for my $path (qw(/a /after)) {
    is_content paid($t, $path, payment => payment(unpaid($t, $path), from => random_hex(20)), from => "127.0.2.$_"),
        "SECRET\n", "an honest payer is served at $path" for 1 .. 10;
}

finish;
