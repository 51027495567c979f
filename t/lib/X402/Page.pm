# SPDX-License-Identifier: Apache-2.0
package X402::Page;

# The fenced blocks of a page of the documentation, for tests that do what it
# says: a page that is never followed is soon wrong.
#
#     for my $block (X402::Page::blocks('docs/install.md', 'Debian 12 and 13')) { ... }
#
# A block is { language, text, path }; path is set where its first line is a
# comment with an absolute path: the file that the block stands for.

use v5.36;
use Cwd ();
use File::Basename qw(dirname);

my $root = Cwd::abs_path(dirname(__FILE__) . '/../../..');

# The text of the section with that heading, down to the next one.
sub section ($page, $heading) {
    open my $file, '<:encoding(UTF-8)', "$root/$page" or die "$page: $!";
    my $text = do { local $/; <$file> };
    # Headings are lines outside of blocks: a comment in a block is none.
    my ($inside, $fenced, @section) = (0, 0);
    for my $line (split /^/, $text) {
        $fenced = !$fenced if $line =~ /^```/;
        if (!$fenced && $line =~ /^#+ (.*)$/) {
            $inside = $1 eq $heading;
            next;
        }
        push @section, $line if $inside;
    }
    die "$page has no section \"$heading\"" if !@section;
    return join '', @section;
}

sub blocks ($page, $heading) {
    my $section = section($page, $heading);
    my @blocks;
    while ($section =~ /^```(\w+)\n(.*?)^```$/gms) {
        my %block = (language => $1, text => $2);
        $block{path} = $1 if $block{text} =~ m{\A# (/\S+)$}m;
        push @blocks, \%block;
    }
    return @blocks;
}

1;
