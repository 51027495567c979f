# SPDX-License-Identifier: Apache-2.0
# nginx -t accepts every block of configuration in the reference, each at the level
# where it belongs.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp ();
use X402::Certificates;
use X402::House;
use X402::Test;

plan skip_all => 'the module is not built' if !X402::Nginx::built();

my $root = "$FindBin::Bin/../..";

# Where a directive goes that is not valid in server; the module's own are read
# out of its tables.
my %level = (
    (map { $_ => 'http' } qw(map geo split_clients log_format limit_req_zone limit_conn_zone proxy_cache_path upstream server)),
    (map { $_ => 'main' } qw(events load_module user env)),
);
my %contexts = X402::House->new->directives;
for my $name (keys %contexts) {
    next if $contexts{$name} =~ /\bserver\b/;
    $level{$name} = $contexts{$name} =~ /\bhttp\b/ ? 'http' : 'location';
}

# Paths and ports, and what replaces them.
my @replacements = (
    [ qr{/var/(?:lib|cache)/nginx} => '%%DIR%%' ],
    [ qr{/etc/nginx/x402/}         => '%%DIR%%/' ],
    [ qr{/etc/nginx/}              => '%%DIR%%/' ],
    [ qr{\blisten\s+\d+;}          => 'listen 127.0.0.1:%%PORT%%;' ],
);

# What a block leaves to the rest of the configuration.
my %usual = (
    x402_facilitator => 'x402_facilitator %%FACILITATOR%%;',
    x402_network     => 'x402_network base-sepolia;',
    x402_pay_to      => 'x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;',
    x402_price       => 'x402_price $0.01;',
);

# The statements of a text, each up to its `;` or its closing brace.
sub statements ($text) {
    # A # in the middle of a word is a part of it.
    $text =~ s/^((?:[^#"'\n]|(?<=\S)#|"[^"]*"|'[^']*')*)(?<!\S)#[^\n]*/$1/gm;
    my @found;
    while ($text =~ /\G\s*((?:[^;{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$\{\w+\})+(?:;|(\{(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?2))*\})))/g) {
        push @found, $1;
    }
    return @found;
}

sub configuration ($block) {
    my %part = (main => '', http => '', server => '', location => '');
    for my $statement (statements($block)) {
        my ($name) = $statement =~ /\A(\w+)/;
        $part{ $level{$name} // 'server' } .= "$statement\n";
    }
    my %has = map { $_ => 1 } $block =~ /\b(x402_\w+)\s/g;
    # A block about plans has prices of its own.
    $has{x402_price} = 1 if $has{x402_accept} || $has{x402} || $block =~ /nevermined/;
    my $missing = join "\n", map { $usual{$_} } grep { !$has{$_} } sort keys %usual;
    $part{server} .= "location /other { $part{location} }\n";
    my $server = $part{http} =~ /^server\b/m ? '' : "server { listen 127.0.0.1:%%PORT%%;\n$part{server} }";
    my $events = $part{main} =~ /^events\b/m ? '' : "events { }\n";
    return "%%GLOBALS%%\n$events$part{main}http {\n%%HTTP%%\n$missing\n$part{http}$server\n}\n";
}

sub text ($path) {
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

sub authority () {
    my $dir = File::Temp->newdir;
    X402::Certificates::make("$dir");
    return text("$dir/ca.pem");
}

# A private key, or the public one of it.
sub pem ($public) {
    my $dir = File::Temp->newdir;
    X402::Certificates::make_key("$dir");
    return text("$dir/key." . ($public ? 'pub' : 'pem'));
}

# Files that the examples name; all others hold a secret.
my %content = (
    'sign.pem'         => pem(0),
    'last-year.pub'    => pem(1),
    'bazaar.json'      => text("$root/conf-examples/extensions/bazaar.json"),
    'nevermined.key'   => "sandbox:example-key\n",
    'cdp-api-key.json' => cdp_key(),
    'own-ca.pem'       => authority(),
);

my $f = facilitator();
my $tried = 0;
for my $page ('docs/directives.md', 'docs/variables.md') {
    my $text = text("$root/$page");
    while ($text =~ /^```nginx\n(.*?)^```/gms) {
        my $block = $1;
        my $line = 1 + substr($text, 0, $-[0]) =~ tr/\n//;
        for (@replacements) {
            my ($from, $to) = @$_;
            $block =~ s/$from/$to/g;
        }
        my $conf = configuration($block);
        my $t = nginx($conf, facilitator => $f);
        $t->write('logs/none', '');
        for my $name ($block =~ m{%%DIR%%/([\w.-]+)}g) {
            chmod 0600, $t->write($name, $content{$name} // "a secret of more than thirty-two bytes\n") if $name !~ /journal|bought/;
        }
        my ($said, $passes) = $t->test_config($conf);
        $tried++;
        ok $passes, "$page:$line" or diag "$said\n$conf";
    }
}
cmp_ok $tried, '>', 40, 'the blocks were found';

# The JSON file of the CDP portal, with a key of RFC 8032, 7.1: seed and public key.
sub cdp_key () {
    require MIME::Base64;
    my $key = pack 'H*', '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
        . 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    return '{"id":"organizations/1/apiKeys/2","privateKey":"' . MIME::Base64::encode_base64($key, '') . '"}';
}

finish;
