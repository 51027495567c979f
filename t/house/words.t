# SPDX-License-Identifier: Apache-2.0
# Words that a reader stops at: archaic, gendered or ambiguous ones. The rule is
# in docs/contributing.md ("Plain English"); here are the words, what to write
# instead, and the texts that are covered.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

# Paths, and what is read of these files: 'page' is Markdown without code and
# without names of tests, 'comments' and 'strings' are those of C and C++, 'hash
# comments' are lines that begin with `#`.
my @covered = (
    [ 'README.md',              'page' ],
    [ 'CHANGELOG.md',           'page' ],
    [ 'CONTRIBUTING.md',        'page' ],
    [ 'SECURITY.md',            'page' ],
    [ 'SUPPORT.md',             'page' ],
    [ 'CODE_OF_CONDUCT.md',     'page' ],
    [ '.github/*.md',           'page' ],
    [ 'docs/*.md',              'page' ],
    [ 'conf-examples/*.conf',   'hash comments' ],
    [ 'Makefile',               'hash comments' ],
    [ 'config',                 'hash comments' ],
    [ 'config.make',            'hash comments' ],
    [ 'debian/*',               'hash comments' ],
    [ 'packaging/*/*',          'hash comments' ],
    [ 'monitoring/*.yml',       'hash comments' ],
    [ 'ngx_http_x402_module.c', 'comments' ],
    [ 'src/*/*.*pp',            'comments', 'strings' ],
    [ 'src/nginx/*.h',          'comments' ],
    [ 'src/nginx/*/*.*pp',      'comments', 'strings' ],
    [ 'src/nginx/*/*/*.*pp',    'comments', 'strings' ],
    [ 'tools/*.*pp',            'comments', 'strings' ],
    [ 't/house/*.t',            'hash comments' ],
    [ 't/http/*.t',             'hash comments' ],
    [ 't/unit/*/*.*pp',         'comments' ],
    [ 't/lib/X402/*.pm',        'hash comments' ],
    [ 't/package/*',            'hash comments' ],
    [ 't/chaos/*.py',           'hash comments' ],
    [ 't/chaos/*.c',            'comments' ],
    [ 't/e2e/*.mjs',            'comments' ],
    [ 't/e2e/*.sol',            'comments' ],
    [ 't/bench/*.mjs',          'comments' ],
    [ 't/bench/*.*pp',          'comments' ],
    [ 't/fuzz/*.*pp',           'comments' ],
    [ 't/simulate/*.*pp',       'comments' ],
    [ 't/simulate/*.t',         'hash comments' ],
);

# Pattern, what to write instead, and what looks like it and is fine.
my @banned = (
    [ qr/\bwho(?:m|so)?ever\b/i, 'anyone that, a client that, if it' ],
    [ qr/\blest\b/i,             'otherwise, so that, to prevent' ],
    [ qr/\bfor\s?ever\b/i,       'permanently, never expires' ],
    [
        qr/\b(?:is|are|was|were|be|been)\s+no\s+/i, 'is not a, has no',
        qr/\b(?:there\s+(?:is|are|was|were|be)\s+no|(?:is|are|was|were|be|been)\s+no\s+(?:longer|more|less|later|earlier))\b/i,
    ],
    [ qr/\bof\s+(?:ours|yours|theirs|his|hers)\b/i,         'your own, the module\'s own' ],
    [ qr/\bbesides\b/i,                                     'also, in addition to, further' ],
    [ qr/\bunder\s?way\b/i,                                 'in progress, while the request is processed' ],
    [ qr/\b(?:he|she|him|his|her|hers|himself|herself)\b/i, 'it; name the client, payer, worker or facilitator' ],
    [ qr/\b(?:some|no|any|every)body\b/i,                   'anyone; name the client, payer, worker or operator' ],
    [
        qr/(?:^|[.;:,(]\s+|\b(?:for|to|by|of|from|with|and|or|but|than|as|at|is|are)\s+)whom?\b/im,
        '"who" behind a noun only: a client that',
    ],
    [ qr/\b(?:is|are)\s+(?:well|ill)\b(?!-)/i,                           'available, recovered, failed' ],
    [ qr/\b(?:thereof|whereof|hither|whence|thence|ere|albeit|whilst)\b/i, 'a word of today' ],
    [ qr/\bturned\s+away\b|\bno\s+good\b/i,                              'rejected, invalid, not supported' ],
    [ qr/\bdear(?:er|est)?\b/i,                                          'expensive, higher' ],
    [ qr/\banew\b/i,                                                     'again, from the beginning, re-' ],
);

# --- what is read of a file: everything else becomes blanks, lines stay -------------------

sub blank ($text) { return $text =~ s/[^\n]/ /gr }

my $literal   = qr{R"(\w*)\( .*? \)\g{-1}" | "(?:[^"\\\n]|\\.)*" | (?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)*'}xs;
my $comment   = qr{//[^\n]* | /\*.*?\*/}xs;
my $directive = qr{^[ \t]*\#[ \t]*include[^\n]*}m;

sub comments ($text) {
    return $text =~ s{($comment)|$literal|$directive|[^/"'R#\n]+|.}{ defined $1 ? $1 =~ s{^\s*(?://|/?\*+)}{blank($&)}gemr : blank($&) }gesr;
}

sub strings ($text) {
    return $text =~ s{$comment|$directive|($literal)|[^/"'R#\n]+|.}{ defined $1 ? $1 : blank($&) }gesr;
}

sub hash_comments ($text) {
    return $text =~ s/^(?![ \t]*#)[^\n]*/blank($&)/gemr =~ s/^[ \t]*#+/blank($&)/gemr;
}

# A cell of a table that begins with a test names tests.
sub page ($text) {
    $text =~ s/^```.*?^```[^\n]*|^    \S[^\n]*/blank($&)/gems;
    $text =~ s/\|\s*`(?:t\/|[A-Z]\w*\.[A-Z])[^|\n]*/blank($&)/ge;
    $text =~ s/`[^`\n]*`/blank($&)/ge;
    return $text;
}

my %reader = (page => \&page, comments => \&comments, strings => \&strings, 'hash comments' => \&hash_comments);

# --- the rule ------------------------------------------------------------------------------

# Each text is read once, however often the rule is asked.
sub found ($kind, $raw) {
    state %known;
    return $known{$kind}{$raw} //= [ found_in($reader{$kind}->($raw)) ];
}

sub found_in ($text) {
    my @found;
    for (@banned) {
        my ($word, $instead, $fine) = @$_;
        my $read = $fine ? $text =~ s/$fine/blank($&)/ger : $text;
        while ($read =~ /$word/g) {
            my ($found, $end) = ($&, $+[0]);
            push @found, [ 1 + substr($read, 0, $end) =~ tr/\n//, '"' . $found =~ s/\s+/ /gr . "\": $instead" ];
        }
    }
    return @found;
}

sub unplain ($house) {
    my @wrong;
    for (@covered) {
        my ($paths, @kinds) = @$_;
        for my $path ($house->paths($paths)) {
            push @wrong, map {"$path:$_->[0]: $_->[1]"} map { found($_, $house->text($path))->@* } @kinds;
        }
    }
    return @wrong;
}

# --- as it stands --------------------------------------------------------------------------

my $house = X402::House->new;
holds 'the texts are in plain English', \&unplain, $house;

# --- and the rule can fail -----------------------------------------------------------------

sub planted ($text, $path = 'docs/planted.md') { return $house->with($path => "$text\n") }

catches $_, \&unplain, planted($_) for
    'Whoever pays is served.', 'lest it pays twice', 'It is kept for ever.', 'what is no JSON', 'payments that are no good',
    'a page of ours', 'Two dialects besides.', 'while it is underway', 'the client and his money', 'Somebody has paid.',
    'for who pays', 'A price. Who pays is served.', 'to whom it goes', 'it is well again', 'the dear one', 'it begins anew',
    "a line\nfor\nwho pays", "| a | b |\n| --- | --- |\n| c | is no page |";
catches 'in a message', \&unplain, planted('const char *a = "it is no number";', 'src/nginx/conf/planted.cpp');
catches 'in a comment of a room of nginx', \&unplain, planted('// for ever', 'src/nginx/call/curl/planted.hpp');
catches 'in an example', \&unplain, planted('    # for ever', 'conf-examples/planted.conf');

is_deeply [ unplain(planted($_)) ], [ unplain($house) ], "fine: $_" for
    'There is no price.', 'It is no longer held.', 'a client who pays', '`his` and `besides`', "```\nlest\n```",
    "    for ever\n", '| a | `t/http/a.t` "is no page" |', 'is well-formed', 'the header';
is_deeply [ unplain(planted('location /his { }', 'conf-examples/planted.conf')) ], [ unplain($house) ], 'an example is code';

# What is read of code.
like comments(qq(int a; // one\n/* two\n * three */ "four")), qr/\A {9} one\n +two\n +three [*]\/ +\z/, 'comments';
like strings(qq(f("one", 'a'); // "two"\n#include "three"\n/* "four" */ "fi\\"ve")), qr/\A +"one"  'a' +\n +\n +"fi\\"ve"\z/, 'strings';

done_testing;
