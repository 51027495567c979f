# SPDX-License-Identifier: Apache-2.0
# The file of a ledger is the module's own: a log, a ledger with other terms, the
# pid or a file of the configuration in it is refused, in either order and by
# any name of the file. A link that leads to nothing is seen where it leads.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $text = <<'EOT';
%%GLOBALS%%
MAIN
events { }
http {
    %%HTTP%%
    x402_facilitator http://127.0.0.1:1;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    WORD
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price 0.01; }
    }
}
EOT
my $t = nginx($text);
sub with ($word, $main = '') { return $text =~ s/WORD/$word/r =~ s/MAIN/$main/r }
sub taken ($conf, $file, $name, $owner = 'x402_ledger') {
    like $t->config_error($conf), qr/\[emerg\].*\/\Q$file\E" belongs to $owner, and .*; write another path there/, "refused: $name";
    return;
}
sub good ($conf, $name) {
    my ($said, $passed) = $t->test_config($conf);
    ok $passed, "accepted: $name" or diag $said;
    return;
}
$t->allow(qr/emerg/);

# --- logs ---------------------------------------------------------------------------

for my $ledger ('x402_ledger logs/one;', 'x402_ledger logs/one buffer=64k flush=1s;') {
    for my $log ('access_log logs/one;', 'access_log logs/one combined buffer=32k;', 'error_log logs/one;') {
        taken(with("$ledger $log"), 'one', "$ledger $log");
        taken(with("$log $ledger"), 'one', "$log $ledger");
    }
}
taken(with('x402_ledger logs/one;') . "error_log logs/one;\n",                'one', 'an error log behind http {}');
taken(with('x402_ledger logs/one;', 'error_log logs/one;'),                   'one', 'an error log before it');
taken($t->filled(with('x402_ledger logs/one;')) =~ s/pid \S+;/pid logs\/one;/r, 'one', 'the pid of nginx');
taken(with('x402_ledger logs/tested.log;') =~ s/%%GLOBALS%%/load_module %%MODULE%%;/r, 'tested.log', 'the log that nginx opens by itself')
    if X402::Nginx::module() ne 'static';
good(with('x402_ledger logs/one; access_log logs/two;'), 'files of their own');
good(with('x402_ledger /dev/null; access_log /dev/null;'), 'what keeps nothing');

# --- by other names -----------------------------------------------------------------

$t->write('logs/one', '');
link $t->dir . '/logs/one', $t->dir . '/logs/hard' or die $!;
symlink 'one', $t->dir . '/logs/soft' or die $!;
symlink '../missing', $t->dir . '/logs/dangling' or die $!;
symlink '/nowhere/at/all', $t->dir . '/logs/nowhere' or die $!;
taken(with("x402_ledger logs/one; access_log logs/$_;"), $_, "another name: $_") for qw(hard soft);
taken(with('x402_ledger logs/dangling; access_log missing;'), 'missing', 'what a link will lead to');
taken(with('x402_zone x402:1m journal=missing; x402_ledger logs/dangling;'),
    'dangling', 'a link that will lead to the journal', 'the journal of x402_zone');
good(with('x402_ledger logs/dangling;'), 'a link under which a file can be made');
like $t->config_error(with('x402_ledger logs/nowhere;')), qr{ledger "\S+/nowhere" cannot be made: the folder "/nowhere/at/" cannot be used},
    'refused: a link into a folder that is not there';

like $t->config_error(with('x402_zone x402:1m journal=logs/nowhere;')), qr{journal "\S+/nowhere" cannot be made: the folder "/nowhere/at/" cannot be used},
    'refused: a journal there';
taken(with('x402_ledger tested.conf;'), 'tested.conf', 'the configuration itself', 'the configuration of nginx');

# --- files of other programs -----------------------------------------------------------

$t->write('a.secret', "0123456789abcdef0123456789abcdef\n");
$t->write('included.conf', "x402_label included;\n");
like $t->config_error(with("x402_ledger $_->[0]; $_->[1]")), qr/"\S+\/$_->[0]" has something else in it than a ledger; write another path/, "refused: $_->[2]"
    for [ 'a.secret', '', 'a secret' ], [ 'included.conf', 'include included.conf;', 'a file of the configuration' ];
my $line = '{"time":"2026-01-01T00:00:00.000Z","event":"settled"}';
for my $text ("$line\n", "0Z\",\"event\":\"settled\"}\n$line\n", substr($line, 0, 4), "\n$line\n", "\0" x 40, "\0" x 40 . "$line\n") {
    $t->write('logs/older', $text);
    good(with('x402_ledger logs/older;'), 'a ledger, also one that was cut: ' . substr $text =~ tr/\n\0/ /r, 0, 12);
}

# --- one file, one ledger -----------------------------------------------------------

my $two = with('x402_ledger logs/one buffer=8k;') =~ s/x402_price 0.01;/$& x402_ledger LEDGER;/r;
good($two =~ s/LEDGER/.\/logs\/one buffer=8k/r, 'one ledger in two spellings');
like $t->config_error($two =~ s/LEDGER/$_/r), qr/is already a ledger with another buffer= or flush=/, "refused: $_ as well"
    for './logs/one', 'logs/soft buffer=16k';

# --- values that are mistakes ---------------------------------------------------------

like $t->config_error(with("x402_ledger $_->[0];")), $_->[1], "refused: $_->[0]" for
    [ 'OFF', qr/needs a path, syslog:\.\.\. or off/ ], [ 'On', qr/needs a path/ ],
    [ 'l buffer=10g', qr/at least 4k, and at most 64m/ ], [ 'l flush=1y', qr/at most 1d/ ];

finish;
