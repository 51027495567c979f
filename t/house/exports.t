# SPDX-License-Identifier: Apache-2.0
# nginx opens modules with RTLD_GLOBAL: what the .so shows can take the
# place of another module's function. It shows what nginx looks up, nothing else.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use Test::More;
use X402::House;

my $module = $ENV{X402_MODULE} // X402::House->top . '/build/ngx_http_x402_module.so';
plan skip_all => 'the module is not built' if !-e $module;
plan skip_all => 'nm and readelf are not installed'
    if system('nm --version >/dev/null 2>&1') || system('readelf --version >/dev/null 2>&1');

my @expected = sort qw(ngx_modules ngx_module_names ngx_module_order);

sub exported ($path) {
    my @lines = split /\n/, `nm -D --defined-only '$path' 2>/dev/null`;
    my @names = sort map { /(\S+)\z/ ? $1 =~ s/@.*//r : () } @lines;
    return @names;
}

sub kept_mapped ($path) { return scalar `readelf -d '$path' 2>/dev/null` =~ /FLAGS_1.*\bNODELETE\b/ }

is join(' ', exported($module)), "@expected", 'exactly three dynamic symbols';
ok kept_mapped($module), 'and the code stays mapped: curl may own threads';

# The same look at a library that shows more.
SKIP: {
    my $cc = $ENV{CC} // 'cc';
    my $dir = File::Temp->newdir;
    open my $source, '>', "$dir/a.c" or die "$dir: $!";
    print {$source} "int $_ = 1;\n" for @expected, 'planted';
    close $source;
    skip 'no compiler', 2 if system("$cc -shared -fPIC -o '$dir/a.so' '$dir/a.c' 2>/dev/null");
    is join(' ', exported("$dir/a.so")), join(' ', sort @expected, 'planted'), 'caught: a fourth symbol';
    ok !kept_mapped("$dir/a.so"), 'caught: code that can be unmapped';
}

done_testing;
