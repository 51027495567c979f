# SPDX-License-Identifier: Apache-2.0
# More calls at once than one engine of libcurl carries.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
worker_rlimit_nofile 4096;
events { worker_connections 4096; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout verify=150s settle=150s;
    x402_facilitator_max_calls 4096;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /file { x402_price $0.01; alias %%DIR%%/file; }
    }
}
EOF
$t->write('file', "SECRET\n");
$t->start;

my $number = 600;
my $offer  = unpaid($t, '/file');
$f->verify('hold');
my @clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/file', headers => [ header_of(payment($offer)) ]);
    $c;
} 1 .. $number;
ok $f->wait_count(verify => $number, 120), "$number are verified at once";
$f->verify('ok');
$f->release;
my @answers = map { $_->answer } @clients;
is scalar(grep { $_->status == 200 && $_->body eq "SECRET\n" } @answers), $number, 'all are served';
is $f->calls('settle'), $number, 'each is settled, once';

# Some leave while they are asked about: the others get their own answers.
$f->forget;
$f->verify('hold');
@clients = ();
@clients = map {
    my $c = $t->connect;
    $c->write_request(GET => '/file', headers => [ header_of(payment($offer)) ]);
    $c;
} 1 .. $number;
ok $f->wait_count(verify => $number, 120), "$number more";
$t->leave($_) for @clients[ 0 .. 9, 590 .. 599 ];
$f->verify('ok');
$f->release;
@answers = map { $_->answer } @clients[ 10 .. 589 ];
is scalar(grep { $_->status == 200 } @answers), $number - 20, 'those who stayed are served';
is $f->calls('settle'), $number - 20, 'and they alone are charged';

finish;
