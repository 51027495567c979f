# SPDX-License-Identifier: Apache-2.0
# What README and the Debian package tell a stranger to paste stands in
# docs/install.md, whose steps t/package/debian.t follows in a bare root.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant PAGE => 'docs/install.md';

sub fenced ($text) { return $text =~ /^```\w+\n(.*?)^```$/gms }

sub section ($text, $heading) { return $text =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms ? $1 : '' }

# Indented by four in README.Debian, which has no other mark for what to paste.
sub indented ($text) {
    my @blocks = $text =~ /((?:^    .*\n|^\n(?=    ))+)/gm;
    return map { s/\A\n+//r =~ s/^    //gmr } @blocks;
}

sub untold ($house) {
    my %told = map { $_ => 1 } fenced($house->text(PAGE));
    my @readme = fenced(section($house->text('README.md'), 'Quick start'));
    my @debian = indented($house->text('debian/README.Debian'));
    my @wrong;
    push @wrong, 'README.md: no quick start' if !@readme;
    push @wrong, 'debian/README.Debian: nothing to paste' if @debian < 4;
    push @wrong, map { 'README.md: not in ' . PAGE . ": $_" } grep { !$told{$_} } @readme;
    push @wrong, map { 'debian/README.Debian: not in ' . PAGE . ": $_" } grep { !$told{$_} } @debian;
    return @wrong;
}

my $house = X402::House->new;
holds 'what is to be pasted is what was tried', \&untold, $house;

catches 'another port in README', \&untold, $house->changed('README.md', qr/listen 8402/, 'listen 8403');
catches 'another command in README', \&untold, $house->changed('README.md', qr/^nginx -t$/m, 'nginx -T');
catches 'another file in README.Debian', \&untold, $house->changed('debian/README.Debian', qr/QUIT\/90/, 'QUIT/5');
catches 'another page', \&untold, $house->changed(PAGE, qr/x402:10m/, 'x402:1m');

done_testing;
