# SPDX-License-Identifier: Apache-2.0
# What the pages point to exists: files, headings of other pages, paths of the
# tree, words of the Makefile. A page that is not in the index is not found.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant INDEX => 'docs/README.md';

my @pages = ('*.md', 'docs/*.md');

# Rooms by the names that pages use: `session/claim_table` is a file of a pure
# room, `filter/response_hold` one of src/nginx.
my $house = X402::House->new;
my %room;
for ($house->sources) { $room{$2}{"src/" . ($1 // '') . $2} = 1 if m{\Asrc/(nginx/)?(\w+)/} }

# --- reading pages -----------------------------------------------------------------------

sub blank ($text) { return $text =~ s/[^\n]/ /gr }

# Without fenced blocks and without what a program has written; lines stay.
sub prose ($text) {
    return $text =~ s/^```.*?^```[^\n]*/blank($&)/gemsr =~ s/^<!-- (\w+) -->.*?^<!-- end \g1 -->/blank($&)/gemsr;
}

sub at ($text, $offset) { return 1 + substr($text, 0, $offset) =~ tr/\n// }

# As GitHub makes an anchor of a heading.
sub anchors ($text) {
    return map { lc(s/[^\w\s-]//gr) =~ s/ /-/gr } prose($text) =~ /^#+ +(.*?) *$/mg;
}

# dir/../a -> a
sub resolved ($page, $target) {
    my $path = ($page =~ m{\A(.*/)} ? $1 : '') . $target;
    1 while $path =~ s{(?:\A|(?<=/))(?!\.\./)[^/]+/\.\./}{};
    return $path =~ s{/\z}{}r;
}

sub exists_in ($house, $path) {
    return $house->paths($path) || $house->paths("$path/*") || $house->paths("$path/*/*");
}

# --- the rules -----------------------------------------------------------------------------

sub links ($house) {
    my @wrong;
    for my $page ($house->paths(@pages)) {
        my $text = prose($house->text($page));
        while ($text =~ /\]\(([^()\s]+)\)/g) {
            my ($target, $line) = ($1, at($text, $-[0]));
            next if $target =~ m{\A[a-z]+:};
            my ($path, $anchor) = split /#/, $target, 2;
            my $file = length $path ? resolved($page, $path) : $page;
            if (!exists_in($house, $file)) { push @wrong, "$page:$line: there is no $file" }
            elsif (defined $anchor && !grep { $_ eq $anchor } anchors($house->text($file))) {
                push @wrong, "$page:$line: $file has no heading for #$anchor";
            }
        }
    }
    return @wrong;
}

# `t/http/a.t`, `src/base`, `session/claim_table`, `conf/merge.cpp`, `t/http/*.t`
sub named_paths ($house) {
    my @wrong;
    for my $page ($house->paths(@pages)) {
        next if $page eq 'CHANGELOG.md';
        my $text = prose($house->text($page));
        while ($text =~ /`([\w.-]+(?:\/[\w.*<>-]+)+\/?)`/g) {
            my ($name, $line) = ($1, at($text, $-[0]));
            my ($first, $rest) = split m{/}, $name, 2;
            next if $name =~ /[<>]/;    # a place to fill in
            my @there =
                $first =~ /\A(?:src|t|docs|conf-examples)\z/ ? exists_in($house, $name =~ s{/\z}{}r)
                : !$room{$first}                             ? next
                : map { my $name = $_; map { $house->paths("$_/$name") } keys $room{$first}->%* }
                  map { /\./ ? $_ : ("$_.*", $_) } $rest, "ngx_http_x402_$rest";
            push @wrong, "$page:$line: there is no $name" if !@there;
        }
    }
    return @wrong;
}

sub words_of_make ($house) {
    my %words = map { $_ => 1 } map { split ' ' } ($house->text('Makefile') . $house->text('packaging/package.mk')) =~ /^([\w .\/%-]+):(?!=)/mg;
    my @wrong;
    for my $page ($house->paths(@pages)) {
        my $text = $house->text($page) =~ s/^```\w*\n(.*?)^```/ "\n" . $1 =~ s{^}{    }gmr . "\n" /gemsr;
        while ($text =~ /(?:^ {4}|`|&& )make((?: [A-Za-z]\w*=[^\s`]*| [a-z][a-z0-9-]*)+)/mg) {
            my ($list, $line) = ($1, at($text, $-[0]));
            push @wrong, map {"$page:$line: there is no `make $_`"} grep { !/=/ && !$words{$_} } split ' ', $list;
        }
    }
    return @wrong;
}

# 503 `busy`: the status and the fixed word of an answer.
sub words_of_answers ($house) {
    my $sources = join "\n", map { $house->text($_) } $house->sources;
    my @wrong;
    for my $page ($house->paths(@pages)) {
        next if $page eq 'CHANGELOG.md';
        my $text = prose($house->text($page));
        while ($text =~ /\b[45]\d\d(?:,|, `error` is)?\s`([a-z0-9_]+)`/g) {
            my ($word, $line) = ($1, at($text, $-[0]));
            push @wrong, "$page:$line: no answer says $word" if index($sources, "\"$word\"") < 0;
        }
    }
    return @wrong;
}

sub indexed ($house) {
    my %there = map { s/#.*//r => 1 } $house->text(INDEX) =~ /\]\(([^()\s]+)\)/g;
    return map { INDEX . ": does not lead to $_" } grep { my $name = s{.*/}{}r; $_ ne INDEX && !$there{$name} } $house->paths('docs/*.md');
}

# README is for a stranger in a hurry.
sub long_readme ($house) {
    my $lines = $house->text('README.md') =~ tr/\n//;
    return $lines > 200 ? "README.md has $lines lines; 200 are enough" : ();
}

# Tables, code and links cannot be wrapped.
sub long_lines ($house) {
    my @wrong;
    for my $page ($house->paths(@pages)) {
        my $line = 0;
        for (split /\n/, prose($house->text($page))) {
            $line++;
            push @wrong, "$page:$line: longer than 100 columns"
                if length(Encode::decode('UTF-8', $_)) > 100 && !/\A(?:\||    |\*\*Syntax:\*\*|!\[|\[)/;
        }
    }
    return @wrong;
}

# --- as it stands --------------------------------------------------------------------------

use Encode ();

cmp_ok scalar $house->paths(@pages), '>', 8, 'the pages were found';
cmp_ok scalar keys %room, '>', 12, 'and the rooms';
holds 'links lead somewhere', \&links, $house;
holds 'paths exist', \&named_paths, $house;
holds 'so do the words of make', \&words_of_make, $house;
holds 'answers say the words', \&words_of_answers, $house;
holds 'every page is in the index', \&indexed, $house;
holds 'the README is short', \&long_readme, $house;
holds 'lines are at most 100 columns', \&long_lines, $house;

# --- and the rules can fail ----------------------------------------------------------------

sub planted ($text, $path = 'docs/planted.md') { return $house->with($path => "$text\n") }

catches "a link: $_", \&links, planted($_) for '[a](gone.md)', '[a](../gone.md)', '[a](security.md#gone)', '[a](#gone)', '![a](gone.png)';
catches "a path: $_", \&named_paths, planted($_) for '`src/base/gone.cpp`', '`t/http/gone.t`', '`t/gone/`', '`session/gone`',
    '`conf/merge_gone.cpp`', '`t/http/*.gone`';
catches "a word: $_", \&words_of_make, planted($_) for '`make gone`', '    make gone', "```sh\nmake test && make gone\n```", '`make test gone`';
catches 'a word that no answer says', \&words_of_answers, planted('It gets 503 `gone_away`.');
catches 'a page that is not in the index', \&indexed, planted('');
catches 'a long README', \&long_readme, $house->with('README.md' => "\n" x 201);
catches 'a long line', \&long_lines, planted('long ' x 30);
is_deeply [ $_->[0]->(planted($_->[1])) ], [ $_->[0]->($house) ], "fine: $_->[1]" for
    [ \&links, '[a](../README.md) [b](security.md#promised) [c](https://x402.org)' ], [ \&links, "```\n[a](gone.md)\n```" ],
    [ \&named_paths, '`src/base` `session/claim_table` `filter/response_hold.cpp` `/weather/` `t/unit/<room>/a.cpp`' ],
    [ \&words_of_make, '`make build NGINX_SRC=dir`, make sure that' ], [ \&long_lines, '| ' . 'long ' x 30 ];

done_testing;
