# SPDX-License-Identifier: Apache-2.0
# docs/conformance.md has a row for each of the 142 assertions about the protocol,
# docs/security.md one for each promise and each item of the attack plan; none is
# empty, and every test that they name exists, with the very name.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use X402::House;

use constant { CONFORMANCE => 'docs/conformance.md', SECURITY => 'docs/security.md', ASSERTIONS => 142 };

# What the security page has a row for; pieces of F share rows where they are tried together.
my @promises = map {"M$_"} 1 .. 8;
my %plan = (A => 8, B => 10, C => 7, D => 10, E => 6, F => 12, G => 6);
my @attacks = map { my $part = $_; map {"$part$_"} 1 .. $plan{$part} } sort keys %plan;

# --- the rules -----------------------------------------------------------------------

# The rows of all tables: [ cells ], without heads and rules.
sub rows ($house, $doc) {
    return grep { $_->[0] !~ /\A(?:#|-+|)\z/ } map { [ map {s/\A\s+|\s+\z//gr} split /\|/, s/\A\||\|\s*\z//gr ] }
        grep {/\A\|/} split /\n/, $house->text($doc);
}

sub numbered ($house) {
    my @wrong;
    my $next = 1;
    for my $row (rows($house, CONFORMANCE)) {
        push @wrong, CONFORMANCE . ": row $row->[0] where $next should be" if $row->[0] ne $next;
        $next++;
    }
    push @wrong, CONFORMANCE . ': the last row is ' . ($next - 1) if $next != ASSERTIONS + 1;
    return @wrong;
}

sub filled ($house) {
    my @wrong;
    for my $row (rows($house, CONFORMANCE)) {
        my ($number, $expected, $ours, $proof) = @$row;
        push @wrong, CONFORMANCE . ": row $number has no " . (qw(expectation contract proof))[$_]
            for grep { !length(($expected, $ours, $proof)[$_] // '') } 0 .. 2;
        push @wrong, CONFORMANCE . ": row $number says neither same nor stricter nor different"
            if ($ours // '') !~ /\A(?:same|stricter|\*\*different)\b/;
        push @wrong, CONFORMANCE . ": row $number names no test" if ($proof // '') !~ /`[^`]+`/;
    }
    return @wrong;
}

sub planned ($house) {
    my %there;
    for my $row (rows($house, SECURITY)) {
        $there{$_} = $row->[-1] for map { /\A([A-Z])(\d+)–\1?(\d+)\z/ ? map {"$1$_"} $2 .. $3 : $_ } split /, /, $row->[0];
    }
    return map { SECURITY . ": no row for $_, or one without a proof" } grep { ($there{$_} // '') !~ /`/ } @promises, @attacks;
}

# `file` "name", "name"; `Suite.Test`
sub existing ($house) {
    my %tests;
    for my $path ($house->paths('t/unit/*/*_test.cpp')) {
        my $text = $house->text($path);
        $tests{"$1.$2"} = 1 while $text =~ /^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)/mg;
        $tests{"$1.$2"} = 1 while $text =~ /^TYPED_TEST\(\s*(\w+),\s*(\w+)\s*\)/mg;
    }
    my @wrong;
    for my $doc (CONFORMANCE, SECURITY) {
        for my $row (rows($house, $doc)) {
            my $file;
            while ($row->[-1] =~ /`([^`]+)`|"([^"]+)"/g) {
                my ($token, $name) = ($1, $2);
                if (!defined $token) {
                    push @wrong, "$doc: $row->[0]: \"$name\" is no test of " . ($file // 'any file')
                        if !defined $file || $house->text($file) !~ /['"`]\Q$name\E['"`]/;
                }
                elsif ($token =~ m{\A(?:t|src)/}) {
                    $file = $token;
                    push @wrong, "$doc: $row->[0]: there is no $file" if !$house->paths($file);
                }
                elsif ($token =~ /\A[A-Z]\w*\.[A-Z]\w*\z/) {
                    undef $file;
                    push @wrong, "$doc: $row->[0]: there is no unit test $token" if !$tests{$token};
                }
            }
        }
    }
    return @wrong;
}

# The project's own examples trust no client because of what it says of itself (A8).
sub let_in ($house) {
    my @wrong;
    for my $path ($house->paths('conf-examples/*.conf')) {
        my $text = $house->text($path) =~ s/#.*//gr;
        my (%from, %keys);
        ($from{$2}, $keys{$2}) = ($1, $3) while $text =~ /(?:map|geo)\s+(\S+)\s+(\$\w+)\s*\{([^}]*)\}/g;
        while ($text =~ /^\s*(x402_bypass|x402_price|x402_pay_to|x402_accept)\s+([^;]*);/mg) {
            my ($directive, $value) = ($1, $2);
            # What crawlers pay for is free for people: a crawler that lies reads what everyone may read.
            next if $path =~ m{/ai-crawlers\.conf\z} && $directive eq 'x402_bypass';
            # Credits may follow the service that the request asks for: the content does, too.
            my @used = ($value =~ s/\bcredits=\S+//r) =~ /(\$[a-z_]\w*)/g;
            for my $mapped (grep { $from{$_} } @used) {
                my $source = $from{$mapped};
                # A price may follow an argument, like the content. A key that is written down is a password.
                next if $source =~ /\A\$arg(?:_|s\z)/ && $directive =~ /price|accept/;
                next if $source =~ /_api_key\z/ && $keys{$mapped} =~ /^\s*[\w-]{16,}\s+1;/m && $keys{$mapped} !~ /^\s*~/m;
                push @used, $source;
            }
            push @wrong, map {"$path: $_ is for the client to say"} grep {/\A\$(?:http|arg|cookie|args|request_uri|host)/} @used;
        }
    }
    return @wrong;
}

# A price that depends on the request has the highest value as its default: to
# the application "?size=larg%65" may be what "?size=large" is, to a map it is not.
sub cheap_defaults ($house) {
    my @wrong;
    for my $path ($house->paths('conf-examples/*.conf', 'docs/*.md', 'README.md')) {
        my $text = $house->text($path);
        $text = join "\n", $text =~ /^```nginx\n(.*?)^```/gms if $path =~ /\.md\z/;
        $text =~ s/#.*//g;
        my %used = map { $_ => 1 } map {/(\$[a-z_]\w*)/g} $text =~ /^[^\n]*x402_(?:price|accept)\s+([^;]*);/mg;
        while ($text =~ /\bmap\s+\S+\s+(\$\w+)\s*\{((?:[^{}"]|"[^"]*")*)\}/g) {
            my ($name, $lines) = ($1, $2);
            next if !$used{$name};
            my ($default) = $lines =~ /^\s*default\s+([\d.]+);/m;
            push @wrong, "$path: map $name: the default is not the highest price"
                if !defined $default || grep { $_ > $default } $lines =~ /\s([\d.]+);/g;
        }
    }
    return @wrong;
}

# --- as it stands -----------------------------------------------------------------------

my $house = X402::House->new;

holds 'a row for each assertion, in order', \&numbered, $house;
holds 'none is empty', \&filled, $house;
holds 'a row for each promise and each attack', \&planned, $house;
holds 'the tests exist', \&existing, $house;
holds 'no example believes what a client says of itself', \&let_in, $house;
holds 'nor sells an unknown spelling for less', \&cheap_defaults, $house;

# --- and the rules can fail ---------------------------------------------------------------

sub conformance ($from, $to) { return $house->changed(CONFORMANCE, $from, $to) }
sub security ($from, $to) { return $house->changed(SECURITY, $from, $to) }

catches 'a row that is gone', \&numbered, conformance(qr/^\| 77 \|[^\n]*\n/m, '');
catches 'the last row', \&numbered, conformance(qr/^\| 142 \|[^\n]*\n/m, '');
catches 'an empty proof', \&filled, conformance(qr/^(\| 77 \|.*\|)[^|]*\|$/m, '| 77 | a | same | |');
catches 'a proof without a test', \&filled, conformance(qr/^\| 77 \|.*$/m, '| 77 | a | same | trust us |');
catches 'no word of ours', \&filled, conformance(qr/^\| 77 \|.*$/m, '| 77 | a | | `t/http/zone.t` |');
catches 'a file that is gone', \&existing, conformance(qr{`t/http/zone\.t`|`t/http/cors\.t`}, '`t/http/zones.t`');
catches 'a name that is gone', \&existing, $house->changed('t/http/cors.t', qr/"\$http: a preflight"/, '"$http: before the flight"');
catches 'a part of a name', \&existing, conformance(qr/"description in JSON, UTF-8 as it is"/, '"description in JSON"');
catches 'a unit test that is gone', \&existing, conformance(qr/`PriceText\.\w+`/, '`PriceText.DoesNotExist`');
catches 'a promise without a row', \&planned, security(qr/^\| M5 \|[^\n]*\n/m, '');
catches 'an attack without a row', \&planned, security(qr/^\| B3 \|[^\n]*\n/m, '');
catches 'a header that opens the door', \&let_in,
    $house->with('conf-examples/planted.conf', "location / { \n    x402_bypass \$http_x_key;\n}\n");
catches 'by way of a map', \&let_in,
    $house->with('conf-examples/planted.conf', "map \$arg_key \$known {\n}\nlocation / { \n    x402_bypass \$known;\n}\n");
catches 'a cheap default', \&cheap_defaults, $house->with('conf-examples/planted.conf',
    "map \$arg_a \$p {\n    big 5;\n    default 1;\n}\nlocation / {\n    x402_price \$p;\n}\n");
catches 'none at all', \&cheap_defaults, $house->with('docs/planted.md',
    "```nginx\nmap \$arg_a \$p {\n    big 5;\n}\nlocation / { x402_accept price=\$p; }\n```\n");

done_testing;
