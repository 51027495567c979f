# SPDX-License-Identifier: Apache-2.0
# Every line that the module may write to the error log has its row in
# docs/log-lines.md, with cause and remedy, and the page has no other rows.
# Errors of the configuration say themselves what to write.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant PAGE => 'docs/log-lines.md';

# --- the rules -----------------------------------------------------------------------

# The words of the first column: what stands in backquotes there.
sub words_of ($house) {
    return map { /^\| (`[^|]*) \|/ ? $1 =~ /`([^`]+)`/g : () } split /\n/, $house->text(PAGE);
}

# Without comments; "https://" does not begin one.
sub code_of ($house, $path) {
    return $house->text($path) =~ s{(?<!:)//[^\n]*}{}gr;
}

# Of a call: its literals, those that touch put together.
sub literals ($arguments) {
    my ($text, $last) = ('', 0);
    while ($arguments =~ /"((?:[^"\\]|\\.)*)"/g) {
        my ($literal, $from, $to) = ($1, $-[0], $+[0]);
        $text .= '%' if length $text && substr($arguments, $last, $from - $last) =~ /\S/;
        $text .= $literal;
        $last = $to;
    }
    return $text =~ s/\\"/"/gr;
}

# [ path, line, level, literals ] of each call of a pen with a literal.
sub lines_written ($house) {
    my @found;
    for my $path (grep { !m{/core/} } $house->sources('nginx')) {
        my $text = code_of($house, $path);
        while ($text =~ /\b(?:log_line|log_refusal|log_seldom|log_conf|say)\s*\(((?:[^;"]|"(?:[^"\\]|\\.)*")*?)\)\s*;/gs) {
            my ($arguments, $line) = ($1, 1 + substr($text, 0, $-[0]) =~ tr/\n//);
            push @found, [ $path, $line, $arguments =~ /NGX_LOG_(\w+)/ ? $1 : '', literals($arguments) ] if $arguments =~ /"/;
        }
    }
    return @found;
}

sub without_row ($house) {
    my @words = words_of($house);
    my @wrong;
    for (lines_written($house)) {
        my ($path, $line, $level, $text) = @$_;
        # What only frames a sentence that is given elsewhere.
        next if $text !~ /[a-z]+ [a-z]+/;
        next if $level eq 'EMERG' || grep { index($text, $_) >= 0 } @words;
        push @wrong, "$path:$line: no row in " . PAGE . " has words of \"$text\"";
    }
    return @wrong;
}

sub without_line ($house) {
    my $all = join "\n", map { literals(code_of($house, $_)) } $house->sources('nginx');
    $all .= join "\n", map { literals($house->text($_)) } $house->sources('facilitator');
    return map { PAGE . ": nothing writes \"$_\"" } grep { index($all, $_) < 0 } words_of($house);
}

sub incomplete_rows ($house) {
    return map { PAGE . ": a row has line, level, cause and remedy: $_" }
        grep { /^\| `/ && !/^\| [^|]+ \| (?:crit|error|warn|notice|info|emerg|, )+ \| [^|]+ \| [^|]+ \|$/ }
        split /\n/, $house->text(PAGE);
}

# --- as it stands -----------------------------------------------------------------------

my $house = X402::House->new;
cmp_ok scalar(lines_written($house)), '>', 40, 'lines were found';
cmp_ok scalar(words_of($house)), '>', 40, 'and rows';
holds 'every line has its row', \&without_row, $house;
holds 'every row has its line', \&without_line, $house;
holds 'every row is complete', \&incomplete_rows, $house;

# --- and the rules can fail ---------------------------------------------------------------

catches 'a line without a row', \&without_row,
    $house->with('src/nginx/zone/planted.cpp' => qq(void f() { log_line(NGX_LOG_WARN, log, "some" " words " + name); }\n));
catches 'a row without a line', \&without_line, $house->changed(PAGE, qr/\z/, "| `words that nobody writes` | warn | a cause | a remedy |\n");
catches 'a row without a remedy', \&incomplete_rows, $house->changed(PAGE, qr/\z/, "| `is well again` | warn | a cause |\n");

done_testing;
