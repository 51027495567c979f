# SPDX-License-Identifier: Apache-2.0
# The version stands in one header; what cannot read it there agrees with it.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant HEADER => 'src/base/module_version.hpp';

# File => what stands before the version in it, everywhere; each has to be there.
my %places = (
    'README.md'                                   => qr/^What was built and run where, for /m,
    'CHANGELOG.md'                                => qr/^## (?=\d)/m,
    'debian/changelog'                            => qr/\Alibnginx-mod-http-x402 \(/,
    'packaging/alpine/APKBUILD'                   => qr/^pkgver=/m,
    'packaging/rpm/nginx-mod-http-x402.spec'      => [ qr/^Version: +/m, qr/^%changelog\n\*.* - /m ],
    'packaging/rpm/nginx-module-http-x402.spec'   => [ qr/^%global module_version +/m, qr/^%changelog\n\*.* - /m ],
    'tools/x402-journal.1'                        => qr/^\.TH .*"ngx_http_x402_module /m,
    'packaging/kubernetes/x402.yaml'              => qr/^ +image: nginx-x402:/m,
    'packaging/kubernetes/x402-store.yaml'        => qr/^ +image: nginx-x402:/m,
);

sub version ($house) { return $house->text(HEADER) =~ /^#define NGX_HTTP_X402_VERSION "(\d+\.\d+\.\d+)"$/m ? $1 : '' }

sub disagreeing ($house) {
    my $version = version($house) or return HEADER . ': no version of the form 1.2.3';
    my @wrong;
    for my $path (sort keys %places) {
        for my $before (ref $places{$path} eq 'ARRAY' ? $places{$path}->@* : $places{$path}) {
            my ($found) = $house->text($path) =~ /$before(\d+\.\d+\.\d+)/;
            push @wrong, "$path: " . ($found // 'nothing') . " where $version is expected" if ($found // '') ne $version;
        }
    }
    my ($supported) = $version =~ /^(\d+\.\d+)\./;
    push @wrong, "SECURITY.md: $supported.x is not among the versions that get fixes"
        if $house->text('SECURITY.md') !~ /^\| \Q$supported\E\.x \| yes \|$/m;
    push @wrong, map {"$_: a second definition of the version"}
        grep { $_ ne HEADER && $house->text($_) =~ /#\s*define NGX_HTTP_X402_VERSION\b/ } $house->sources;
    return @wrong;
}

my $house = X402::House->new;
like version($house), qr/\A\d+\.\d+\.\d+\z/, 'there is a version';
holds 'everything agrees with it', \&disagreeing, $house;

my $version = version($house);
catches "another version in $_", \&disagreeing, $house->changed($_, qr/\Q$version\E/, '9.8.7') for HEADER, sort keys %places;
catches "an entry of $_ is missing", \&disagreeing, $house->changed($_, qr/ - \Q$version\E-1$/m, ' - 9.8.7-1')
    for grep {/\.spec\z/} sort keys %places;
catches 'a version that gets no fixes', \&disagreeing, $house->changed('SECURITY.md', qr/^\| \d+\.\d+\.x/m, '| 9.8.x');
catches 'a second definition', \&disagreeing,
    $house->with('src/nginx/planted.hpp' => qq(#define NGX_HTTP_X402_VERSION "1.2.3"\n));

done_testing;
