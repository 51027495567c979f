# SPDX-License-Identifier: Apache-2.0
# A function fits on a screen and a file in a head. A file that cannot be
# shorter says why in the comment it opens with ("longer than ..."), so that the
# next reader knows it is on purpose. The tables are what they are.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant { LONGEST_FUNCTION => 60, LONGEST_FILE => 400 };

# --- the rules -----------------------------------------------------------------------

sub long_functions ($house) {
    my @wrong;
    for my $path ($house->sources) {
        push @wrong, map {"$path:$_->{line}: $_->{name} has $_->{lines} lines"}
            grep { $_->{lines} > LONGEST_FUNCTION } $house->functions($path);
    }
    return @wrong;
}

sub long_files ($house) {
    my @wrong;
    for my $path ($house->sources) {
        my $lines = $house->text($path) =~ tr/\n//;
        next if $lines <= LONGEST_FILE || $house->header_comment($path) =~ /longer\s+(?:\W+\s+)?than/;
        push @wrong, "$path: $lines lines, and the comment it opens with does not say why";
    }
    return @wrong;
}

# --- as it stands -----------------------------------------------------------------------

my $house = X402::House->new;
my @functions = map { $house->functions($_) } $house->sources;

cmp_ok scalar @functions, '>', 400, 'functions were found';
is join(' ', grep { $_ eq '?' } map { $_->{name} } @functions), '', 'and have names';

holds 'no function is longer than ' . LONGEST_FUNCTION . ' lines', \&long_functions, $house;
holds 'no file is longer than ' . LONGEST_FILE . ' lines without a reason', \&long_files, $house;

# --- and the rules can fail ---------------------------------------------------------------

sub function_of ($lines, $head = 'int planted(int a)') {
    return "$head\n{\n" . "    work();\n" x ($lines - 3) . "}\n";
}
sub planted ($text) { return $house->with('src/base/planted.cpp' => $text) }

catches 'a function of 61 lines', \&long_functions, planted(function_of(61));
is_deeply [ long_functions(planted(function_of(60))) ], [ long_functions($house) ], 'one of 60 is none';
catches "a long $_->[0]", \&long_functions, planted($_->[1]) for
    [ 'member', "namespace x402 {\nnamespace {\nstruct A {\n" . function_of(61, 'int B::of() const noexcept') . "};\n}\n}\n" ],
    [ 'constructor', function_of(61, 'A::A(int b) : b_{b}, c_(b)') ],
    [ 'template', function_of(61, 'template <class T> auto of(T &&t) -> decltype(t)') ],
    [ 'function behind a string with a brace', qq(const char *a = "{";\nchar b = '{'; // {\n) . function_of(61) ],
    [ 'function behind a table', "constexpr int a[] = {\n    1, 2,\n};\n" . function_of(61) ],
    [ 'function behind a macro', "#define A(b) { \\\n    b\n" . function_of(61) ];
my @short = (function_of(40), function_of(40, 'int other()'));
is_deeply [ long_functions(planted("namespace x402 {\n@short}\n")) ], [ long_functions($house) ],
    'two short ones are no long one';

my $long = "#include <string>\n" . "// a line\n" x 400;
catches 'a file of 401 lines', \&long_files, planted($long);
catches 'a reason at the wrong end', \&long_files, planted("$long// This file is longer than others.\n");
is_deeply [ long_files(planted("// One table; longer\n// than others because it is one.\n$long")) ],
    [ long_files($house) ], 'a reason where it belongs';

done_testing;
