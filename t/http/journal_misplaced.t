# SPDX-License-Identifier: Apache-2.0
# A journal that is renamed, replaced or deleted while nginx runs is named
# within seconds, with the file from which it can be restored.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOT', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:1m journal=payments;
    server {
        listen 127.0.0.1:%%PORT%%;
        location = /metrics { x402 off; x402_status prometheus; }
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOT
$up->on('*', body => "CONTENT\n");
$t->start;
my $path  = $t->dir . '/payments';
my $value = payment(unpaid($t, '/a'));
is_content paid($t, '/a', payment => $value), "CONTENT\n", 'paid';
is $t->log_count(qr/was moved or deleted/), 0, 'nothing is said of files in their places';

sub said ($count, $name) { return ok $t->wait_for(sub { $t->log_count(qr/\[crit\].*was moved or deleted/) >= $count }, 30), $name }

# The files are looked at when claims were counted.
my $sold = 0;
sub looked_at () {
    my $before = delivered();
    is_content paid($t, '/count' . ++$sold), "CONTENT\n", 'another is sold';
    return ok $t->wait_for(sub { delivered() > $before }), 'and counted';
}
sub delivered () { return $t->get('/metrics')->body =~ /^nginx_x402_zone_claims\{state="delivered"\} (\d+)$/m ? $1 : 0 }

rename $path, "$path.away" or die $!;
said(1, 'renamed');
$t->log_like(qr/journal ".*payments" was moved or deleted while nginx writes it/, 'it is named');
rename "$path.away", $path or die $!;
looked_at();
is $t->log_count(qr/was moved or deleted/), 1, 'nothing more when it is back';

rename "$path.2", "$path.2.away" or die $!;
$t->write('payments.2', '');
said(2, 'the second file was replaced');
$t->log_like(qr/journal ".*payments\.2" was moved/, 'it is named');
rename "$path.2.away", "$path.2" or die $!;
looked_at();

# what the line says to do
unlink $path or die $!;
said(3, 'deleted');
my @named = $t->log =~ m{(/proc/\d+/fd/\d+)}g;
system('cp', $named[-1], $path) == 0 or die;
is_content paid($t, '/b'), "CONTENT\n", 'nginx goes on meanwhile';
system('cp', $named[-1], $path) == 0 or die;
ok defined $t->quit, 'nginx ends';
$t->start;
my $offer = offer(paid($t, '/a', payment => $value));
is $offer->{error}, 'payment_already_used', 'what was restored is known after a restart';

finish;
