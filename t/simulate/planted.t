# SPDX-License-Identifier: Apache-2.0
# The simulator finds faults: each known one is planted into a copy of the
# sources, below build/, and has to be found within a number of payments.
# A1 to A5 and B4 were found by attackers in an earlier version; here each of
# their mends is taken out again.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Basename qw(dirname);
use File::Path qw(make_path);
use Test::More;
use X402::House;

use constant { PAYMENTS => 200_000, SEED => 402 };

my $top  = X402::House->top;
my $made = "$top/build/simulate";
my $cxx  = $ENV{CXX} // 'c++';

# name, what is promised, what the simulator says, then path, pattern, text.
my @faults = (
    [ 'used', 'a delivered payment whose cell was given to another stays used', qr/M3: (?:served twice|its claim is taken again)/,
        'src/session/bloom_filter.cpp' => qr/words\[word\] \|= bit;/ => 'words[word] |= bit & 1;' ],
    [ 'A1', 'a claim answers at its own server alone', qr/paid to another receiver|content worth/,
        'src/policy/claim_key.cpp' => qr/append_text\(parts, resource\.server\);\s+append_number\(parts, resource\.port\);/ => '',
        'src/session/claim_binding.cpp' => qr/\s*&& bought\.terms == wanted\.terms\s*&& bought\.asked >= wanted\.asked/ => '' ],
    [ 'A1, receiver', 'and for its own receiver and asset', qr/paid to another receiver/,
        'src/session/claim_binding.cpp' => qr/\s*&& bought\.terms == wanted\.terms/ => '' ],
    [ 'A2', 'and for no higher price', qr/content worth \d+ for \d+/,
        'src/session/claim_binding.cpp' => qr/\s*&& bought\.asked >= wanted\.asked/ => '' ],
    [ 'A3', 'what was paid bounds what is owed', qr/content worth \d+ for \d+/,
        'src/session/claim_binding.cpp' => qr/return bought\.paid >= cost;/ => 'return bought.asked >= cost;' ],
    [ 'A4', 'a client that leaves has what it was sent', qr/M3: served twice/,
        'src/session/payment_order.cpp' => qr/ && !end\.client_left/ => '' ],
    [ 'A5', 'what the upstream breaks off is owed', qr/M5: asked to pay again|I5: money moved/,
        'src/session/payment_order.cpp' => qr/return released && !end\.complete/ => 'return !released && !end.complete' ],
    [ 'B4', 'a forged payment delays none', qr/B4: delayed by a forged payment/,
        'src/session/claim_table.cpp' => qr/return cell\.payer_was_verified\(\)\s+&& / => 'return ' ],
    [ 'client', 'owed content goes to its own client', qr/served to another client/,
        'src/session/claim_table.cpp' => qr/view\.same_client = [^;]+;/ => 'view.same_client = true;' ],
    [ 'older', 'what is owed goes before a new purchase', qr/M4: charged again for what is owed/,
        'src/session/older_claim.cpp' => qr/if \(claims\.resume_owed\(/ => 'if (purchase.payer[0] > 200 && claims.resume_owed(' ],
    [ 'name', 'a name that was paid for is kept', qr/M4: paid twice under one name/,
        'src/session/claim_cells.cpp' => qr/names_->keep\(cell\.name, cell\.key\);/ => 'names_->forget(cell.name, cell.key);' ],
    [ 'refusal', 'no refusal counts behind an unknown outcome', qr/I4: money moved, and the claim is|M5: asked/,
        'src/session/settle_event.cpp' => qr/if \(prior\.ever_unknown\)/ => 'if (prior.ever_unknown && verdict == SettleVerdict::paid)' ],
    [ 'death', 'what a dead worker was settling is unknown', qr/I4: money moved, and the claim is free/,
        'src/session/claim_cells.cpp' => qr/if \(state == ClaimState::verifying \|\| state == ClaimState::verified\)/
            => 'if (state != ClaimState::paid && state != ClaimState::unknown && state != ClaimState::delivered && state != ClaimState::refused && state != ClaimState::closed)' ],
);

# Payments that it takes, where a few are not enough: a bucket of the zone has to be full.
my %needed = (used => 600);

# What was compiled without the fault, but for the files that have it.
sub objects (%instead) {
    return map { my $path = s{\Abuild/bench/o/}{}r =~ s{\Abuild/module/objs/addon/}{src/}r =~ s/o\z/cpp/r; $instead{$path} // "$top/$_" }
        split ' ', $ENV{SIMULATE_OBJECTS};
}

sub run_quietly (@command) {
    open my $out, '-|', @command or die "$command[0]: $!";
    local $/;
    my $text = <$out>;
    close $out;
    return ($? >> 8, $text);
}

sub program_with ($name, @edits) {
    my $folder = "$made/planted/" . $name =~ s/\W+/_/gr;
    my %instead;
    while (my ($path, $from, $to) = splice @edits, 0, 3) {
        my $text = X402::House->new->changed($path, $from, $to)->text($path);
        my $copy = "$folder/$path";
        make_path(dirname $copy);
        open my $file, '>', $copy or die "$copy: $!";
        print {$file} $text;
        close $file or die "$copy: $!";
        ($instead{$path} = $copy) =~ s/cpp\z/o/;
        system($cxx, qw(-std=c++17 -O1 -w -iquote), "$top/src", '-c', '-o', $instead{$path}, $copy) == 0
            or die "$copy cannot be compiled";
    }
    system($cxx, '-o', "$folder/simulate", objects(%instead), split ' ', $ENV{SIMULATE_LIBS}) == 0 or die "$folder cannot be linked";
    return "$folder/simulate";
}

plan skip_all => 'this is `make simulate-planted`' if !$ENV{SIMULATE_OBJECTS};

my @bound = ('--quiet', '--seed', SEED, '--payments', PAYMENTS);

for (@faults) {
    my ($name, $promise, $violation, @edits) = @$_;
    my ($code, $said) = run_quietly(program_with($name, @edits), @bound);
    like $said, qr/\Asimulate: seed \d+, \d+ payments: payment \d+: [^\n]*(?:$violation)/, "$name: $promise";
    is $code, 1, "$name: exit 1";
    my ($payments, $history) = $said =~ /^shrunk to (\d+) payments[^\n]*\n((?:  [^\n]*\n)+)/m;
    like $history // '', qr/VIOLATION/, "$name: the history shows it";
    cmp_ok $payments // 9999, '<=', $needed{$name} // 8, "$name: shrunk to a few payments";
    note $said if $ENV{X402_KEEP};
}

done_testing;
