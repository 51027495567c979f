# SPDX-License-Identifier: Apache-2.0
# A file that uses a name of the standard library includes its header, itself or
# through the headers of this project. That another standard header brings it
# differs from release to release of a compiler, and the build breaks there.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

# Header => names behind std::.
my %names = (
    algorithm => '(?:min|max|find|find_if|sort|any_of|all_of|none_of|copy|fill|fill_n|equal|transform|lower_bound|upper_bound|reverse)\(',
    array       => 'array<',
    atomic      => 'atomic|memory_order',
    charconv    => '(?:to|from)_chars',
    chrono      => 'chrono',
    cstdint     => 'u?int(?:_least|_fast)?\d+_t|u?intptr_t',
    cstdio      => 'snprintf',
    cstring     => 'mem(?:cpy|set|cmp|move|chr)|str(?:len|chr|cmp)',
    functional  => 'function<',
    limits      => 'numeric_limits',
    map         => 'map<',
    memory      => '(?:unique|shared|weak)_ptr|make_(?:unique|shared)',
    mutex       => 'mutex|lock_guard|unique_lock',
    optional    => 'optional<|nullopt',
    string      => 'string\b|to_string',
    string_view => 'string_view',
    thread      => 'thread\b',
    tuple       => 'tuple<|tie\(',
    unordered_map => 'unordered_map<',
    utility     => '(?:move|exchange|pair|forward)\b',
    variant     => 'variant<|visit\(',
    vector      => 'vector<',
);

sub code ($house, $path) {
    return $house->text($path) =~ s{//[^\n]*|/\*.*?\*/}{}gsr =~ s{"(?:\\.|[^"\\\n])*"}{""}gr;
}

# The standard headers that a file has by its own includes and those of the
# project's headers. `$seen` is filled while it goes.
sub standard_headers ($house, $path, $seen = {}) {
    return () if $seen->{$path}++;
    return map { $_->[1] eq 'angled' ? $_->[2] : standard_headers($house, "src/$_->[2]", $seen) } $house->includes($path);
}

sub borrowed_names ($house) {
    my @wrong;
    for my $path ($house->sources) {
        my $code = code($house, $path);
        my %has  = map { $_ => 1 } standard_headers($house, $path);
        for my $header (sort keys %names) {
            push @wrong, "$path: std::$1 needs #include <$header>" if !$has{$header} && $code =~ /\bstd::($names{$header})/;
        }
    }
    return @wrong;
}

my $house = X402::House->new;
holds 'names of the standard library come with their headers', \&borrowed_names, $house;
catches 'a number of 64 bits without its header', \&borrowed_names,
    $house->with('src/base/planted.hpp' => "#include <vector>\nstd::int64_t planted;\n");
catches 'the same in src/nginx', \&borrowed_names,
    $house->with('src/nginx/call/redis/planted.hpp' => "struct Planted { std::uint32_t number; };\n");

done_testing;
