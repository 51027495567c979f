# SPDX-License-Identifier: Apache-2.0
package X402::House;

# The tree as the rules of the house see it: files in memory, so that a test
# can plant a violation without touching the disk.
#
#     my $house = X402::House->new;
#     holds 'includes go one way', \&against_the_stream, $house;
#     catches 'base includes nginx', \&against_the_stream,
#         $house->with('src/base/a.cpp', qq(#include "nginx/b.hpp"\n));
#
# A rule is a function from a house to the list of its violations, each a line
# that names a file and says what to do. catches() wants at least one that the
# house as it stands does not have: the proof that the rule can fail.

use v5.36;
use Cwd ();
use Exporter 'import';
use File::Basename qw(basename dirname);
use File::Find ();
use Test::More ();

our @EXPORT = qw(holds catches);

# From left to right; a room knows itself and what is to its left.
use constant ROOMS => qw(base protocol policy facilitator session store nginx);
# The rooms inside src/nginx, by the same rule.
use constant NGINX_ROOMS => qw(core zone books call offer worker request reply payment filter conf);
use constant TABLES => 'ngx_http_x402_module.c';

my $top = Cwd::abs_path(dirname(__FILE__) . '/../../..');

sub top ($class) { return $top }

my $as_it_stands = bless { files => {}, planted => {} }, __PACKAGE__;

sub new ($class) { return bless { files => {}, planted => {} }, $class }

# A house that differs in these files; undef takes one away.
sub with ($self, %files) {
    my %planted = ($self->{planted}->%*, map { $_ => 1 } keys %files);
    return bless { files => { $self->{files}->%*, %files }, planted => \%planted }, ref $self;
}

sub text ($self, $path) {
    return $self->{files}{$path} // '' if exists $self->{files}{$path};
    open my $file, '<:raw', "$top/$path" or return '';
    local $/;
    return $self->{files}{$path} = <$file> // '';
}

# The same house with one file changed by a substitution that must apply.
sub changed ($self, $path, $from, $to) {
    my $text = $self->text($path);
    $text =~ s/$from/$to/ or die "nothing like $from in $path";
    return $self->with($path => $text);
}

# The existing paths that match a pattern of the shell, without ** and {}.
my %globbed;    # on the disk, which no test changes

sub on_disk ($pattern) {
    my @paths = grep {-e} $pattern =~ /[*]/ ? glob "$top/$pattern" : "$top/$pattern";
    return [ map { substr $_, 1 + length $top } @paths ];
}

sub paths ($self, @patterns) {
    my %found = map { $_ => 1 } map { @{ $globbed{$_} //= on_disk($_) } } @patterns;
    my @regular = map { s/([^*])/quotemeta $1/egr =~ s/\*/[^\/]*/gr } @patterns;
    for my $path (keys $self->{planted}->%*) {
        delete $found{$path};
        $found{$path} = 1 if defined $self->{files}{$path} && grep { $path =~ /\A$_\z/ } @regular;
    }
    my @sorted = sort keys %found;
    return @sorted;
}

sub sources ($self, $room = '*') {
    return $self->paths(map { my $end = $_; map {"src/$room/$_.$end"} '*', '*/*', '*/*/*' } qw(cpp hpp h));
}

# What belongs to the project: git knows, without git everything but output.
sub tracked ($self) {
    my @paths;
    if (-e "$top/.git" && open my $git, '-|', "git -C '$top' ls-files -z 2>/dev/null") {
        local $/ = "\0";
        chomp(@paths = <$git>);
    }
    if (!@paths) {
        my $skip = qr{/(?:\.git|build|node_modules)\z};
        File::Find::find({ no_chdir => 1,
            preprocess => sub (@names) { return grep { "$File::Find::dir/$_" !~ $skip } @names },
            wanted     => sub { push @paths, substr $_, 1 + length $top if -f },
        }, $top);
    }
    my %all = map { $_ => 1 } grep { -f "$top/$_" } @paths;
    defined $self->{files}{$_} ? $all{$_} = 1 : delete $all{$_} for keys $self->{files}->%*;
    my @sorted = sort keys %all;
    return @sorted;
}

# --- reading C and C++ ---------------------------------------------------------

# Comments and the insides of literals become blanks; lines stay where they are.
my %stripped;

sub stripped ($text) { return $stripped{$text} //= _stripped($text) }

sub _stripped ($text) {
    $text =~ s{
        ( // [^\n]* | /\* .*? \*/ )
      | R"(\w*)\( .*? \)\2"
      | " ( (?: [^"\\\n] | \\. )* ) "
      | (?<![0-9a-fA-F]) ' ( (?: [^'\\\n] | \\. )* ) '
    }{
        my $all = $&;
        defined $1 ? $all =~ s/[^\n]/ /gr
            : $all =~ /\A(["'])/ ? $1 . ' ' x (length($all) - 2) . $1
            : '"' . substr($all, 2) =~ s/[^\n]/ /gr . '"'
    }gexs;
    return $text;
}

# Numbers of the lines whose code (no comment, no literal) matches.
sub lines_like ($self, $path, $pattern) {
    my @lines = split /\n/, stripped($self->text($path)), -1;
    return grep { $lines[ $_ - 1 ] =~ $pattern } 1 .. @lines;
}

# [ line, 'quoted' or 'angled', what ] of each include.
sub includes ($self, $path) {
    my @found;
    my $line = 0;
    for (split /\n/, $self->text($path)) {
        $line++;
        push @found, [ $line, $1 eq '<' ? 'angled' : 'quoted', $2 ]
            if /\A\s*#\s*include\s*([<"])([^>"]+)[>"]/;
    }
    return @found;
}

# The comment a file opens with, before anything else, or behind the include of
# its own header's name.
sub header_comment ($self, $path) {
    return $self->text($path) =~ m{\A\s*((?://[^\n]*\n|/\*.*?\*/\s*)+)}s ? $1 : '';
}

# Each function with a body: name, line, lines (signature to last brace), and
# body (stripped, without its braces).
my %functions;

sub functions ($self, $path) {
    my $code = stripped($self->text($path));
    return @{ $functions{$code} //= [ _functions($code) ] };
}

sub _functions ($code) {
    $code =~ s{^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*}{ $& =~ s/[^\n]/ /gr }gem;
    my @found;
    my @open;           # what each open brace belongs to
    my $start = 0;      # where the statement we are in begins
    while ($code =~ /([{};])/g) {
        my ($mark, $at) = ($1, pos($code) - 1);
        my $inside = grep { $_->{kind} eq 'function' } @open;
        if ($mark eq '{') {
            my $head = substr $code, $start, $at - $start;
            my $kind = $inside || @open && $open[-1]{kind} eq 'other' ? 'other' : kind_of($head);
            push @open, { kind => $kind, at => $at, head => $head, start => $start };
        }
        elsif ($mark eq '}') {
            my $closed = pop @open // next;
            if ($closed->{kind} eq 'function') {
                # An initialiser in braces before the body of a constructor.
                if (substr($code, $at + 1) =~ /\A\s*[,{]/) { $start = $closed->{start}; next }
                my ($before) = $closed->{head} =~ /\A(\s*)/;
                my $first = 1 + substr($code, 0, $closed->{start} + length $before) =~ tr/\n//;
                my $last  = 1 + substr($code, 0, $at) =~ tr/\n//;
                push @found, {
                    name  => name_of($closed->{head}), line => $first, lines => $last - $first + 1,
                    body  => substr($code, $closed->{at} + 1, $at - $closed->{at} - 1),
                };
            }
            next if $closed->{kind} eq 'other' && !$inside;    # `= { ... };` goes on
        }
        $start = $at + 1 if !grep { $_->{kind} eq 'function' || $_->{kind} eq 'other' } @open;
    }
    return @found;
}

sub kind_of ($head) {
    $head =~ s/\A\s+|\s+\z//g;
    return 'space'    if $head =~ /\A(?:inline\s+)?namespace\b|\Aextern\s+"\s*"\z/;
    my $flat = $head;
    1 while $flat =~ s/\([^()]*\)/ <> /;
    return 'other'    if $flat =~ /[()]/ || $flat =~ s/operator\s*\S+//r =~ /(?<![=!<>])=(?!=)/;
    return 'space'    if $flat !~ /<>/ && $flat =~ /\b(?:class|struct|union)\b/;
    return 'function' if $flat =~ /<>/;
    return 'other';
}

sub name_of ($head) {
    $head =~ s/\btemplate\s*<[^>]*>//;
    return $head =~ /((?:[A-Za-z_~][\w:<>]*::)?(?:~?[A-Za-z_]\w*|operator\s*\S+?))\s*\(/ ? $1 : '?';
}

# --- the tables of the module ---------------------------------------------------

# Directive name => contexts as the README writes them.
sub directives ($self) {
    my %contexts;
    my $code = $self->text(TABLES);
    while ($code =~ /\{\s*ngx_string\("(x402\w*)"\),\s*+(?!NULL)([A-Z0-9_|\s]+),\s*\w+,/g) {
        my ($name, $flags) = ($1, $2);
        my $any = $flags =~ /NGX_HTTP_X402_ANY/;
        $contexts{$name} = join ', ', grep { defined }
            $any || $flags =~ /NGX_HTTP_MAIN_CONF/ ? 'http'     : undef,
            $any || $flags =~ /NGX_HTTP_SRV_CONF/  ? 'server'   : undef,
            $any || $flags =~ /NGX_HTTP_LOC_CONF/  ? 'location' : undef;
    }
    return %contexts;
}

# Names of the variables, without `$`.
sub variables ($self) {
    my ($table) = $self->text(TABLES) =~ /^ngx_http_variable_t\s+\w+\[\] = \{(.*?)^\};/ms;
    return ($table // '') =~ /\{\s*ngx_string\("(\w+)"\)/g;
}

# --- asserting -------------------------------------------------------------------

sub holds ($name, $rule, $house) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @wrong = $rule->($house);
    return Test::More::ok(!@wrong, $name) || Test::More::diag(join "\n", @wrong);
}

sub catches ($name, $rule, $house) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    state %as_it_stands;
    my %before = map { $_ => 1 } @{ $as_it_stands{$rule} //= [ $rule->($as_it_stands) ] };
    my @new = grep { !$before{$_} } $rule->($house);
    return Test::More::ok(scalar @new, "caught: $name");
}

1;
