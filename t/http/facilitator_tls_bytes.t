# SPDX-License-Identifier: Apache-2.0
# What lies between TLS and the http client: bytes that TLS took may have left,
# and bytes that TLS still holds are not the answer to something else.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Open2 qw(open2);
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_MAXSEG);
use X402::Certificates;
use X402::Guard;
use X402::Port;
use X402::Test;

# Goes deaf: passes on what a client says first, which is enough for a handshake
# and a small question, and reads no more. Its socket takes little in advance.
my $deaf = X402::Port::socket_on(0);
setsockopt $deaf, SOL_SOCKET, SO_RCVBUF, 2048 or die "SO_RCVBUF: $!";
setsockopt $deaf, IPPROTO_TCP, TCP_MAXSEG, 256 or die "TCP_MAXSEG: $!";
listen $deaf, 64 or die "listen: $!";

my $f = facilitator();
my $t = nginx(<<'EOC', facilitator => $f, holes => { DEAF => X402::Port::number($deaf), WORDS => 'x' x 3900 });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    # In version 1 a facilitator is told the description: more than any socket takes in advance.
    map $host $four { default "%%WORDS%%"; }
    map $host $forty { default "$four$four$four$four$four$four$four$four$four$four"; }
    map $host $words { default "$forty$forty$forty$forty$forty$forty$forty$forty$forty$forty"; }
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_facilitator_ssl_trusted_certificate %%DIR%%/ca.pem;
        location /deaf/ {
            x402_facilitator https://127.0.0.1:%%DEAF%%;
            x402_facilitator_timeout connect=20s settle=2s;
            x402_settle before;
            x402_protocol v1;
            x402_description $words;
            alias %%DIR%%/html/;
        }
        location /more/ { x402_facilitator https://127.0.0.1:%%PORT_more%%; alias %%DIR%%/html/; }
    }
    server {
        x402 off;
        listen 127.0.0.1:%%PORT_tls%% ssl;
        ssl_certificate %%DIR%%/good.pem;
        ssl_certificate_key %%DIR%%/good.key;
        location / { proxy_pass %%FACILITATOR%%; }
    }
}
EOC
X402::Certificates::make($t->dir);
$t->write('html/a', "SECRET\n");

# Processes of this test, which end with it.
my @guards;
sub beside ($work) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        $SIG{$_} = 'DEFAULT' for qw(TERM ALRM);
        $work->();
        POSIX::_exit(0);
    }
    push @guards, [ $pid, X402::Guard->new($pid) ];
    return;
}
END {
    for (@guards) {
        kill TERM => $_->[0];
        waitpid $_->[0], 0;
        $_->[1]->disarm;
    }
}

# --- settle, when TLS took all and the network did not

sub relay ($client, $server) {
    my $left = 2000;    # of the client's bytes: a hello, and then 300 more
    my $spoken = 0;
    my %to = (fileno $client => $server, fileno $server => $client);
    while (1) {
        my $read = '';
        vec($read, fileno $server, 1) = 1;
        vec($read, fileno $client, 1) = 1 if $left > 0;
        select $read, undef, undef, undef;
        for my $from ($client, $server) {
            next if !vec $read, fileno $from, 1;
            my $bytes;
            my $n = sysread $from, $bytes, $from == $client ? $left : 65536 or return;
            syswrite $to{ fileno $from }, $bytes or return;
            if    ($from == $client) { $left -= $n }
            elsif (!$spoken++)       { $left = 300 }
        }
    }
}
my $tls = $t->port('tls');
beside(sub {
    local $SIG{CHLD} = 'IGNORE';
    while (accept my $client, $deaf) {
        next if fork // die "fork: $!";
        socket my $server, AF_INET, SOCK_STREAM, 0;
        connect $server, sockaddr_in($tls, INADDR_LOOPBACK) and relay($client, $server);
        POSIX::_exit(0);    # nginx has ended one of the two
    }
});

# --- an answer of so many bytes, and another one behind it in the same TLS record

my $evil = '0x' . 'e1' x 32;
my $good = '0x' . '60' x 32;

sub http ($json, $size = 0, $more = '') {
    my ($answer, $padding) = ('', 0);
    for (1 .. 3) {    # the length of the length is a part of it
        my $body = $json =~ s/\}\z/',"padding":"' . 'x' x $padding . '"}'/er;
        $answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${more}Content-Length: " . length($body) . "\r\n\r\n$body";
        $padding += $size - length $answer if $size;
    }
    return $answer;
}
sub settled ($transaction) { return qq({"success":true,"transaction":"$transaction","network":"eip155:84532"}) }

# The client reads 4 KB at a time. What stands behind the answer then is in TLS, and no socket shows it.
my $said = http('{"isValid":true}', 4096);
is length $said, 4096, 'an answer that is read at once';

sub reply_to ($what) {
    return http('{"kinds":[{"x402Version":2,"scheme":"exact","network":"eip155:84532"}]}', 0, "Connection: close\r\n")
        if $what eq 'supported';
    return $said . http(settled($evil)) if $what eq 'verify';
    return http(settled($good));
}
beside(sub {
    my $server = open2(my $out, my $in, 'openssl', 's_server', '-quiet', '-accept', '127.0.0.1:' . $t->port('more'),
        '-cert', $t->dir . '/good.pem', '-key', $t->dir . '/good.key');
    $SIG{TERM} = sub { kill TERM => $server; POSIX::_exit(0) };
    my $asked = '';
    while (sysread $out, $asked, 65536, length $asked) {
        next if $asked !~ m{\A\w+ \S*/(\w+) .*?\r\n\r\n}s;
        my ($what, $head) = ($1, $&);
        my $length = $head =~ /^Content-Length: (\d+)/mi ? $1 : 0;
        next if length $asked < length($head) + $length;
        $asked = '';
        syswrite $in, reply_to($what);
    }
});

my $listens = sprintf '0100007F:%04X 00000000:0000 0A', $t->port('more');
$t->wait_for(sub { open my $file, '<', '/proc/net/tcp' or return 0; grep {/ $listens /} <$file> });
$t->start;
$f->wait_calls(supported => 1);

my $r = $t->get('/deaf/a', headers => [ 'X-PAYMENT' => encoded({
    x402Version => 1, scheme => 'exact', network => 'base-sepolia',
    payload => { signature => random_hex(65), authorization => {
        from => random_hex(20), to => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C', value => '10000',
        validAfter => '0', validBefore => '' . int(time + 300), nonce => random_hex(32) } } }) ]);
is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', 'a settle that TLS took is unknown';
no_trace $r, 'SECRET', 'without content';
is $f->calls('settle'), 0, 'it never came';

$r = paid($t, '/more/a');
is_content $r, "SECRET\n", 'an answer with another one behind it';
is receipt($r)->{transaction}, $good, 'which answers nothing';

finish;
