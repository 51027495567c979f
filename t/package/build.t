# SPDX-License-Identifier: Apache-2.0
# What stands between the source and a file that nginx loads: whose arguments a
# build takes, what it refuses before anything is loaded, and what is installed.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd ();
use File::Temp ();
use Test::More;
use X402::Nginx;

my $top    = Cwd::abs_path("$FindBin::Bin/../..");
my $module = X402::Nginx::module();
my $nginx  = X402::Nginx::binary();
plan skip_all => 'the module is not built, or built in' if !-e $module;

my $dir = File::Temp->newdir;

sub run (@command) {
    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die "$command[0]: $!";
    my $said = do { local $/; <$pipe> } // '';
    close $pipe;
    return wantarray ? ($said, $? >> 8) : $said;
}

sub program ($name, $text) {
    open my $file, '>', "$dir/$name" or die $!;
    print {$file} "#!/bin/sh\n$text";
    close $file or die $!;
    chmod 0755, "$dir/$name";
    return "$dir/$name";
}

# --- another nginx -----------------------------------------------------------------

my $stranger = program('nginx', <<'SH');
[ "$1" = -v ] && { echo "nginx version: nginx/1.99.9" >&2; exit; }
cat >&2 << 'END'
nginx version: nginx/1.99.9
configure arguments: --prefix=/etc/nginx --with-cc-opt='-g -O2 -DNAME="a b"' --with-http_ssl_module --add-dynamic-module=/build/other --with-openssl=/build/openssl --with-stream=dynamic --with-compat
END
SH

is run("$top/t/lib/nginx-arguments", $stranger), <<'END', 'arguments of nginx -V, without what belongs to the machine that made it';
--prefix=/etc/nginx
--with-cc-opt=-g -O2 -DNAME="a b"
--with-http_ssl_module
--with-compat
END

SKIP: {
    skip 'no headers of nginx', 2 if !-e '/usr/share/nginx/src/conf_flags';
    my ($said, $code) = run('env', "NGINX=$stranger", 'NGINX_SRC=', "$top/t/lib/build-module", "$dir/build");
    isnt $code, 0, 'a source of another version is refused';
    like $said, qr/is nginx 1\.99\.9 and .* is the source of \d+\.\d+\.\d+: name the source of nginx 1\.99\.9 with NGINX_SRC=dir/,
        'with what to do';
}

like run("$top/t/lib/nginx-signature", $module), qr/\A\d+,\d+,\d+,[01]{30,}\n\z/, 'a module has a signature';
is run("$top/t/lib/nginx-signature", $module), run("$top/t/lib/nginx-signature", $nginx), 'that of the nginx it was built for';
is run("$top/t/lib/nginx-signature", $stranger), '', 'a program has none';

# --- what is installed ---------------------------------------------------------------

my $root = "$dir/root";
mkdir $root;
my ($said, $code) = run('env', "DESTDIR=$root", "NGINX=$nginx", "$top/packaging/install-module", $module, '/bin/true');
is $code, 0, 'installed' or diag $said;
ok -x "$root/usr/local/bin/x402-journal", 'with the program that looks into journals';
my ($folder) = run($nginx, '-V') =~ /--modules-path=(\S+)/;
SKIP: {
    skip 'this nginx has no folder of modules', 6 if !defined $folder;
    my $file = "$root$folder/ngx_http_x402_module.so";
    cmp_ok -s $file, '<', 3_000_000, 'without what a debugger reads';
    is sprintf('%o', (stat $file)[2] & 07777), '644', 'for all to read';
    like $said, qr/version \d+\.\d+\.\d+$/m, 'with its version';
    like $said, qr/needs a restart/, 'and a hint that a reload is not enough';
    run('env', "DESTDIR=$root", "NGINX=$nginx", "$top/packaging/install-module", $module);
    ok -e $file, 'installed again, over itself';
    run('env', "DESTDIR=$root", "NGINX=$nginx", "$top/packaging/install-module", '--remove');
    is run('find', $root, '-not', '-type', 'd'), '', 'and taken away, with its load snippet';
}

# --- a machine for which there is no chain ----------------------------------------------

program('uname', "echo Linux aarch64\n");
($said, $code) = run('env', "PATH=$dir:$ENV{PATH}", 'ANVIL=', "$top/t/lib/need-chain");
isnt $code, 0, 'no chain for this machine';
like $said, qr{this is Linux aarch64\. Install anvil, and name it: ANVIL=/path/to/anvil}, 'with what to do';
is((run('env', "PATH=$dir:$ENV{PATH}", 'ANVIL=/bin/sh', "$top/t/lib/need-chain"))[1], 0, 'ANVIL names one');

done_testing;
