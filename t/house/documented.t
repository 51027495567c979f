# SPDX-License-Identifier: Apache-2.0
# Every directive has its entry in docs/directives.md, with an example, a line
# in the table there and a test. Every variable has a row in docs/variables.md,
# an example and a test. The pages name nothing that does not exist.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant { DIRECTIVES => 'docs/directives.md', VARIABLES => 'docs/variables.md', OPERATING => 'docs/operating.md',
    REFUSALS => 'src/policy/refusal_words.hpp' };

# Pages for users. docs/design.md and docs/contributing.md may speak of names that a change would add.
my @pages = ('README.md', 'docs/*.md');

# --- the rules -----------------------------------------------------------------------

# "### name" up to the next heading.
sub entry ($house, $name) {
    return $house->text(DIRECTIVES) =~ /^### \Q$name\E\n(.*?)(?=^##|\z)/ms ? $1 : undef;
}

# A summary of one line, then Syntax, Default and Context, each a paragraph:
# lines that follow each other would flow into one on a Markdown page.
my $opening = qr/\A\n([A-Z][^\n]+\.)\n\n\*\*Syntax:\*\* `([^\n]+)`\n\n\*\*Default:\*\* [^\n]+\n\n\*\*Context:\*\* ([^\n]+)\n\n\S/;

sub entries ($house) {
    my %directives = $house->directives;
    my @wrong;
    for my $name (sort keys %directives) {
        my $entry = entry($house, $name);
        if (!defined $entry) {
            push @wrong, DIRECTIVES . ": no entry \"### $name\"";
            next;
        }
        my ($summary, $syntax, $context) = $entry =~ $opening or do {
            push @wrong, DIRECTIVES . ": $name: the entry begins with a summary of one line, then Syntax, Default and Context,"
                . ' with empty lines between';
            next;
        };
        push @wrong, DIRECTIVES . ": $name: Syntax begins with the name" if $syntax !~ /\A\Q$name\E(?: |\z)/;
        push @wrong, DIRECTIVES . ": $name: Context is \"$directives{$name}\" in the tables" if $context ne $directives{$name};
        push @wrong, DIRECTIVES . ": $name: the line in the table is its summary"
            if index($house->text(DIRECTIVES), "\n| [$name](#$name) | $summary |\n") < 0;
    }
    return @wrong;
}

# What stands in fenced blocks of configuration.
sub configuration ($text) { return join "\n", $text =~ /^```nginx\n(.*?)^```/gms }

sub without_example ($house) {
    my %directives = $house->directives;
    return map { DIRECTIVES . ": $_: the entry has no example of it" }
        grep { configuration(entry($house, $_) // '') !~ /(?:^|[\s{;])\Q$_\E\s/m } sort keys %directives;
}

# Variables ($x402_...) are not directives.
sub invented ($house) {
    my %directives = $house->directives;
    my @wrong;
    for my $page ($house->paths(@pages)) {
        my $line = 0;
        for (split /\n/, $house->text($page)) {
            $line++;
            while (/(?<![\w\$\/])(x402_\w+)(?![\w*]|\.hpp)/g) {
                push @wrong, "$page:$line: there is no directive $1" if !$directives{$1};
            }
        }
    }
    push @wrong, map { DIRECTIVES . ": an entry for $_, which does not exist" }
        grep { /\Ax402/ && !$directives{$_} } $house->text(DIRECTIVES) =~ /^### (\S+)$/mg;
    return @wrong;
}

# In a configuration of a test that serves requests: config_errors.t only shows
# what is refused, examples.t has no configuration of its own.
sub untested ($house) {
    my %directives = $house->directives;
    my $text = join "\n", map { $house->text($_) }
        grep { !m{/(?:config_errors|examples)\.t\z} } $house->paths('t/http/*.t', 't/e2e/*.mjs');
    return map {"no test in t/http or t/e2e uses $_"}
        grep { $text !~ /(?:^|[\s{;"'`])\Q$_\E +[^\s=,.]/m } sort keys %directives;
}

# A name that ends in `_` goes on with the name of a field.
sub variable_lines ($house) {
    my $text = $house->text(VARIABLES);
    return map { VARIABLES . ": no line in the table for \$$_" }
        grep { my $field = /_\z/ ? '<field>' : ''; $text !~ /^\| `\$\Q$_\E$field` \| [^|]+ \| [^|]+ \|$/m }
        $house->variables;
}

sub variables_without_example ($house) {
    my $text = join "\n", (map { configuration($house->text($_)) } $house->paths(@pages)),
        map { $house->text($_) =~ s/^\s*#.*//gmr } $house->paths('conf-examples/*');
    return map {"\$$_ is in no example: neither in conf-examples nor in a block of configuration in docs"}
        grep { my $end = /_\z/ ? '\w' : '\b'; $text !~ /\$\{?\Q$_\E$end/ } $house->variables;
}

sub invented_variables ($house) {
    my $known = join '|', map { /_\z/ ? "$_\\w+" : $_ } $house->variables;
    return map {
        my $page = $_;
        map {"$page: there is no variable \$$_"}
            grep { !/\A(?:$known)\z/ } $house->text($page) =~ /\$(x402_\w+)(?![\w*]|<)/g
    } $house->paths(@pages);
}

# As the name itself, or as a word in the list that variables.t makes names of.
sub untested_variables ($house) {
    my $text = $house->text('t/http/variables.t');
    my ($list) = $text =~ /^my \@names = qw\(([^)]*)\)/m;
    my %listed = map { ("x402_$_" => 1) } split ' ', $list // '';
    return map {"t/http/variables.t does not use \$$_"}
        grep { my $end = /_\z/ ? '\w' : '\b'; !$listed{$_} && $text !~ /\$\Q$_\E$end/ } $house->variables;
}

# A word of the table of refusals has its row among the symptoms, with its status. A row for
# several ends in `...`.
sub refusal_words ($house) {
    return $house->text(REFUSALS) =~ /\bk\w+ = \{\s*"(\w+)",\s*(\d+)/g;
}

sub words_without_remedy ($house) {
    my %status = refusal_words($house);
    my ($table) = $house->text(OPERATING) =~ /^## Symptom, cause, remedy\n(.*)/ms;
    my @rows = map {/^\|([^|]*)\|/} split /\n/, $table // '';
    return map {
        my ($word, $status) = ($_, $status{$_});
        my ($family) = $word =~ /\A(pass_|sign_in_)/;
        my $named = join '|', map { quotemeta "`$_`" } $word, $family ? "$family..." : ();
        grep({ /\b$status\b/ && /$named/ } @rows) ? () : OPERATING . ": no row for $status $word"
    } sort keys %status;
}

# --- as it stands -----------------------------------------------------------------------

my $house = X402::House->new;
my %directives = $house->directives;
my @variables = $house->variables;
my $named = -@variables + (() = $house->text(X402::House::TABLES) =~ /ngx_string\("x402/g);

cmp_ok $named, '>', 15, 'the tables were found';
is scalar keys %directives, $named, 'and read to the last line';
is_deeply [ @directives{qw(x402 x402_zone)} ], [ 'http, server, location', 'http' ], 'with contexts';

holds 'every directive has its entry', \&entries, $house;
holds 'with an example', \&without_example, $house;
holds 'the pages name no other', \&invented, $house;
holds 'every directive is in a test', \&untested, $house;
cmp_ok scalar @variables, '>', 15, 'the variables were found';
holds 'every variable has its line', \&variable_lines, $house;
holds 'and an example', \&variables_without_example, $house;
holds 'the pages name no other', \&invented_variables, $house;
holds 'every variable is in the test', \&untested_variables, $house;
cmp_ok scalar(my %words = refusal_words($house)), '>', 40, 'the words of refusals were found';
holds 'every word of an answer has its remedy', \&words_without_remedy, $house;

# --- and the rules can fail ---------------------------------------------------------------

my $new = $house->changed(X402::House::TABLES, qr/^    \{ ngx_string\("x402"\),/m,
    qq(    { ngx_string("x402_planted"),\n      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,\n)
        . qq(      ngx_conf_set_flag_slot,\n      0,\n      0,\n      NULL },\n\n    { ngx_string("x402"),));
catches 'a directive without an entry', \&entries, $new;
catches 'a directive without an example', \&without_example, $new;
catches 'a directive without a test', \&untested, $new;

my $more = $house->changed(X402::House::TABLES, qr/^    \{ ngx_string\("x402_state"\),/m,
    qq(    { ngx_string("x402_planted"), NULL,\n      ngx_http_x402_get_variable,\n)
        . qq(      NGX_HTTP_X402_STATE, 0, 0 },\n\n    { ngx_string("x402_state"),));
catches 'a variable without a line', \&variable_lines, $more;
catches 'a variable without an example', \&variables_without_example, $more;
catches 'a variable without a test', \&untested_variables, $more;

sub page ($from, $to) { return $house->changed(DIRECTIVES, $from, $to) }
sub variables ($from, $to) { return $house->changed(VARIABLES, $from, $to) }

my $timeout = qr/^(### x402_timeout\n.*?)/ms;
catches 'an entry that is gone', \&entries, page(qr/^### x402_timeout$/m, '### Timeouts');
catches 'an entry without a summary', \&entries, page(qr/^### x402_timeout\n\n[^\n]+\n\n/m, "### x402_timeout\n\n");
catches "an entry without $_", \&entries, page(qr/$timeout^\*\*$_:\*\*[^\n]*\n\n/ms, "### x402_timeout\n\nSets it.\n\n")
    for qw(Syntax Default Context);
catches 'lines that flow into one', \&entries, page(qr/$timeout\n\n\*\*Default/ms, "### x402_timeout\n\nSets it.\n\n**Syntax:** `x402_timeout time`\n**Default");
catches 'a wrong context', \&entries, page(qr/^(### x402_zone\n.*?^\*\*Context:\*\*) http\n/ms, "### x402_zone\n\nSets it.\n\n"
    . "**Syntax:** `x402_zone name:size`\n\n**Default:** -\n\n**Context:** http, server\n");
catches 'a line that is gone', \&entries, page(qr/^\| \[x402_timeout\][^\n]*\n/m, '');
catches 'a line that says something else', \&entries, page(qr/^(\| \[x402_timeout\][^|]*\|)[^|\n]*/m, '| [x402_timeout](#x402_timeout) | Is a time. ');
catches 'an example that is gone', \&without_example, page(qr/$timeout```nginx\n.*?```/ms, '### x402_timeout');
catches 'an example of something else', \&without_example, page(qr/$timeout```nginx\n.*?```/ms, "### x402_timeout\n```nginx\nroot html;\n```");
catches 'a line of a variable that is gone', \&variable_lines, variables(qr/^\| `\$x402_payer`[^\n]*\n/m, '');
catches 'a variable that does not exist', \&invented_variables, variables(qr/\z/, "\nthe \$x402_nonsense\n");
catches 'a directive that does not exist', \&invented, page(qr/\z/, "\n    x402_nonsense on;\n");
catches 'an entry for it', \&invented, page(qr/\z/, "\n### x402_nonsense\n");
catches 'a word without a remedy', \&words_without_remedy,
    $house->changed(REFUSALS, qr/^(inline constexpr RefusalWord kBusy)/m, qq(inline constexpr RefusalWord kPlanted = {"planted", 500};\n\$1));
catches 'a word with another status', \&words_without_remedy, $house->changed(REFUSALS, qr/"busy", 503/, '"busy", 500');
catches 'a row that is gone', \&words_without_remedy, $house->changed(OPERATING, qr/^\| 503 `busy`[^\n]*\n/m, '');

is_deeply [ invented(page(qr/\z/, "\nngx_http_x402_module \$x402_payer\n")) ], [ invented($house) ],
    'variables and the module are no directives';

done_testing;
