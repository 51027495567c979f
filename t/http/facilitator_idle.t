# SPDX-License-Identifier: Apache-2.0
# Idle connections of the http client burden no other: nginx gets them back
# when it runs out, and a quit does not wait for them.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { worker_connections 64; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /       { root %%DIR%%/html; }
        location /free/  { x402 off; alias %%DIR%%/html/; }
    }
}
EOF
$t->write('html/a', "SECRET\n");
$t->start;

# --- idle connections give way

$f->wait_calls(supported => 1);
$f->verify('hold');
$f->forget;
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/a', headers => pay_with($t, '/a'), close => 1);
    $c;
} 1 .. 20;
$f->wait_calls(verify => 20);
$f->verify('ok');
$f->release;
is scalar(grep { $_->answer->status == 200 } @clients), 20, 'twenty at once';
$_->hang_up for @clients;
is $f->open_connections, 20, 'twenty connections are kept';

$t->allow(qr/worker_connections are not enough/);
@clients = map { my $c = $t->connect; $c->request(GET => '/free/a'); $c } 1 .. 55;
ok $t->wait_for(sub { $f->open_connections < 20 }), 'where clients need the room, some are given back';
is $clients[-1]->request(GET => '/free/a')->status, 200, 'clients are served';
$_->hang_up for @clients;
is_content paid($t, '/a'), "SECRET\n", 'and payments go on';

# --- a quit

my $start = time;
is $t->quit, 0, 'a quit';
cmp_ok time - $start, '<', 20, 'does not wait for idle connections';
ok $t->wait_for(sub { !$f->open_connections }), 'and closes them';
$t->start;
is_content paid($t, '/a'), "SECRET\n", 'a payment';
my @old = $t->reload;
ok $t->wait_exit(@old), 'a reload';
ok $t->wait_for(sub { !$f->open_connections }), 'closes them, too';
$f->forget;
$f->settle('hold');
my $c = $t->connect;
$c->write_request(GET => '/a', headers => pay_with($t, '/a'));
$f->wait_calls(settle => 1);
@old = $t->reload;
sleep 0.7;
is scalar(grep { -d "/proc/$_" } @old), 1, 'a worker with a call stays';
$f->settle('paid');
$f->release;
is $c->answer->status, 200, 'a settle on its way is finished';
$c->hang_up;
ok $t->wait_exit(@old), 'the worker goes then';
ok $t->wait_for(sub { !$f->open_connections }), 'and what it used is closed';

finish;
