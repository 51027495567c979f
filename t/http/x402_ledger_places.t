# SPDX-License-Identifier: Apache-2.0
# An outcome that is learned in the background is in the ledger that its payment
# was booked in, also where places with one label have several, after a reload
# that removed the place, and after a restart, by the URL of what was sold.
# Where x402_ledger is off nothing is written.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone x402:1m journal=%%DIR%%/journal;
    x402_ledger %%DIR%%/all;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name main.example;
        x402_label same;
        location /a/   { x402_ledger %%DIR%%/a; proxy_pass http://%%BACKEND%%; }
        location /b/   { x402_ledger %%DIR%%/b; proxy_pass http://%%BACKEND%%; }
        location /off/ { x402_ledger off; proxy_pass http://%%BACKEND%%; }
        location /gone/ { x402_label gone; x402_ledger %%DIR%%/b; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        x402_ledger %%DIR%%/shop;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($text, facilitator => $f, backend => $up);
$t->start;

# "event path", all of a file.
sub kinds ($file) {
    open my $fh, '<', $t->dir . "/$file" or return '';
    return join ', ', map {
        my $line = JSON::PP::decode_json($_);
        "$line->{event} " . (($line->{resource} // '') =~ s{\Ahttps?://[^/]+}{}r);
    } <$fh>;
}
sub all_kinds () { return join ' | ', map { "$_: " . kinds($_) } qw(a b shop all) }
# Leaves an unknown outcome at each of them, and forgets what was before.
sub doubt (@places) {
    truncate $t->dir . "/$_", 0 for qw(a b shop all logs/error.log);
    $f->settle('close');
    is paid($t, $_->[1], host => $_->[0])->status, 503, "$_->[0]$_->[1]: unknown" for @places;
    $f->settle('paid');
    $f->forget;
    return;
}
sub learned ($times) {
    ok $t->wait_for(sub { $times <= (() = $t->log =~ /payment paid, content owed/g) }), 'learned in the background';
    return;
}

# --- one label, several ledgers -------------------------------------------------------

doubt([ 'main.example' => '/a/1' ], [ 'main.example' => '/b/1' ], [ 'main.example' => '/off/1' ]);
learned(3);
is all_kinds(), 'a: unknown /a/1, resolved /a/1, owed /a/1 | b: unknown /b/1, resolved /b/1, owed /b/1 | shop:  | all: ',
    'each in its own ledger, and what is off in none';

# --- a reload without the place -------------------------------------------------------

doubt([ 'main.example' => '/gone/2' ]);
$t->conf($text =~ s/^ +location \/gone\/.*\n//mr);
$t->reload;
learned(1);
is all_kinds(), 'a:  | b: unknown /gone/2, resolved /gone/2, owed /gone/2 | shop:  | all: ', 'where it was booked';

# --- a restart ------------------------------------------------------------------------

doubt([ 'main.example' => '/b/3' ], [ 'main.example' => '/off/3' ], [ 'shop.example' => '/a/3' ]);
$t->stop;
$t->start;
learned(3);
is all_kinds(), 'a:  | b: unknown /b/3, resolved /b/3, owed /b/3 | shop: unknown /a/3, resolved /a/3, owed /a/3 | all: ',
    'by server and path, and not where it is off';

finish;
