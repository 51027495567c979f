# SPDX-License-Identifier: Apache-2.0
package X402::Certificates;

# Certificates for tests, made by the openssl command: an authority (ca.pem),
# one for 127.0.0.1 and localhost (good), the same but expired, one for another
# host, and one that signed itself. Each as NAME.pem and NAME.key.

use v5.36;
use Test::More ();

sub make ($dir) {
    Test::More::plan(skip_all => 'no openssl command') if system('openssl version >/dev/null 2>&1');

    my $here = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
    _key("$dir/$_.key") for qw(ca good expired other self);
    _run('req', '-x509', '-new', '-key', "$dir/ca.key", '-out', "$dir/ca.pem", '-days', 30,
        '-subj', '/CN=test authority', '-addext', 'keyUsage=critical,keyCertSign');
    _run('req', '-x509', '-new', '-key', "$dir/self.key", '-out', "$dir/self.pem", '-days', 30,
        '-subj', '/CN=localhost', '-addext', $here);
    _signed($dir, 'good', $here, 30);
    # At once. OpenSSL 3.5 makes none that ends before it begins.
    _signed($dir, 'expired', $here, 0);
    _signed($dir, 'other', 'subjectAltName=DNS:other.example', 30);
    return;
}

# One more, for another host: NAME.pem and NAME.key, by the authority of make().
sub make_for ($dir, $host) {
    _key("$dir/$host.key");
    return _signed($dir, $host, "subjectAltName=DNS:$host", 30);
}

# A key that signs texts: key.pem and key.pub.
sub make_key ($dir) {
    _key("$dir/key.pem");
    return _run('pkey', '-in', "$dir/key.pem", '-pubout', '-out', "$dir/key.pub");
}

sub _key ($file) { return _run(qw(ecparam -genkey -noout -name prime256v1 -out), $file) }

sub _signed ($dir, $name, $extension, $days) {
    open my $file, '>', "$dir/$name.ext" or die "$name.ext: $!";
    print {$file} "$extension\n";
    close $file;
    _run('req', '-new', '-key', "$dir/$name.key", '-out', "$dir/$name.csr", '-subj', "/CN=$name");
    return _run('x509', '-req', '-in', "$dir/$name.csr", '-CA', "$dir/ca.pem", '-CAkey', "$dir/ca.key",
        '-CAcreateserial', '-out', "$dir/$name.pem", '-days', $days, '-extfile', "$dir/$name.ext");
}

sub _run (@arguments) {
    open my $pipe, '-|', 'sh', '-c', 'exec openssl "$@" 2>&1', 'openssl', @arguments or die "openssl: $!";
    my $text = join '', <$pipe>;
    close $pipe or die "openssl @arguments:\n$text";
    return;
}

1;
