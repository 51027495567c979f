# SPDX-License-Identifier: Apache-2.0
# From a bare Debian to a paid answer, by the words of a page alone: PAGE is
# docs/install.md or README.md. SUITE names the release, the package is the one in
# build/deb/SUITE. Runs as root, in a root that is thrown away and a network of
# its own, in which the test is the facilitator of the page.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd ();
use File::Copy qw(copy);
use File::Path qw(make_path);
use Test::More;
use X402::Page;

my $top   = Cwd::abs_path("$FindBin::Bin/../..");
my $suite = $ENV{SUITE} // 'bookworm';
my $page  = $ENV{PAGE}  // 'docs/install.md';
my @steps = X402::Page::blocks($page, $page eq 'README.md' ? 'Quick start' : 'Debian 12 and 13');
# The payer is another machine: this one.
my $payer = $page eq 'README.md' ? 'Quick start' : 'See a paid request';

if (!defined $ENV{X402_ROOT}) { exit outside() }
inside($ENV{X402_ROOT});

# --- with the network of this machine: what comes from the archive ------------------

sub outside () {
    plan skip_all => 'needs root' if $> != 0;
    my @packages = glob "$top/build/deb/$suite/libnginx-mod-http-x402_*.deb";
    die "no package in build/deb/$suite: make deb SUITE=$suite\n" if @packages != 1;

    chomp(my $base = `$top/t/package/base-root $suite`);
    die "no root of $suite\n" if $? || !length $base;
    my $root = "$base-$$";
    my $code = eval {
        run('cp', '-a', $base, $root);
        copy($packages[0], "$root/root/") or die "$packages[0]: $!";
        run("$top/t/package/in-root", $root, 'sh', '-ec', "cd\n$_") for grep { /^apt-get /m } map { $_->{text} } @steps;
        local $ENV{X402_ROOT} = $root;
        # A shell as the first process: it buries the daemons that end.
        system qw(unshare --net --mount --pid --fork --kill-child --mount-proc sh -c), '"$@"; exit $?', 'sh', $^X, $0;
        $? >> 8 || ($? ? 1 : 0);
    };
    warn $@ if !defined $code;
    system 'rm', '-rf', '--one-file-system', $root;
    return $code // 1;
}

sub run (@command) {
    open my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command or die "$command[0]: $!";
    my $said = do { local $/; <$pipe> };
    close $pipe or die "@command:\n$said";
    return $said;
}

# --- in a network of its own ----------------------------------------------------------

sub inside ($root) {
    require X402::Certificates;
    require X402::Test;
    X402::Test->import;
    local $SIG{ALRM} = sub { diag 'the test hangs'; exit 1 };
    alarm 600;
    run('ip', 'link', 'set', 'lo', 'up');
    run("$top/t/package/root-mounts", $root);
    my $facilitator = play_x402_org($root);

    my $said = follow($root);
    like $said, qr{^HTTP/1\.1 402 Payment Required\r?$}m, 'the last command shows the 402';
    like $said, qr/^PAYMENT-REQUIRED: [\w+\/=]+\r?$/mi, 'with its offer';
    is $facilitator->calls, 0, 'which no facilitator was asked about';

    pay($root, $facilitator);
    loaded($root);
    misfits($root);
    removed($root);
    finish();
}

sub in ($root, $script) {
    my $said = eval { run('chroot', $root, 'env', '-i', 'HOME=/root', 'LANG=C.UTF-8',
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'sh', '-ec', "cd\n$script") };
    return defined $said ? (0, $said) : (1, $@);
}

sub works ($root, $script, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($failed, $said) = in($root, $script);
    ok !$failed, $name or diag $said;
    return $said;
}

# The facilitator that the page names, with a certificate that this root trusts.
sub play_x402_org ($root) {
    my $facilitator = facilitator();
    my $front = nginx(<<'CONF', module => 0, facilitator => $facilitator);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    server {
        listen 127.0.0.1:443 ssl;
        ssl_certificate %%DIR%%/x402.org.pem;
        ssl_certificate_key %%DIR%%/x402.org.key;
        location /facilitator/ { proxy_pass %%FACILITATOR%%/; }
    }
}
CONF
    X402::Certificates::make($front->dir);
    X402::Certificates::make_for($front->dir, 'x402.org');
    $front->start;
    make_path("$root/usr/local/share/ca-certificates");
    copy($front->dir . '/ca.pem', "$root/usr/local/share/ca-certificates/test.crt") or die $!;
    write_file("$root/etc/hosts", "127.0.0.1 localhost x402.org\n");
    works($root, 'update-ca-certificates', 'the test is trusted as x402.org');
    return $facilitator;
}

sub write_file ($path, $text) {
    make_path($path =~ s{/[^/]*\z}{}r);
    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return;
}

# Each block in turn: a file is written, commands are run. What systemd reads is
# left out, there is none in a bare root.
sub follow ($root) {
    my $said = '';
    for my $step (@steps) {
        my $text = $step->{text};
        next if $step->{language} eq 'text' || $text =~ /^(?:apt-get|systemctl|make) /m;
        if (defined $step->{path}) {
            write_file("$root$step->{path}", $text);
            pass "$page: the file $step->{path}";
        }
        else {
            $said = works($root, $text, "$page: " . $text =~ s/\n(?=.)/; /gr =~ s/\n//r);
        }
    }
    return $said;
}

# --- and what the page promises -------------------------------------------------------

sub pay ($root, $facilitator) {
    my ($paid) = grep { $_->{text} =~ /^make pay /m } X402::Page::blocks($page, $payer);
    my $said = eval { run('sh', '-ec', "cd $top\n$paid->{text}") } // $@;
    like $said, qr/^200 OK\nsunny, 22 degrees\nsettled: 0\.01 USDC on eip155:84532, transaction 0x[0-9a-f]{64}$/m,
        "$page: make pay" or diag $said;
    is $facilitator->order, 'verify settle', 'verified and settled, once';
    my $log = works($root, 'cat /var/log/nginx/x402.log', 'the log is where the page says');
    like $log, qr/x402: payment paid, .*transaction: "0x/, 'and has the payment';
    works($root, 'test -s /var/lib/nginx/x402.journal && service nginx restart', 'the journal survives a restart');
    return;
}

sub loaded ($root) {
    my $said = works($root, 'nginx -T 2>/dev/null | grep ^load_module | tail -n 1', 'nginx reads its modules');
    like $said, qr{ngx_http_x402_module\.so;$}, 'ours is loaded last';
    my $sections = run('readelf', '-SW', "$root/usr/lib/nginx/modules/ngx_http_x402_module.so");
    like $sections, qr/ \.text /, 'the file has code';
    unlike $sections, qr/ \.(?:symtab|z?debug_\w+) /, 'and is stripped';
    (undef, $said) = in($root, 'nginx -g "load_module modules/ngx_http_x402_module.so;" -t');
    like $said, qr/module "ngx_http_x402_module" is already loaded/, 'loaded twice: nginx says so';
    works($root, 'nginx -t', 'nginx -t');
    return;
}

# What docs/install.md says of a module that does not fit.
sub misfits ($root) {
    my $wrong = X402::Page::section('docs/install.md', 'What can go wrong');
    my ($row) = $wrong =~ /^(\| `dlopen\(\) .*)$/m or die 'no row about libraries';
    my $depends = works($root, q{dpkg-query -W -f '${Depends}' libnginx-mod-http-x402}, 'the package names its libraries');
    my @libraries = grep {/^lib(?:simdjson|secp256k1|jansson|curl|ssl)/} $depends =~ /([a-z][a-z0-9.+-]+)(?= \(|,|$)/g;
    is @libraries, 5, 'five of them can be missing';
    like $row, qr/\b\Q$_\E\b/, "the page names $_" for @libraries;

    my $file = works($root, 'dpkg -L libjansson4 | grep "/libjansson\.so\.4$"', 'a library') =~ s/\n//r;
    works($root, "mv $file $file.away", 'which is taken away');
    my (undef, $said) = in($root, 'nginx -t');
    like $said, qr/dlopen\(\) ".*" failed \(libjansson\.so\.4: cannot open shared object file/, 'nginx names it';
    works($root, "mv $file.away $file && nginx -t", 'and is content with it');

    my ($other) = grep { !m{/\Q$suite\E/} } glob "$top/build/deb/*/libnginx-mod-http-x402_*.deb";
    SKIP: {
        skip 'another release has not been packed', 3 if !defined $other;
        make_path("$root/root/other");
        copy($other, "$root/root/other/") or die "$other: $!";
        (my $failed, $said) = in($root, 'dpkg -i other/*.deb');
        ok $failed, 'the package of another release is not installed';
        like $said, qr/dependency problems.*depends on nginx-abi-/s, 'for the reason that the page tells';
        works($root, 'dpkg -i *.deb && nginx -t', 'the right one is put back');
    }
    return;
}

sub removed ($root) {
    works($root, 'service nginx stop; dpkg -r libnginx-mod-http-x402', 'the package can be removed');
    my (undef, $said) = in($root, 'nginx -t');
    like $said, qr/unknown directive "x402_facilitator"/, 'without it its directives are unknown';
    works($root, join("\n", map {"rm $_->{path}"} grep { defined $_->{path} } @steps) . "\nrm /etc/nginx/sites-enabled/x402-example\nnginx -t",
        'without the files of the page nginx is as it was');
    works($root, 'dpkg -i *.deb && nginx -t && dpkg --purge libnginx-mod-http-x402 && nginx -t', 'installed again, and purged');
    is_deeply [ glob "$root/etc/nginx/modules-enabled/*x402*" ], [], 'nothing is left of it';
    return;
}
