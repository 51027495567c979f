# SPDX-License-Identifier: Apache-2.0
# What is said once a minute is said once a minute also where the time of day was set back: an operator that
# corrects a clock goes on to hear what goes wrong.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $shim = "$FindBin::Bin/../../build/chaos/fault_shim.so";
plan skip_all => 'build/chaos/fault_shim.so is not built' if !-e $shim;
plan skip_all => 'a sanitizer comes first'                if X402::Nginx::module() eq 'static';

my ($f, $up) = (facilitator(), backend());
$up->on('*', body => "SECRET\n");
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
env LD_PRELOAD;
env CHAOS_CONTROL;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_max_calls 1;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF

# Seconds to add to the time of day and, in the ninth word, to the clock by which timers run.
my $control = $t->write('control', pack 'q9', (0) x 9);
sub set_clocks ($day, $steady) {
    open my $file, '+<:raw', $control or die "$control: $!";
    syswrite $file, pack 'q', $day;
    sysseek $file, 64, 0;
    syswrite $file, pack 'q', $steady;
    return;
}

{
    local $ENV{LD_PRELOAD}    = $shim;
    local $ENV{CHAOS_CONTROL} = $control;
    $t->start;
}
my $line = qr/\[warn\].*too many payments in flight; raise x402_facilitator_max_calls/;
$t->allow($line);

sub crowd () {
    $f->forget;
    my $payment = payment(unpaid($t, '/a'));
    $f->verify('hold');
    my $c = $t->connect;
    $c->write_request(GET => '/a', headers => [ header_of($payment) ]);
    $f->wait_calls(verify => 1);
    is paid($t, '/b')->status, 503, 'no slot is left';
    $f->release;
    $f->verify('ok');
    is $c->answer->status, 200, 'it is free again';
    return;
}

crowd() for 1 .. 2;
is $t->log_count($line), 1, 'said once';
set_clocks(-200, 30);
crowd() for 1 .. 2;
is $t->log_count($line), 1, 'not again within a minute';
set_clocks(-200, 62);
crowd() for 1 .. 2;
is $t->log_count($line), 2, 'again after a minute, though the time of day was set back';

finish;
