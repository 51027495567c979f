# SPDX-License-Identifier: Apache-2.0
# The border to nginx: no C++ code throws through a C frame, and the error
# log has few pens.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

# Files that may write to the error log directly: file => [ call, why ]. All others
# use log_line() and log_ledger().
my @pens = (
    [ qr{/ngx_http_x402_log\.cpp\z},       'ngx_log_error', 'the pen everybody else borrows' ],
    [ qr{/ngx_http_x402_boundary\.hpp\z},  'ngx_log_error', 'an exception: nothing may allocate any more' ],
    [ qr{/ngx_http_x402_(?:config_file|directives?(?:_\w+)?)\.[ch]pp\z}, 'ngx_conf_log_error', 'nginx adds file and line' ],
    [ qr{/ngx_http_x402_zone\.cpp\z},      'ngx_log_stderr', 'nginx -t says how much a zone holds' ],
);

# Functions in the tables that do not open with guarded(): all they call is
# nginx, which does not throw, and arithmetic.
my %cannot_throw = (
    ngx_http_x402_hold_postconfiguration    => 'pointers of the filter chain',
    ngx_http_x402_reply_postconfiguration   => 'pointers of the filter chain',
    ngx_http_x402_headers_postconfiguration => 'pointers of the filter chain',
    ngx_http_x402_source_postconfiguration  => 'pointers of the filter chain',
    ngx_http_x402_set_timeout            => 'ngx_parse_time() and one number',
);

# The same for functions that the C++ side hands to nginx or curl. These may do
# what cannot throw before guarded(), but most have one.
my %hook_cannot_throw = (
    on_precontent           => 'compares pointers and sets one',
    on_socket               => 'nginx connections and events only',
    on_timeout              => 'one nginx timer',
    on_send                 => 'numbers only',
    on_progress             => 'numbers only',
);

# C++ words with a ban on them. bad_alloc is what guarded() is for: it says that
# there is no memory, from where a library only says that it failed.
my @banned = (
    [ qr{\bthrow\b(?!\s+std::bad_alloc\(\);)}, 'errors are values (base/result.hpp)', qr{} ],
    [ qr{\bthrow\b},          'only base talks to libraries that run out of memory', qr{\Asrc/(?!base/)} ],
    [ qr{\bdynamic_cast\b},   'a type that has to be asked for is a missing virtual or variant', qr{} ],
    [ qr{\btypeid\b},         'no run-time types', qr{} ],
    [ qr{\busing\s+namespace\s+std\b}, 'write std::', qr{} ],
);

# --- the rules ---------------------------------------------------------------------

sub pens ($house) {
    my @wrong;
    for my $path ($house->sources) {
        my @lines = split /\n/, X402::House::stripped($house->text($path));
        for my $line (1 .. @lines) {
            my ($call) = $lines[ $line - 1 ] =~ /\b(ngx_(?:conf_)?log_error(?:_core)?|ngx_log_stderr|ngx_log_abort)\s*\(/
                or next;
            next if grep { $path =~ $_->[0] && $call eq $_->[1] } @pens;
            push @wrong, "$path:$line: $call: use log_line()";
        }
    }
    return @wrong;
}

sub banned_words ($house) {
    my @wrong;
    for my $path ($house->sources) {
        for (@banned) {
            my ($word, $why, $where) = @$_;
            next if $path !~ $where;
            push @wrong, map {"$path:$_: $why"} $house->lines_like($path, $word);
        }
    }
    return @wrong;
}

# All functions of the nginx room by their last name: name => [ path, function ].
sub nginx_functions ($house) {
    my %by_name;
    for my $path ($house->sources('nginx')) {
        push $by_name{ $_->{name} =~ s/.*:://r }->@*, [ $path, $_ ] for $house->functions($path);
    }
    return \%by_name;
}

# Definitions of local lambdas may stand before it: they run inside.
sub opens_guarded ($body) {
    $body =~ s/\A\s+//;
    while ($body =~ /\Aauto\s+\w+\s*=\s*\[/) {
        $body =~ s/\Aauto[^{]*(\{(?:[^{}]++|(?1))*\})\s*;\s*// or last;
    }
    return $body =~ /\A(?:return\s+)?(?:\w+_)?guarded\s*\(/;
}

# What the tables name: all identifiers of the module that are functions there.
sub in_tables ($house) {
    my $code = X402::House::stripped($house->text(X402::House::TABLES));
    my %named;
    while ($code =~ /^\s*(ngx_http_x402_\w+),?\s*(?=\n|\z|\})/mg) { $named{$1} = 1 }
    delete $named{$1} while $code =~ /^static \w+\s+(\w+)\[\]/mg;
    my @sorted = sort keys %named;
    return @sorted;
}

sub tables_are_guarded ($house) {
    my $functions = nginx_functions($house);
    my @wrong;
    for my $name (in_tables($house)) {
        my @defined = ($functions->{$name} // [])->@*;
        if (@defined != 1) {
            push @wrong, "$name: is in the tables and defined " . @defined . ' times';
            next;
        }
        my ($path, $function) = $defined[0]->@*;
        next if $cannot_throw{$name} || opens_guarded($function->{body});
        push @wrong, "$path:$function->{line}: $name: has to open with guarded()";
    }
    push @wrong, map {"$_: no longer in the tables, or guarded: take it off the list"} grep {
        my $defined = ($functions->{$_} // [])->[0];
        !$defined || opens_guarded($defined->[1]{body});
    } sort keys %cannot_throw;
    return @wrong;
}

# guarded() by another name has to end in guarded().
sub borrowed_guards ($house) {
    my $functions = nginx_functions($house);
    my @wrong;
    for my $name (grep {/_guarded\z/} sort keys %$functions) {
        for ($functions->{$name}->@*) {
            my ($path, $function) = @$_;
            push @wrong, "$path:$function->{line}: $name: has to open with guarded()"
                if $function->{body} !~ /\A\s*(?:return\s+)?guarded\s*\(/;
        }
    }
    return @wrong;
}

# Functions that the C++ side hands over: handlers, filters, curl's callbacks.
sub handed_over ($house) {
    my %named;
    for my $path ($house->sources('nginx')) {
        my $code = X402::House::stripped($house->text($path));
        while ($code =~ /(?:\bhandler\s*=|\bngx_http_top_\w+_filter\s*=|->init\s*=|FUNCTION,|\badd_handler\([^;]*?_PHASE,)\s*&?([\w:]+)\b/g) {
            my $name = $1 =~ s/.*:://r;
            $named{$name} = $path if $name !~ /\A(?:ngx_|NGX_|nullptr\z|handler\z|next_|below_)/;
        }
    }
    return %named;
}

sub hooks_are_guarded ($house) {
    my $functions = nginx_functions($house);
    my %named = handed_over($house);
    my @wrong;
    for my $name (sort keys %named) {
        my @defined = ($functions->{$name} // [])->@*;
        push @wrong, "$named{$name}: $name is handed to C and not found" if !@defined;
        next if $hook_cannot_throw{$name};
        for (@defined) {
            my ($path, $function) = @$_;
            push @wrong, "$path:$function->{line}: $name: is called from C without guarded()"
                if $function->{body} !~ /\bguarded\s*\(/;
        }
    }
    push @wrong, map {"$_: is no longer handed over: take it off the list"}
        grep { !$named{$_} } sort keys %hook_cannot_throw;
    return @wrong;
}

# --- as it stands --------------------------------------------------------------------

my $house = X402::House->new;

cmp_ok scalar in_tables($house), '>', 15, 'the tables were read';
holds 'the error log has few pens', \&pens, $house;
holds 'no word that is banned', \&banned_words, $house;
holds 'what the tables name exists and is guarded', \&tables_are_guarded, $house;
holds 'guards by other names are guards', \&borrowed_guards, $house;
my %handed_over = handed_over($house);
cmp_ok scalar keys %handed_over, '>', 10, 'the hooks of the C++ side were found';
holds 'and are guarded, too', \&hooks_are_guarded, $house;

# --- and the rules can fail ------------------------------------------------------------

my $somewhere = 'src/nginx/ngx_http_x402_planted.cpp';
sub planted ($code) { return $house->with($somewhere => "// a file\n$code\n") }

catches 'ngx_log_error', \&pens, planted('void f() { ngx_log_error(NGX_LOG_ERR, log, 0, "x"); }');
catches 'ngx_conf_log_error', \&pens, planted('void f() { ngx_conf_log_error(NGX_LOG_ERR, cf, 0, "x"); }');
is_deeply [ pens(planted('// ngx_log_error(a) and "ngx_log_error(b)"')) ], [ pens($house) ],
    'a comment is no call';

for my $code ('throw std::runtime_error("x");', 'throw 1;', 'throw;', 'throw std::bad_alloc();',
    'dynamic_cast<A *>(b);', 'typeid(a).name();', 'using namespace std;', 'using  namespace  std ;')
{
    catches $code, \&banned_words, planted("void f() { $code }");
}
catches 'throw in a pure room', \&banned_words,
    $house->with('src/base/planted.cpp' => 'void f() { throw std::out_of_range("x"); }');

my $anchor = qr/^    \{ ngx_string\("x402"\),/m;
sub with_setter ($definition) {
    return $house->changed(X402::House::TABLES, $anchor,
        qq(    { ngx_string("x402_planted"),\n      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,\n)
            . qq(      ngx_http_x402_set_planted,\n      0,\n      0,\n      NULL },\n\n    { ngx_string("x402"),))
        ->with($somewhere => $definition);
}
my $head = 'char *ngx_http_x402_set_planted(ngx_conf_t *cf, ngx_command_t *, void *conf)';

catches 'a setter that is not there', \&tables_are_guarded, with_setter('');
catches 'a setter that is declared only', \&tables_are_guarded, with_setter("$head;\n");
catches 'a setter without guarded()', \&tables_are_guarded,
    with_setter("$head\n{\n    return do_something(cf);\n}\n");
catches 'a setter that works before guarded()', \&tables_are_guarded,
    with_setter("$head\n{\n    std::string a(view(b));\n    return guarded(cf->log, x, [&] { return a; });\n}\n");
catches 'a lambda that runs before guarded()', \&tables_are_guarded,
    with_setter("$head\n{\n    auto a = [&] { return b(); }();\n    return guarded(cf->log, x, [&] { return a; });\n}\n");
is_deeply [ tables_are_guarded(with_setter("$head\n{\n    auto body = [](ngx_conf_t *c) -> char * {\n"
    . "        if (c) {\n            return b();\n        }\n        return a;\n    };\n"
    . "    return config_guarded(cf, body, conf);\n}\n")) ], [ tables_are_guarded($house) ],
    'a lambda that runs inside is fine';
catches 'a guard that is none', \&borrowed_guards,
    planted("char *my_guarded(ngx_conf_t *cf)\n{\n    return cf->run();\n}");

for my $code ('event->handler = on_planted;', '*h = 0; cln->handler = &on_planted;',
    'ngx_http_top_body_filter = x402::on_planted;', 'set(CURLOPT_READFUNCTION, Callbacks::on_planted);')
{
    catches "not guarded: $code", \&hooks_are_guarded,
        planted("int on_planted(void *data)\n{\n    return work(data);\n}\n\nvoid f()\n{\n    $code\n}\n");
}

done_testing;
