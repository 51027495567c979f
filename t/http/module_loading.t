# SPDX-License-Identifier: Apache-2.0
# A file that nginx cannot load, or loads in another order than the documentation
# says: what the operator reads, and that nothing is given away.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

plan skip_all => 'the module is built in' if X402::Nginx::module() eq 'static';

my $conf = <<'CONF';
%%GLOBALS%%
%%LOAD%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; %%CHANGED%% alias %%DIR%%/html/; }
    }
}
CONF

my $f = facilitator();
my $t = nginx($conf, module => 0, facilitator => $f, holes => { LOAD => '', CHANGED => '' });
$t->write('html/a.html', "SECRET is <b>kept</b>\n");

sub slurp ($path) { open my $file, '<:raw', $path or die "$path: $!"; local $/; return <$file> }
my $bytes = slurp(X402::Nginx::module());

# --- what cannot be loaded

sub refused ($message, $name, @files) {
    local $t->{holes}{LOAD} = join ' ', map {"load_module $_;"} @files;
    return like $t->config_error($conf), $message, $name;
}

sub changed ($name, $from, $to) {
    my $copy = $bytes;
    my $count = () = $copy =~ s/\Q$from\E/$to/g;
    ok $count, "$name: there is something to change";
    return $t->write("$name.so", $copy);
}

# nginx compares the number of its version, then the signature of how it was configured.
my ($major, $minor, $patch) = `@{[ X402::Nginx::binary() ]} -v 2>&1` =~ m{nginx/(\d+)\.(\d+)\.(\d+)} or die 'no nginx';
my $number = $major * 1_000_000 + $minor * 1_000 + $patch;
refused(qr/module ".*other\.so" version 1099009 instead of $number/, 'a module for another nginx',
    changed('other', pack('Q<', $number), pack 'Q<', 1_099_009));

my ($signature) = $bytes =~ /(\d+,\d+,\d+,[01]{30,})/ or die 'no signature';
refused(qr/module ".*flags\.so" is not binary compatible/, 'a module for an nginx that was configured otherwise',
    changed('flags', $signature, $signature =~ tr/01/10/r));

refused(qr/dlopen\(\) .*libjansson\.so\.0: cannot open shared object file/, 'a library is missing',
    changed('missing', 'libjansson.so.4', 'libjansson.so.0'));
refused(qr/dlopen\(\) .*nowhere\.so" failed/, 'the module itself is missing', 'nowhere.so');
refused(qr/unknown directive "x402_facilitator"/, 'it is not loaded');

my $module = X402::Nginx::module();
refused(qr/module "ngx_http_x402_module" is already loaded/, 'it is loaded twice', $module, $module);
refused(qr/module "ngx_http_x402_module" is already loaded/, 'two versions of it are loaded', $module,
    changed('second', 'ngx_http_x402_module/', 'ngx_http_x402_module+'));

# --- a filter that is loaded behind it

my $subs = '/usr/lib/nginx/modules/ngx_http_subs_filter_module.so';
SKIP: {
    skip 'Debian\'s subs filter is not installed, or not for this nginx', 10
        if !-e $subs || ($t->{holes}{LOAD} = "load_module $subs;", $t->config_error($conf))[1] !~ /unknown directive "x402/;
    $t->{holes}{CHANGED} = 'subs_filter kept given;';
    for my $order ([ $module, $subs ], [ $subs, $module ]) {
        my $name = $order->[0] eq $module ? 'a filter behind the module' : 'a filter before it';
        $t->{holes}{LOAD} = join ' ', map {"load_module $_;"} @$order;
        $t->conf($conf);
        $t->start;
        $f->forget;
        my $unpaid = $t->get('/a.html');
        is $unpaid->status, 402, "$name: unpaid, 402";
        no_trace $unpaid, 'SECRET', "$name: no content";
        is_content paid($t, '/a.html'), "SECRET is <b>given</b>\n", "$name: paid, the content as it was changed";
        is $f->order, 'verify settle', "$name: asked once each";
        $f->settle_once(refused => 'insufficient_funds');
        no_trace paid($t, '/a.html'), 'SECRET', "$name: nothing leaves before the money has moved";
        $t->quit;
    }
}

finish;
