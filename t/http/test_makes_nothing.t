# SPDX-License-Identifier: Apache-2.0
# nginx -t makes no file: none of the journal, the ledgers, the webhook's events
# or what was bought, and says where one cannot be made. What is there stays as
# it is, and nginx makes all of them when it starts.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone x402:1m journal=%%DIR%%/books/journal;
    x402_webhook http://127.0.0.1:1/;
    x402_facilitator http://127.0.0.1:1;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_seal_key %%DIR%%/seal.key;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        location /      { x402_price 0.01; x402_sign_in time=1h file=%%DIR%%/books/bought; }
        location /other { x402_price 0.01; x402_ledger %%DIR%%/books/other.ledger; }
    }
}
EOF
my $t = nginx($text);
chmod 0600, $t->write('seal.key', 'k' x 64);
mkdir $t->dir . '/books';

sub files () { opendir my $dir, $t->dir . '/books' or die $!; return join ' ', sort grep { !/^\./ } readdir $dir }

my ($said, $passed) = $t->test_config($text);
ok $passed, 'the configuration is good' or diag $said;
is files(), '', 'and nothing was made';

$t->allow(qr/emerg/);
for my $case (
    [ 'journal=%%DIR%%/books'      => 'journal=%%DIR%%/none',  'journal "\S*/none/journal" cannot be made: the folder "\S*/none/" cannot be used \(2: No such file' ],
    [ 'x402_ledger %%DIR%%/books'  => 'x402_ledger %%DIR%%/none', 'none/other\.ledger" cannot be made: the folder "\S*/none/" cannot be used \(2: No such file' ],
    [ 'file=%%DIR%%/books'         => 'file=%%DIR%%/none',     'none/bought" of x402_sign_in cannot be opened: No such file' ],
) {
    my ($from, $to, $says) = @$case;
    my $told = $t->config_error($text =~ s/\Q$from\E/$to/r);
    ok $told =~ /\[emerg\].*$says/, "$to is refused" or diag $told || 'accepted';
}
is files(), '', 'nothing is left of those either';

$t->start;
my $made = join ' ', qw(bought journal journal.2 journal.events journal.events.2 journal.ledger journal.lock other.ledger);
is files(), $made, 'nginx makes them when it starts';
$t->stop;
my %size = map { $_ => -s $t->dir . "/books/$_" } split / /, $made;
ok +($t->test_config($text))[1], 'good again';
is_deeply { map { $_ => -s $t->dir . "/books/$_" } split / /, files() }, \%size, 'and what is there stays as it is';

finish;
