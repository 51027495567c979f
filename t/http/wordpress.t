# SPDX-License-Identifier: Apache-2.0
# conf-examples/wordpress.conf: one request goes through several locations with the
# same price, is asked for once and paid once.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX ();
use POSIX ();
use X402::Guard;
use X402::Test;

my @replacements = (
    [ "user  www-data;\n"                             => '' ],
    [ "error_log  /var/log/nginx/error.log notice;\n" => '' ],
    [ "load_module  modules/ngx_http_x402_module.so;" => '%%GLOBALS%%' ],
    [ "\nhttp {\n"                                    => "\nhttp {\n    %%HTTP%%\n" ],
    [ 'listen       80;'                              => 'listen 127.0.0.1:%%PORT%%;' ],
    [ 'https://x402.org/facilitator;'                 => '%%FACILITATOR%%;' ],
    [ '/run/php/php-fpm.sock'                         => '%%DIR%%/php.sock' ],
    [ '/srv/www'                                      => '%%DIR%%/html' ],
);
open my $file, '<', "$FindBin::Bin/../../conf-examples/wordpress.conf" or die $!;
my $text = join '', <$file>;
for (@replacements) {
    my ($from, $to) = @$_;
    ok $text =~ s/\Q$from\E/$to/g, "is in the usual form: $from" =~ s/\n//gr;
}

my $f = facilitator();
my $t = nginx($text, facilitator => $f);
$t->write('mime.types', "types { text/html html; }\n");
$t->write('fastcgi_params', join '', map {"fastcgi_param $_->[0] $_->[1];\n"}
    [ QUERY_STRING => '$query_string' ], [ REQUEST_URI => '$request_uri' ], [ REQUEST_METHOD => '$request_method' ]);
$t->write('html/index.php', '');
$t->write('html/wp-login.php', '');
$t->write('html/wp-admin/index.php', '');
$t->write('html/wp-content/style.css', "style\n");

# PHP, as far as this test goes: each script says the same (FastCGI, one request a connection).
my $socket = IO::Socket::UNIX->new(Local => $t->dir . '/php.sock', Listen => 10) or die "php.sock: $!";
my $php = fork // die "fork: $!";
if (!$php) {
    $SIG{TERM} = 'DEFAULT';
    while (my $c = $socket->accept) { serve($c); close $c }
    POSIX::_exit(0);
}
my $guard = X402::Guard->new($php);
$t->start;

sub serve ($c) {
    while (my ($type, $content) = record($c)) {
        last if $type == 5 && $content eq '';    # the end of the request body
    }
    my $answer = "Content-Type: text/html\r\n\r\nSECRET\n";
    print {$c} pack('CCnnCC', 1, 6, 1, length $answer, 0, 0), $answer, pack('CCnnCC', 1, 6, 1, 0, 0, 0),
        pack('CCnnCC', 1, 3, 1, 8, 0, 0), "\0" x 8;
    return;
}

sub record ($c) {
    read($c, my $head, 8) == 8 or return;
    my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $head;
    my $content = '';
    read $c, $content, $length;
    read $c, my $rest, $padding if $padding;
    return ($type, $content);
}

for my $path ('/2026/an-article/', '/?p=1', '/index.php', '/index.php?p=1', '/wp-content/../?p=1', '/wp-admin/../?p=1',
    '/wp-admin/%2e%2e/', '/wp-admin/../index.php', '//', '/')
{
    my $r = $t->get($path);
    is $r->status, 402, "$path: costs";
    is +(offer($r) // { accepts => [ {} ] })->{accepts}[0]{amount}, '20000', "$path: two cents";
    no_trace $r, 'SECRET', "$path: no article";
    $f->forget;
    is_content paid($t, $path), "SECRET\n", "$path: paid";
    is $f->order, 'verify settle', "$path: once";
}
for my $path ('/wp-login.php', '/wp-login.php?action=logout', '/wp-admin/', '/wp-admin/index.php') {
    my $r = $t->get($path);
    is $r->status . $r->body, "200SECRET\n", "$path: free";
}
is $t->get('/wp-content/style.css')->body, "style\n", 'files of the theme are free';

kill TERM => $php;
waitpid $php, 0;
$guard->disarm;
finish;
