# SPDX-License-Identifier: Apache-2.0
# Connections to the facilitator. They are kept and used
# again, replaced when they have died, and given up at a deadline.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Socket qw(:DEFAULT IPPROTO_TCP TCP_MAXSEG);
use X402::Port;
use X402::Test;

# A listener whose queue is full: a new connection waits.
sub full_listener () {
    my $listener = X402::Port::socket_on(0);
    listen $listener, 0 or die "listen: $!";
    my @queue;
    for (1 .. 4) {
        socket my $client, AF_INET, SOCK_STREAM, 0 or die "socket: $!";
        $client->blocking(0);
        connect $client, getsockname $listener;
        push @queue, $client;
    }
    return ($listener, @queue);
}
my ($full, @queue) = full_listener();

# One that never reads, and takes little before that.
my $deaf = X402::Port::socket_on(0);
setsockopt $deaf, SOL_SOCKET, SO_RCVBUF, 2048 or die "SO_RCVBUF: $!";
setsockopt $deaf, IPPROTO_TCP, TCP_MAXSEG, 256 or die "TCP_MAXSEG: $!";
listen $deaf, 10 or die "listen: $!";

my $f = facilitator();
my %holes = (FULL => X402::Port::number($full), DEAF => X402::Port::number($deaf));
my $t = nginx(<<'EOF', facilitator => $f, holes => \%holes);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    large_client_header_buffers 4 100k;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /       { root %%DIR%%/html; }
        location /before/ { x402_settle before; alias %%DIR%%/html/; }
        location /hasty/ { x402_facilitator_timeout verify=500ms; alias %%DIR%%/html/; }
        location /full/  { x402_facilitator_timeout connect=400ms; x402_facilitator http://127.0.0.1:%%FULL%%; alias %%DIR%%/html/; }
        location /deaf/  { x402_facilitator_timeout verify=1s; x402_facilitator http://127.0.0.1:%%DEAF%%; alias %%DIR%%/html/; }
        location /deaf/before/ {
            x402_facilitator http://127.0.0.1:%%DEAF%%;
            x402_facilitator_timeout settle=1s;
            x402_settle before;
            alias %%DIR%%/html/;
        }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;
# What is asked in the background has a connection that is free by then.
$f->wait_calls(supported => 1);

# --- kept

is_content paid($t, '/a'), "SECRET\n", 'a payment' for 1 .. 20;
is $f->connections, 1, 'forty calls on one connection';
is $f->order, join(' ', ('verify settle') x 20), 'in order';

$f->verify('hold');
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/a', headers => pay_with($t, '/a'), close => 1);
    $c;
} 1 .. 20;
$f->wait_calls(verify => 40);
is $f->connections, 20, 'twenty at the same time: a connection each';
$f->verify('ok');
$f->release;
is scalar(grep { $_->answer->status == 200 } @clients), 20, 'all are served';
is_content paid($t, '/a'), "SECRET\n", 'and a payment' for 1 .. 10;
is $f->connections, 20, 'on those that are there';

# --- not kept

$f->close_idle;
$f->verify('last');
$f->settle('last');
$f->forget;
is_content paid($t, '/a'), "SECRET\n", 'Connection: close' for 1 .. 2;
is scalar(grep { $_->{reused} } $f->requests), 0, 'what was announced to be closed is not used';
$f->verify('ok');
$f->settle('paid');

# --- died while idle, all at once

is_content paid($t, '/a'), "SECRET\n", 'a payment';
$f->close_idle;
sleep 0.05;
$f->forget;
is_content paid($t, '/a'), "SECRET\n", 'idle connections have been closed';
is $f->order, 'verify settle', 'each call once';
is $f->connections, 1, 'on a new one';

# A verify on a connection that dies under it is asked again, once, and the
# payment goes on.
$f->forget;
$f->verify('stale');
is_content paid($t, '/a'), "SECRET\n", 'a verify on a connection that dies';
is $f->order, 'verify verify settle', 'is asked again';
$f->verify('ok');

# More than 3 s old: not good enough for settle.
sleep 4.1;
$f->forget;
is_content paid($t, '/before/a'), "SECRET\n", 'a connection that was idle for long';
is join(' ', map {"$_->{key} $_->{reused}"} $f->requests), 'settle 0', 'is not used to settle';

# --- deadlines

my $r = paid($t, '/full/a');
is $r->status, 504, 'no connection in time';
cmp_ok $r->seconds, '<', 4, 'at the deadline for connections';

my %large = (change => { extensions => { padding => 'x' x 45000 } });
$r = paid($t, '/deaf/a', %large);
is $r->status, 504, 'a facilitator that does not read';
ok $r->seconds > 0.8 && $r->seconds < 4, 'at the deadline';
$r = paid($t, '/deaf/before/a', %large);
is $r->status, 503, 'a settle that was sent in part';
is $r->body, '{"error":"settlement_unknown","charged":"unknown"}', 'is unknown';

$f->forget;
$f->settle(half => 150);
is paid($t, '/a')->status, 503, 'half an answer';
$f->settle('paid');
$f->verify('hold');
$f->forget;
$r = paid($t, '/hasty/a');
is $r->status, 504, 'no answer in time';
ok $f->wait_gone('verify'), 'the connection is closed';
$f->verify(invalid => 'insufficient_funds');
$f->release;
$r = paid($t, '/a');
is offer($r)->{error}, 'insufficient_funds', 'and its late answer reaches no call';
$f->verify('ok');

# --- a client that leaves closes the connection of its verify

$f->verify('hold');
$f->forget;
my $c = $t->connect;
$c->write_request(GET => '/a', headers => pay_with($t, '/a'));
$f->wait_calls(verify => 1);
$c->abort;
ok $f->wait_gone('verify'), 'an abandoned verify is given up';
$f->verify('ok');
is_content paid($t, '/a'), "SECRET\n", 'the next one is not disturbed';

finish;
