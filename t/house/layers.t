# SPDX-License-Identifier: Apache-2.0
# Includes go one way, base -> protocol -> policy -> facilitator -> session -> store ->
# nginx, inside src/nginx from conf down to core, and each foreign library has its one place.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

my @rooms = X402::House::ROOMS;
my %rank  = map { $rooms[$_] => $_ } 0 .. $#rooms;

# Foreign headers in the pure rooms: pattern of the file => pattern of the header.
my @foreign = (
    [ qr{\Asrc/base/json_reader_simdjson\.cpp\z}, qr{\Asimdjson\.h\z} ],
    [ qr{\Asrc/base/json_jansson\.cpp\z}, qr{\Ajansson\.h\z} ],
    [ qr{\Asrc/base/sha(?:1|256)_digest\.cpp\z}, qr{\Aopenssl/} ],
    # Keys and signatures of bearer tokens are another subject than digests: two files instead of one.
    [ qr{\Asrc/policy/evm_signer\.cpp\z}, qr{\Asecp256k1(?:_recovery)?\.h\z} ],
    [ qr{\Asrc/base/token_signature\.cpp\z}, qr{\Aopenssl/} ],
    [ qr{\Asrc/base/secret_memory\.cpp\z}, qr{\A(?:sys/mman|unistd)\.h\z} ],
);

# Standard headers of things that a pure room has to be told: I/O, clock, threads.
my $impure = qr{\A(?:c?iostream|fstream|filesystem|chrono|ctime|thread|mutex|shared_mutex
    |condition_variable|future|csignal|clocale|locale)\z}x;

# src/nginx: what installs the rooms is above them.
my @nginx_rooms = X402::House::NGINX_ROOMS;
my %nginx_rank  = map { $nginx_rooms[$_] => $_ + 1 } 0 .. $#nginx_rooms;

sub nginx_rank ($path) {
    return @nginx_rooms + 1  if $path =~ m{\A(?:src/)?nginx/[^/]+\z};
    return $nginx_rank{ $path =~ m{\A(?:src/)?nginx/(\w+)/} ? $1 : '' };
}

sub room ($path) { return $path =~ m{\Asrc/(\w+)/} ? $1 : '' }

# --- the rules -------------------------------------------------------------------

sub unknown_rooms ($house) {
    return map {"$_: no such room"}
        grep { !exists $rank{ room($_) } || (room($_) eq 'nginx' && !defined nginx_rank($_)) } $house->sources;
}

sub against_the_stream ($house) {
    my @wrong;
    for my $path ($house->sources) {
        my $own = $rank{ room($path) } // next;
        for ($house->includes($path)) {
            my ($line, $kind, $what) = @$_;
            next if $kind ne 'quoted';
            my ($target) = $what =~ m{\A(\w+)/};
            if (!defined $target || !exists $rank{$target}) {
                push @wrong, qq($path:$line: "$what": write the path from src/);
            }
            elsif ($rank{$target} > $own) {
                push @wrong, qq($path:$line: "$what" is to the right of this room);
            }
            elsif (!$house->text("src/$what")) {
                push @wrong, qq($path:$line: "$what" does not exist);
            }
        }
    }
    return @wrong;
}

# A room of src/nginx includes itself and the rooms below it.
sub upwards_in_nginx ($house) {
    my @wrong;
    for my $path ($house->sources('nginx')) {
        for ($house->includes($path)) {
            my ($line, $kind, $what) = @$_;
            next if $kind ne 'quoted' || $what !~ m{\Anginx/};
            my ($own, $target) = (nginx_rank($path), nginx_rank($what));
            push @wrong, qq($path:$line: "$what" is above this room)
                if defined $own && defined $target && $target > $own;
        }
    }
    return @wrong;
}

# A C++ standard header has neither a dot nor a slash; everything else is
# nginx, a library or the operating system.
sub foreign_in_pure_rooms ($house) {
    my @wrong;
    for my $path (grep { room($_) ne 'nginx' } $house->sources) {
        for ($house->includes($path)) {
            my ($line, $kind, $what) = @$_;
            next if $kind ne 'angled';
            next if grep { $path =~ $_->[0] && $what =~ $_->[1] } @foreign;
            push @wrong, "$path:$line: <$what> has no place in a pure room"
                if $what =~ m{[./]} || $what =~ $impure;
        }
    }
    return @wrong;
}

# The files of curl are in src/nginx/call/curl; a header they share may name
# curl's types as long as no other file includes it.
sub foreign_in_nginx_room ($house) {
    my (@wrong, %openssl, %seen_by);
    my @paths = $house->sources('nginx');
    for my $path (@paths) {
        for ($house->includes($path)) { push $seen_by{ $_->[2] }->@*, $path }
    }
    my %of_curl = map { $_ => 1 } grep {m{/call/curl/\w+\.cpp\z}} @paths;
    for my $header (grep {m{/call/curl/\w+\.hpp\z}} @paths) {
        my $users = $seen_by{ $header =~ s{\Asrc/}{}r } // [];
        $of_curl{$header} = 1 if !grep { !$of_curl{$_} } @$users;
    }
    for my $path (@paths) {
        for ($house->includes($path)) {
            my ($line, $kind, $what) = @$_;
            next if $kind ne 'angled';
            push @wrong, "$path:$line: curl belongs to src/nginx/call/curl"
                if $what =~ m{\Acurl/} && !$of_curl{$path};
            push @wrong, "$path:$line: libsecp256k1 belongs to policy/evm_signer"
                if $what =~ m{\Asecp256k1};
            push @wrong, "$path:$line: JSON parsers belong to their files in base"
                if $what =~ m{\A(?:jansson|simdjson)};
            push @wrong, "$path:$line: threads are started by core/thread"
                if $what =~ m{\A(?:thread|future|pthread\.h)\z} && $path !~ m{/core/ngx_http_x402_thread\.cpp\z};
            push @wrong, "$path:$line: nginx's headers come through ngx_http_x402.h"
                if $what =~ m{\Angx_} && $path !~ m{/ngx_http_x402\.h\z};
            next if $what !~ m{\Aopenssl/};
            push @wrong, "$path:$line: OpenSSL belongs to one of the files of curl" if !$of_curl{$path};
            $openssl{$path} = 1;
        }
    }
    push @wrong, 'OpenSSL is in more than one file: ' . join ' ', sort keys %openssl
        if keys %openssl > 1;
    return @wrong;
}

# The tables know the contract and nothing behind it; the contract is C.
sub contract_leaks ($house) {
    my @wrong;
    for ($house->includes(X402::House::TABLES)) {
        my ($line, $kind, $what) = @$_;
        push @wrong, X402::House::TABLES . ":$line: only src/nginx/core/ngx_http_x402.h is included here"
            if $what ne 'src/nginx/core/ngx_http_x402.h';
    }
    for my $path ($house->paths('src/nginx/*/*.h')) {
        for ($house->includes($path)) {
            my ($line, $kind, $what) = @$_;
            push @wrong, "$path:$line: only nginx's own headers are included here"
                if $what !~ /\Angx_(?:config|core|http)\.h\z/;
        }
    }
    return @wrong;
}

# --- as it stands -----------------------------------------------------------------

my $house = X402::House->new;

cmp_ok scalar $house->sources, '>', 50, 'the sources were found';
is join(' ', grep { !$house->sources($_) } @rooms), '', 'in every room';

holds 'every file is in a room', \&unknown_rooms, $house;
holds 'includes go one way', \&against_the_stream, $house;
holds 'includes in src/nginx point down', \&upwards_in_nginx, $house;
holds 'pure rooms see the standard library, and each foreign one in its one file',
    \&foreign_in_pure_rooms, $house;
holds 'curl and OpenSSL stay in the files of curl', \&foreign_in_nginx_room, $house;
holds 'the tables see the C contract only', \&contract_leaks, $house;

# --- and the rules can fail ---------------------------------------------------------

sub planted ($path, $include) { return $house->with($path => "#include $include\n") }

catches 'another room', \&unknown_rooms, $house->with('src/util/helper.cpp' => '');
catches 'another room in src/nginx', \&unknown_rooms, $house->with('src/nginx/util/helper.cpp' => '');

for my $i (0 .. $#rooms - 1) {
    my $target = ($house->paths("src/$rooms[$i + 1]/*.hpp", "src/$rooms[$i + 1]/*/*.hpp"))[0] =~ s{\Asrc/}{}r;
    catches "$rooms[$i] includes $rooms[$i + 1]", \&against_the_stream,
        planted("src/$rooms[$i]/planted.hpp", qq("$target"));
}
for my $i (0 .. $#nginx_rooms - 1) {
    my $target = ($house->paths("src/nginx/$nginx_rooms[$i + 1]/*.hpp"))[0] // "src/nginx/$nginx_rooms[$i + 1]/any.hpp";
    catches "$nginx_rooms[$i] includes $nginx_rooms[$i + 1]", \&upwards_in_nginx,
        planted("src/nginx/$nginx_rooms[$i]/planted.hpp", '"' . ($target =~ s{\Asrc/}{}r) . '"');
}
catches 'conf includes what stands above all rooms', \&upwards_in_nginx,
    planted('src/nginx/conf/planted.cpp', '"nginx/ngx_http_x402_phases.hpp"');

catches 'a path that is not from src/', \&against_the_stream,
    planted('src/policy/planted.cpp', '"price_text.hpp"');
catches 'nginx\'s contract in a pure room', \&against_the_stream,
    planted('src/session/planted.cpp', '"ngx_http_x402.h"');
catches 'a header that is gone', \&against_the_stream,
    planted('src/policy/planted.cpp', '"base/gone_away.hpp"');

for (qw(<ngx_core.h> <curl/curl.h> <sys/socket.h> <netinet/in.h> <openssl/evp.h> <jansson.h> <simdjson.h> <secp256k1.h> <unistd.h> <chrono>)) {
    catches "$_ in a pure room", \&foreign_in_pure_rooms, planted('src/policy/planted.cpp', $_);
}
catches 'jansson in the digest', \&foreign_in_pure_rooms,
    $house->changed('src/base/sha256_digest.cpp', qr/^/, "#include <jansson.h>\n");

catches 'OpenSSL in the header of the signatures', \&foreign_in_pure_rooms,
    $house->changed('src/base/token_signature.hpp', qr/^/, "#include <openssl/evp.h>\n");
catches 'jansson in the signatures', \&foreign_in_pure_rooms,
    $house->changed('src/base/token_signature.cpp', qr/^/, "#include <jansson.h>\n");

for (qw(<curl/curl.h> <openssl/ssl.h> <jansson.h> <simdjson.h> <secp256k1.h> <ngx_http.h> <thread>)) {
    catches "$_ in the nginx room", \&foreign_in_nginx_room,
        planted('src/nginx/ngx_http_x402_planted.cpp', $_);
}
catches 'OpenSSL in two files of curl', \&foreign_in_nginx_room,
    planted('src/nginx/call/curl/planted.cpp', '<openssl/err.h>');

catches 'curl in a header that others include', \&foreign_in_nginx_room, $house->with(
    'src/nginx/call/curl/planted.hpp' => "#include <curl/curl.h>\n",
    'src/nginx/ngx_http_x402_planted.cpp' => qq(#include "nginx/call/curl/planted.hpp"\n));

catches 'the tables reach behind the contract', \&contract_leaks,
    $house->changed(X402::House::TABLES, qr/^#include/m, qq(#include "src/nginx/request/ngx_http_x402_ctx.hpp"\n#include));
catches 'C++ in the contract', \&contract_leaks,
    $house->changed('src/nginx/core/ngx_http_x402.h', qr/^#include/m, "#include <string>\n#include");

done_testing;
