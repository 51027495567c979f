# SPDX-License-Identifier: Apache-2.0
# What stands between the source and a file that nginx loads: whose arguments a
# build takes, what it refuses before anything is loaded, and what is installed.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd ();
use File::Basename qw(basename dirname);
use File::Compare qw(compare);
use File::Copy qw(copy);
use File::Path qw(make_path);
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
    like run('readelf', '-SW', $file), qr/\A(?!.* \.(?:symtab|z?debug_\w+) ).* \.text /s, 'without what a debugger reads';
    is sprintf('%o', (stat $file)[2] & 07777), '644', 'for all to read';
    like $said, qr/version \d+\.\d+\.\d+$/m, 'with its version';
    like $said, qr/needs a restart/, 'and a hint that a reload is not enough';
    run('env', "DESTDIR=$root", "NGINX=$nginx", "$top/packaging/install-module", $module);
    ok -e $file, 'installed again, over itself';
    run('env', "DESTDIR=$root", "NGINX=$nginx", "$top/packaging/install-module", '--remove');
    is run('find', $root, '-not', '-type', 'd'), '', 'and taken away, with its load snippet';
}

# --- what is given away -------------------------------------------------------------

# A small tree of its own, as a clone and as what a release gives.
sub write_file ($path, $text) {
    make_path(dirname($path));
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return;
}

my $tree = "$dir/tree";
write_file("$tree/src/base/module_version.hpp", qq(#define NGX_HTTP_X402_VERSION "9.8.7"\n));
write_file("$tree/build/left.o", "an object\n");
write_file("$tree/t/e2e/node_modules/other/code.js", "another's\n");
make_path("$tree/packaging", "$tree/t/lib");
copy("$top/$_", "$tree/$_") or die $! for 'packaging/make-tarball', 't/lib/need';
chmod 0755, "$tree/packaging/make-tarball", "$tree/t/lib/need";

sub tarball ($name) {
    my ($said, $code) = run("$tree/packaging/make-tarball", "$dir/$name");
    my @files = $code ? $said : split /\n/, run('tar', '-tzf', "$dir/$name");
    return $code, grep { !m{/\z} } @files;
}

my @shipped = map {"ngx_http_x402_module-9.8.7/$_"} qw(packaging/make-tarball src/base/module_version.hpp t/lib/need);
($code, my @files) = tarball('first.tar.gz');
is_deeply [ $code, @files ], [ 0, @shipped ], 'make dist in an unpacked tarball: what it has, without what was built';
utime 1, 1, "$tree/packaging/make-tarball";
chmod 0700, "$tree/t/lib/need";
($code) = tarball('second.tar.gz');
ok !compare("$dir/first.tar.gz", "$dir/second.tar.gz"), 'the same bytes, whatever times and rights the files have';

SKIP: {
    skip 'no git', 4 if run('git', '--version') !~ /^git version/;
    my @git = ('git', '-C', $tree, '-c', 'user.name=a', '-c', 'user.email=a@b.c');
    run('git', 'init', '-q', $tree);
    ($code) = tarball('empty.tar.gz');
    ok $code && !-e "$dir/empty.tar.gz" && !-e "$dir/empty.tar.gz.new", 'a clone that git cannot pack: an error and no file';
    run(@git, 'add', 'src', 'packaging', 't/lib');
    run(@git, 'commit', '-qm', 'All');
    write_file("$tree/docs/draft.md", "not yet\n");
    ($code, @files) = tarball('clone.tar.gz');
    is_deeply [ $code, @files ], [ 0, @shipped ], 'in a clone: what is committed';
    skip 'root alone can be somebody else', 2 if $> != 0;
    run('chown', '-R', '1:1', $tree);
    ($code, @files) = tarball('foreign.tar.gz');
    is_deeply [ $code, @files ], [ 0, @shipped ], 'root makes it of a clone that belongs to a user';
    ok !compare("$dir/clone.tar.gz", "$dir/foreign.tar.gz"), 'the same bytes';
}

# --- which sources make lint gives to clang-tidy ------------------------------------------

SKIP: {
    skip 'no git', 7 if run('git', '--version') !~ /^git version/;
    my $clone = "$dir/changed";
    my @git = ('git', '-C', $clone, '-c', 'user.name=a', '-c', 'user.email=a@b.c');
    my $changed = sub { [ split /\n/, run('sh', '-c', 'cd "$1" && exec "$2"', 'sh', $clone, "$top/t/lib/changed-sources") ] };
    my $commit = sub (@paths) {
        write_file("$clone/$_", "// " . rand() . "\n") for @paths;
        run(@git, 'add', '.');
        run(@git, 'commit', '-qm', 'More');
    };

    make_path($clone);
    like $changed->()[0], qr/is left to make tidy: this is not a clone/, 'an unpacked tarball: none, and why';
    run('git', 'init', '-q', '-b', 'main', $clone);
    $commit->(map {"src/base/$_"} qw(first.cpp first.hpp second.cpp gone.cpp));
    like $changed->()[0], qr/nothing to compare with/, 'a clone without a past: none, and why';
    $commit->('src/base/second.cpp', 'docs/page.md');
    is_deeply $changed->(), ['src/base/second.cpp'], 'on the main branch: what its last commit changed';
    run(@git, 'checkout', '-qb', 'work');
    $commit->('src/base/first.hpp');
    run(@git, 'rm', '-q', 'src/base/gone.cpp');
    $commit->('t/unit/base/first_test.cpp');
    is_deeply $changed->(), ['src/base/first.cpp'], 'on another one: all since it left, a header by the file of its name';
    write_file("$clone/src/base/$_", "// not yet\n") for 'new.cpp', 'alone.hpp', 'second.cpp';
    is_deeply $changed->(), [ map {"src/base/$_.cpp"} qw(first new second) ], 'and what is not committed';
    write_file("$clone/src/base/many$_.cpp", "// one of many\n") for 1 .. 20;
    like $changed->()[0], qr/is left to make tidy: more than 20 sources have changed/, 'very many: none, and why';
    run('git', 'clone', '-q', '--depth', '1', "file://$clone", "$dir/shallow");
    $clone = "$dir/shallow";
    run(@git, 'checkout', '-qB', 'main');
    like $changed->()[0], qr/nothing to compare with/, 'a shallow clone: none, and why';
}

# --- what the manifests of Kubernetes say ------------------------------------------------

SKIP: {
    skip 'no yaml', 2 if (run('/usr/bin/python3', '-c', 'import yaml'))[1];
    for my $file (glob "$top/packaging/kubernetes/*.yaml") {
        ($said, $code) = run("$top/t/package/kubernetes", $file);
        is $code, 0, 'what they name is there' or diag $said;
    }
}

for my $file (glob "$top/packaging/kubernetes/*.yaml") {
    open my $in, '<', $file or die "$file: $!";
    my ($conf) = do { local $/; <$in> } =~ /^  x402\.conf: \|\n((?:    .*\n|\n)+)/m or die "$file: no configuration";
    # No cluster runs here. Its names become an address, its folders those of the test.
    $conf =~ s/^    //gm;
    $conf =~ s/[\w-]+(?:\.\w[\w-]*)?\.svc\.cluster\.local/127.0.0.1/g;
    $conf =~ s{/var/lib/x402|/etc/x402}{$dir}g;
    $conf =~ s/^(    listen )80;/${1}127.0.0.1:8080;/m;
    write_file("$dir/password", "secret\n");
    chmod 0600, "$dir/password";
    write_file("$dir/nginx.conf", "load_module $module;\npid $dir/pid;\nevents { }\nhttp {\naccess_log off;\n$conf}\n");
    ($said, $code) = run($nginx, '-t', '-e', 'stderr', '-p', $dir, '-c', "$dir/nginx.conf");
    is $code, 0, 'nginx reads the configuration of ' . basename($file) or diag $said;
    unlike $said, qr/\[(?:warn|emerg)\]/, 'without a complaint';
}

# --- a machine for which there is no chain ----------------------------------------------

program('uname', "echo Linux aarch64\n");
($said, $code) = run('env', "PATH=$dir:$ENV{PATH}", 'ANVIL=', "$top/t/lib/need-chain");
isnt $code, 0, 'no chain for this machine';
like $said, qr{this is Linux aarch64\. Install anvil, and name it: ANVIL=/path/to/anvil}, 'with what to do';
is((run('env', "PATH=$dir:$ENV{PATH}", 'ANVIL=/bin/sh', "$top/t/lib/need-chain"))[1], 0, 'ANVIL names one');

done_testing;
