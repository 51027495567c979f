# SPDX-License-Identifier: Apache-2.0
# Which version runs: in the log when nginx starts, in a variable, in what
# facilitators see, and a warning where the file on disk is another by now.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Copy qw(copy);
use X402::Test;

my $header = do {
    open my $file, '<', "$FindBin::Bin/../../src/base/module_version.hpp" or die $!;
    local $/;
    <$file>;
};
my ($version) = $header =~ /^#define NGX_HTTP_X402_VERSION "(\d+\.\d+\.\d+)"$/m or die 'no version';
my ($nginx) = `@{[ X402::Nginx::binary() ]} -v 2>&1` =~ m{nginx/(\d+\.\d+\.\d+)} or die 'no nginx';

my $conf = <<'CONF';
%%GLOBALS%%
%%LOAD%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_zone x402:1m;
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-Version $x402_module_version always;
        location / { alias %%DIR%%/html/; x402_price $0.01; }
        location /free/ { return 200 "free\n"; }
    }
}
CONF

# --- as it starts

my $f = facilitator();
my $t = nginx($conf, facilitator => $f, holes => { LOAD => '' });
$t->write('html/a', "SECRET\n");
$t->start;
my $line = qr/\[notice\] .*x402: ngx_http_x402_module \Q$version\E for nginx \Q$nginx\E/;
$t->log_like($line, 'the log begins with the versions');
$t->log_like(qr/$line.*; facilitators are called over http/, 'and says who talks to facilitators');

is $t->get('/free/')->header('X-Version'), $version, 'the variable, where nothing is sold';
is $t->get('/a')->header('X-Version'), $version, 'and where something is';

is_content paid($t, '/a'), "SECRET\n", 'a payment';
for my $call ('verify', 'settle') {
    my ($request) = $f->requests($call);
    is $request->{headers}{'user-agent'}, "ngx_http_x402_module/$version", "$call tells the facilitator";
}

$t->reload;
is $t->log_count($line), 1, 'a reload does not say it again';
# A worker looks at its start. Where the module is built in, the file is nginx's own.
$t->log_unlike(qr/restart nginx|no longer exists/, 'the file is the one that was loaded');

# --- another file in its place

SKIP: {
    skip 'the module is built in', 6 if X402::Nginx::module() eq 'static';

    my $own = nginx($conf, facilitator => $f, module => 0, holes => { LOAD => 'load_module %%DIR%%/module.so;' });
    $own->{holes}{LOAD} = "load_module $own->{dir}/module.so;";
    $own->conf($conf);
    $own->write('html/a', "SECRET\n");
    my $file = "$own->{dir}/module.so";
    copy(X402::Nginx::module(), $file) or die "$file: $!";
    $own->start;

    # As a package manager does it: written beside, put in place by renaming.
    my $replace = sub ($bytes) {
        $own->write('next.so', $bytes);
        rename "$own->{dir}/next.so", $file or die $!;
    };
    my $bytes = do { open my $in, '<:raw', $file or die $!; local $/; <$in> };
    $replace->($bytes =~ s{(ngx_http_x402_module/)\Q$version\E}{${1}9.8.7}gr);
    $own->reload;
    my $warned = qr/\[warn\] .*module\.so" is version 9\.8\.7 now, and version \Q$version\E runs: restart nginx/;
    $own->log_like($warned, 'a newer file: a worker says that a restart is needed');
    is $own->log_count($warned), 1, 'once';
    is $own->get('/free/')->header('X-Version'), $version, 'the code is the old one';

    $replace->($bytes);
    $own->reload;
    $own->log_like(qr/\[warn\] .*module\.so" is another build of \Q$version\E now/, 'another build of the same version');

    unlink $file;
    kill KILL => ($own->workers)[0];
    $own->allow(qr/exited on signal 9/);
    $own->log_like(qr/\[warn\] .*module\.so" no longer exists/, 'no file at all: before nginx fails to start');
    is_content paid($own, '/a'), "SECRET\n", 'and it goes on selling';
}

finish;
