# SPDX-License-Identifier: Apache-2.0
# What is committed holds for every machine and every reader: no paths and hosts
# of one desk, no notes to oneself, no blanks at the end of lines.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

# Data of others, byte for byte.
my $foreign = qr{\A(?:t/vectors/|t/fuzz/corpus/|t/e2e/package-lock\.json\z|LICENSE\z)};

# One letter of each word stands in brackets, so that this file passes its own test.
my @forbidden = (
    [ qr{(?<![\w.\}%-])/(?:w[o]rk|h[o]me|r[o]ot|U[s]ers|w[o]rkspace)/}, 'a path of one machine' ],
    [ qr{//(?:[\w.-]*[.-])?(?:r[e]gistry|m[i]rrors?|a[r]tifactory|n[e]xus|deb|pypi|npm)[.-][\w.-]+}i,
        'a host that packages come from' ],
    [ qr{\b(?:T[O]DO|F[I]XME|X[X]X|H[A]CK)\b}, 'a note to oneself' ],
    [ qr{[ \t\r]\z}, 'blanks at the end of a line' ],
);

sub unclean ($house) {
    my @wrong;
    for my $path (grep { !/$foreign/ } $house->tracked) {
        my $text = $house->text($path);
        next if $text =~ /\0/ || $text eq '';
        my $line = 0;
        for (split /\n/, $text) {
            $line++;
            for my $rule (@forbidden) {
                push @wrong, "$path:$line: $rule->[1]" if $_ =~ $rule->[0];
            }
        }
        push @wrong, "$path: does not end with a newline" if $text !~ /\n\z/;
        push @wrong, "$path: ends with an empty line" if $text =~ /\n\n\z/;
    }
    return @wrong;
}

my $house = X402::House->new;
cmp_ok scalar $house->tracked, '>', 100, 'the files were found';
holds 'the tree is clean', \&unclean, $house;

sub planted ($text, $path = 'docs/planted.md') { return $house->with($path => $text) }

catches $_, \&unclean, planted("a line\n$_\n") for
    'include /wo' . 'rk/main/a;', '"/ho' . 'me/me/a"', '/ro' . 'ot/a',
    'https://regi' . 'stry.npmjs.org/a', 'deb http://deb' . '.debian.org/debian', 'https://npm' . '.example.com/',
    'https://my.mir' . 'ror.example/a',
    '// TO' . 'DO: later', 'XX' . 'X', 'HA' . 'CK: no',
    'blank at the end ', "tab at the end\t", "\r";
catches 'no newline at the end', \&unclean, planted('text');
catches 'an empty line at the end', \&unclean, planted("text\n\n");
for my $fine ('/worker/a', 'http://app/' . 'work/a', 'x402-XXXXXXXX', 'the registry of tokens', 'proxy_pass http://mirrored;') {
    is_deeply [ unclean(planted("$fine\n")) ], [ unclean($house) ], "fine: $fine";
}
is_deeply [ unclean(planted("blank \n", 't/vectors/a.json')) ], [ unclean($house) ], 'vectors are data';

done_testing;
