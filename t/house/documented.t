# Every directive is in the README, in the table and with an entry of its own,
# and in a test; every variable has its line there and is in a test; the README
# promises nothing that does not exist.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant README => 'README.md';

# --- the rules -----------------------------------------------------------------------

# "### name" up to the next heading.
sub entry ($house, $name) {
    return $house->text(README) =~ /^### \Q$name\E\n(.*?)(?=^##|\z)/ms ? $1 : undef;
}

sub entries ($house) {
    my %directives = $house->directives;
    my @wrong;
    for my $name (sort keys %directives) {
        my $entry = entry($house, $name);
        if (!defined $entry) {
            push @wrong, "README: no entry \"### $name\"";
            next;
        }
        push @wrong, "README: $name: the entry begins with Syntax, Default and Context"
            if $entry !~ /\A\n\*\*Syntax:\*\* [^\n]+\n\*\*Default:\*\* [^\n]+\n\*\*Context:\*\* [^\n]+\n\n\S/;
        push @wrong, "README: $name: Syntax begins with the name"
            if $entry !~ /^\*\*Syntax:\*\* \Q$name\E(?: |$)/m;
        push @wrong, "README: $name: Context is \"$directives{$name}\" in the tables"
            if $entry !~ /^\*\*Context:\*\* \Q$directives{$name}\E *$/m;
    }
    return @wrong;
}

sub table_lines ($house) {
    my %directives = $house->directives;
    my @lines = grep {/^\|/} split /\n/, $house->text(README);
    return map {"README: no line in the table for $_"}
        grep { my $link = "[$_](#$_)"; !grep { index($_, $link) >= 0 } @lines } sort keys %directives;
}

# Variables ($x402_...) are no directives.
sub invented ($house) {
    my %directives = $house->directives;
    my @wrong;
    my $line = 0;
    for (split /\n/, $house->text(README)) {
        $line++;
        while (/(?<![\w\$])(x402_\w+)/g) {
            push @wrong, README . ":$line: there is no directive $1" if !$directives{$1};
        }
    }
    push @wrong, map {"README: an entry for $_, which does not exist"}
        grep { /\Ax402/ && !$directives{$_} } $house->text(README) =~ /^### (\S+)$/mg;
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
    my $text = $house->text(README);
    return map {"README: no line in the table for \$$_"}
        grep { my $field = /_\z/ ? '<field>' : ''; $text !~ /^\| `\$\Q$_\E$field` \| [^|]+ \| [^|]+ \|$/m }
        $house->variables;
}

sub invented_variables ($house) {
    my $known = join '|', map { /_\z/ ? "$_\\w+" : $_ } $house->variables;
    return map {"README: there is no variable \$$_"}
        grep { !/\A(?:$known)\z/ } $house->text(README) =~ /\$(x402_\w+)(?!\w|<)/g;
}

# As the name itself, or as a word in the list that variables.t makes names of.
sub untested_variables ($house) {
    my $text = $house->text('t/http/variables.t');
    my ($list) = $text =~ /^my \@names = qw\(([^)]*)\)/m;
    my %listed = map { ("x402_$_" => 1) } split ' ', $list // '';
    return map {"t/http/variables.t does not use \$$_"}
        grep { my $end = /_\z/ ? '\w' : '\b'; !$listed{$_} && $text !~ /\$\Q$_\E$end/ } $house->variables;
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
holds 'and its line in the table', \&table_lines, $house;
holds 'the README names no other', \&invented, $house;
holds 'every directive is in a test', \&untested, $house;
cmp_ok scalar @variables, '>', 15, 'the variables were found';
holds 'every variable has its line', \&variable_lines, $house;
holds 'the README names no other', \&invented_variables, $house;
holds 'every variable is in the test', \&untested_variables, $house;

# --- and the rules can fail ---------------------------------------------------------------

my $new = $house->changed(X402::House::TABLES, qr/^    \{ ngx_string\("x402"\),/m,
    qq(    { ngx_string("x402_planted"),\n      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,\n)
        . qq(      ngx_conf_set_flag_slot,\n      0,\n      0,\n      NULL },\n\n    { ngx_string("x402"),));
catches 'a directive without an entry', \&entries, $new;
catches 'a directive without a line in the table', \&table_lines, $new;
catches 'a directive without a test', \&untested, $new;

my $more = $house->changed(X402::House::TABLES, qr/^    \{ ngx_string\("x402_state"\),/m,
    qq(    { ngx_string("x402_planted"), NULL,\n      ngx_http_x402_get_variable,\n)
        . qq(      NGX_HTTP_X402_STATE, 0, 0 },\n\n    { ngx_string("x402_state"),));
catches 'a variable without a line', \&variable_lines, $more;
catches 'a variable without a test', \&untested_variables, $more;

sub readme ($from, $to) { return $house->changed(README, $from, $to) }

catches 'an entry that is gone', \&entries, readme(qr/^### x402_timeout$/m, '### Timeouts');
catches "an entry without $_", \&entries, readme(qr/^(### x402_timeout\n.*?)^\*\*$_:\*\*[^\n]*\n/ms, "### x402_timeout\n\n")
    for qw(Syntax Default Context);
catches 'a wrong context', \&entries,
    readme(qr/^(### x402_zone\n.*?)^\*\*Context:\*\* http\n/ms,
        "### x402_zone\n\n**Syntax:** x402_zone name:size\n**Default:** -\n**Context:** http, server\n");
catches 'a line that is gone', \&table_lines, readme(qr/^\| \[x402_timeout\][^\n]*\n/m, '');
catches 'a line of a variable that is gone', \&variable_lines, readme(qr/^\| `\$x402_payer`[^\n]*\n/m, '');
catches 'a variable that does not exist', \&invented_variables, readme(qr/\z/, "\nthe \$x402_nonsense\n");
catches 'a directive that does not exist', \&invented, readme(qr/\z/, "\n    x402_nonsense on;\n");
catches 'an entry for it', \&invented, readme(qr/\z/, "\n### x402_nonsense\n");
is_deeply [ invented(readme(qr/\z/, "\nngx_http_x402_module \$x402_payer\n")) ], [ invented($house) ],
    'variables and the module are no directives';

done_testing;
