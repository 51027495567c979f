# SPDX-License-Identifier: Apache-2.0
# Connections to an https facilitator. They are kept and used again, a new one
# resumes the session of an older one, and what dies on the way is told apart as
# over plain TCP: nothing sent, or unknown.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Certificates;
use X402::Port;
use X402::Test;

# It accepts, by its queue, and never says a word.
my $mute = X402::Port::socket_on(0);
listen $mute, 64 or die "listen: $!";

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f, holes => { MUTE => X402::Port::number($mute) });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    large_client_header_buffers 4 100k;
    lingering_close off;
    log_format tls '$server_port $uri $connection $ssl_session_reused';
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_facilitator_ssl_trusted_certificate %%DIR%%/ca.pem;
        location /kept/   { x402_facilitator https://127.0.0.1:%%PORT_kept%%; alias %%DIR%%/html/; }
        location /once/   { x402_facilitator https://127.0.0.1:%%PORT_once%%; alias %%DIR%%/html/; }
        location /mute/   { x402_facilitator https://127.0.0.1:%%MUTE%%; x402_facilitator_timeout connect=600ms verify=2s; alias %%DIR%%/html/; }
        location /gone/   { x402_facilitator https://127.0.0.1:%%PORT_gone%%; alias %%DIR%%/html/; }
        location /gone/before/ {
            x402_facilitator https://127.0.0.1:%%PORT_gone%%;
            x402_settle before;
            alias %%DIR%%/html/;
        }
        location /moved/  { x402_facilitator http://127.0.0.1:%%PORT_moved%%; alias %%DIR%%/html/; }
    }

    # The TLS ends of the fake facilitator.
    ssl_certificate %%DIR%%/good.pem;
    ssl_certificate_key %%DIR%%/good.key;
    ssl_session_cache shared:tls:1m;
    server {
        x402 off;
        listen 127.0.0.1:%%PORT_kept%% ssl;
        access_log %%DIR%%/logs/tls.log tls;
        client_body_buffer_size 128k;
        location / { proxy_pass %%FACILITATOR%%; }
    }
    server {
        x402 off;
        listen 127.0.0.1:%%PORT_once%% ssl;
        access_log %%DIR%%/logs/tls.log tls;
        keepalive_requests 1;
        location / { proxy_pass %%FACILITATOR%%; }
    }
    server {
        x402 off;
        listen 127.0.0.1:%%PORT_gone%% ssl;
        access_log %%DIR%%/logs/tls.log tls;
        location / { proxy_pass %%FACILITATOR%%; }
        location /settle { return 444; }
    }
    server { x402 off; listen 127.0.0.1:%%PORT_moved%%; location / { return 307 https://127.0.0.1:%%PORT_kept%%$request_uri; } }
}
EOF
X402::Certificates::make($t->dir);
$t->write('html/a', "SECRET\n");
$t->start;
$f->wait_calls(supported => 4);    # what is asked in the background has its own connections

# What payments asked of the TLS end on that port since this was called last, as
# soon as that is so much: path, number of the connection, session resumed.
my %seen;
sub ended ($name, $count) {
    my $port  = $t->port($name);
    my $path  = $t->dir . '/logs/tls.log';
    my $known = $seen{$name} // 0;
    my @lines;
    $t->wait_for(sub {
        open my $file, '<', $path or return 0;
        @lines = map { s/\A$port //r } grep {m{\A$port /(?:verify|settle) .*\n}} <$file>;
        return @lines >= $known + $count;
    });
    $seen{$name} = @lines;
    return map { [ split ' ' ] } @lines[ $known .. $#lines ];
}

is_content paid($t, '/kept/a'), "SECRET\n", 'a payment' for 1 .. 5;
my %kept = map { $_->[1] => 1 } ended(kept => 10);
is scalar(keys %kept), 1, 'ten calls on one connection';

my %large = (change => { extensions => { padding => 'x' x 45000 } });
is_content paid($t, '/kept/a', %large), "SECRET\n", 'a payment of 60 KB';
is_deeply [ map { $_->[1] } ended(kept => 2) ], [ (keys %kept) x 2 ], 'whole, on the same connection';

is_content paid($t, '/once/a'), "SECRET\n", 'a facilitator that keeps no connection' for 1 .. 3;
my @once = ended(once => 6);
my %once = map { $_->[1] => 1 } @once;
is scalar(keys %once), 6, 'a new one for each call';
is_deeply [ map { $_->[2] } @once[ 1 .. 5 ] ], [ ('r') x 5 ], 'the first session is resumed';

my $r = paid($t, '/mute/a');
is $r->status, 504, 'no handshake in time';
cmp_ok $r->seconds, '<', 20, 'at a deadline';
is $r->body, '{"error":"facilitator_timeout","charged":false}', 'not charged';

$f->forget;
$r = paid($t, '/gone/a');
is $r->status, 503, 'a settle whose connection dies';
is $r->body, '{"error":"settlement_unknown","charged":"unknown"}', 'is unknown';
is_deeply [ map { $_->[0] } ended(gone => 2) ], [ '/verify', '/settle' ], 'and was sent once';
$r = paid($t, '/gone/before/a');
is $r->status, 503, 'so it is on a connection of its own';
is_deeply [ map { $_->[0] } ended(gone => 1) ], ['/settle'], 'sent once';

is_content paid($t, '/moved/a'), "SECRET\n", 'http that redirects to https' for 1 .. 2;
is scalar(ended(kept => 4)), 4, 'is asked there';

finish;
