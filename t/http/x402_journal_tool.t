# SPDX-License-Identifier: Apache-2.0
# x402-journal looks into a journal, also while nginx writes it, and makes a
# copy that another nginx starts from. It never changes the journal.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA ();
use File::Copy ();
use JSON::PP ();
use X402::Test;

my $tool = "$FindBin::Bin/../../build/x402-journal";
plan skip_all => 'build/x402-journal is not built' if !-x $tool;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:1m journal=%%DIR%%/%%JOURNAL%%;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { JOURNAL => 'journal' });
$up->on('*', body => "SECRET\n");
$t->start;
my $journal = $t->dir . '/journal';

sub tool (@words) {
    my $said = join '', map {" '$_'"} @words;
    my $text = qx{'$tool'$said 2>&1};
    return ($? >> 8, $text);
}
sub digest () { return join ' ', map { -e $_ ? Digest::SHA->new(256)->addfile($_)->hexdigest : '-' } $journal, "$journal.2" }

my ($code, $text) = tool('list', $journal);
is $code, 0, 'an empty journal is listed';
like $text, qr/nothing is owed/, 'as what it is';

is_content paid($t, '/paid'), "SECRET\n", 'paid';
$f->settle('close');
my $value = payment(unpaid($t, '/unknown'));
is paid($t, '/unknown', payment => $value)->status, 503, 'an outcome that is unknown';

my $before = digest();
($code, $text) = tool('list', $journal);
is $code, 0, 'listed while nginx runs';
my ($id) = $text =~ /^([0-9a-f]{16})  unknown +20\S+Z +0\.01 USDC +eip155:84532 +0x/m;
ok $id, 'the payment in doubt' or diag $text;
like $text, qr/^1 payment$/m, 'and only that one';

($code, $text) = tool('show', $journal, $id);
my @shown = map { JSON::PP::decode_json($_) } split /\n/, $text;
is $shown[-1]{state}, 'unknown', 'shown with its state';
like $shown[-1]{settle_request}, qr/paymentPayload/, 'and what is asked again';
($code, $text) = tool('show', $journal, 'ffff0000ffff0000');
is $code, 1, 'another id is not there';
is((tool('show', $journal, uc $id))[0], 0, 'capital letters are the same');

($code, $text) = tool('export', '--json', $journal);
my %by_state = map { $_->{state} => $_ } map { JSON::PP::decode_json($_) } split /\n/, $text;
is join(' ', sort keys %by_state), 'delivered unknown', 'all payments are exported';
is $by_state{delivered}{amount_decimal}, '0.01', 'with their amounts';
unlike $text, qr/signature/, 'never a signature';

($code, $text) = tool('verify', $journal);
is $code, 0, 'the journal is whole';
like $text, qr/\d+ records, 2 payments/, 'and says how much is in it';

my $copy = $t->dir . '/copy';
($code, $text) = tool('backup', $journal, $copy);
is $code, 0, 'copied' or diag $text;
is sprintf('%04o', (stat $copy)[2] & 07777), '0600', 'for its owner only';
is((tool('backup', $journal, $copy))[0], 1, 'never over another file');
is digest(), $before, 'the journal was not changed';

# --- what is not a journal ---------------------------------------------------------

for my $wrong ([ 'show', $journal, '' ], [ 'show', $journal, 'abc' ], [ 'show', $journal, 'wxyz' ], [ 'list' ], [ 'list', $journal, 'more' ], [ 'show', $journal ], ['invent', $journal], []) {
    ($code, $text) = tool(@$wrong);
    is $code, 2, "wrong use: @$wrong";
    like $text, qr/^usage:/, 'is told how';
}
is((tool('list', $t->dir . '/none'))[0], 1, 'a file that is not there');
like((tool('list', $t->write('text', "not a journal\n")))[1], qr/is not a journal/, 'a file of another kind');
my $torn = $t->dir . '/torn';
File::Copy::copy($copy, $torn) or die $!;
truncate $torn, (-s $torn) - 7;
($code, $text) = tool('verify', $torn);
is $code, 1, 'a torn journal is noticed';
like $text, qr/bytes are not part of a record/, 'and described';
for my $command ('list', 'export') {
    ($code, $text) = tool($command, $torn);
    is $code, 1, "also to $command";
    like $text, qr/bytes are not part of a record.*[0-9a-f]{16}/s, 'which shows what is there';
}
my $few = $t->dir . '/few';
File::Copy::copy($copy, $few) or die $!;
truncate $few, 100;
($code, $text) = tool('backup', $few, "$few.copy");
is $code, 1, 'what was cut off is not copied';
ok !-e "$few.copy", 'to a file that looks like a journal';
like((tool('list', $t->write('empty', '')))[1], qr/is empty: nginx fills it/, 'an empty file');
mkdir $t->dir . '/second' or die $!;
File::Copy::copy($copy, $t->dir . '/second/j.2') or die $!;
is((tool('list', $t->dir . '/second/j'))[0], 0, 'the second file alone');
is((tool('list', $_))[0], 1, "$_ is not read without end") for '/dev/zero', '/dev/null', $t->dir;
like qx{'$tool' export '$journal' 2>&1 >/dev/full}, qr/output cannot be written/, 'a full disk for the output';

# --- another nginx starts from the copy ---------------------------------------------

is $t->quit, 0, 'ended';
$f->settle('paid');
$t->{holes}{JOURNAL} = 'copy';
$t->conf($conf);
$t->start;
is_content paid($t, '/unknown', payment => $value), "SECRET\n", 'the payment in doubt is finished there';

finish;
