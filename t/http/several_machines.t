# SPDX-License-Identifier: Apache-2.0
# conf-examples/several-machines.conf, three times, with a store, and behind
# conf-examples/several-machines-balancer.conf: what is paid at one of them is
# used at all, and one that is killed is replaced by the others.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Redis;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $redis = X402::Redis->new(requirepass => 'a password');
my $port  = X402::Port::reserve();

sub example ($name, @replacements) {
    open my $file, '<', "$FindBin::Bin/../../conf-examples/$name" or die "$name: $!";
    my $text = do { local $/; <$file> };
    while (my ($from, $to) = splice @replacements, 0, 2) {
        ok $text =~ s/\Q$from\E/$to/, "$name: $from";
    }
    return $text;
}

my @usual = (
    "user  www-data;\n"                             => '',
    "error_log  /var/log/nginx/error.log notice;\n" => '',
    "\nhttp {\n"                                    => "\nhttp {\n    %%HTTP%%\n",
);
my $text = example('several-machines.conf', @usual,
    'load_module  modules/ngx_http_x402_module.so;' => '%%GLOBALS%%',
    'listen       80;'                              => 'listen %%ADDRESS%%:%%PORT%%;',
    'https://x402.org/facilitator;'                 => '%%FACILITATOR%%;',
    '127.0.0.1:3000'                                => '%%BACKEND%%',
    '10.0.0.0/8'                                    => '127.0.0.0/8',
    'redis://x402@10.0.0.5:6379'                    => $redis->url,
    'timeout=200ms'                                 => 'timeout=5s',
    '/etc/nginx/store.password'                     => '%%DIR%%/store.password',
    '/var/lib/nginx/x402.journal'                   => '%%DIR%%/x402.journal');
my @machines = map {
    my $t = nginx($text, facilitator => $f, backend => $up, port => $port, address => "127.0.0.$_");
    chmod 0600, $t->write('store.password', "a password\n");
    $t;
} 11 .. 13;
my ($said, $passes) = $machines[0]->test_config($text);
ok $passes, 'nginx -t' or diag $said;
unlike $said, qr/\[warn\]/, 'without a warning';
$_->start for @machines;

my $balancer = nginx(example('several-machines-balancer.conf', @usual,
    'events {'         => "%%GLOBALS%%\nevents {",
    'listen       80;' => 'listen 127.0.0.1:%%PORT%%;',
    map { ("10.0.0.$_:80" => "127.0.0.$_:$port") } 11 .. 13))->start;

my @client = (host => 'api.example.com');
for my $number (1 .. 6) {
    $_->forget for $f, $up;
    my $payment = payment(unpaid($balancer, "/$number", @client));
    is_content paid($balancer, "/$number", @client, payment => $payment), "answer to /$number\n", "payment $number is good";
    is paid($balancer, "/$number", @client, payment => $payment)->status, 402, 'once' for 1 .. 3;
    is $f->order . ' ' . $up->hits, 'verify settle 1', 'and was settled once';
}

# In flight at one of them, it is in use at all.
$f->forget;
$f->settle('hold');
my $payment = payment(unpaid($balancer, '/waits', @client));
my $c = $balancer->connect;
$c->write_request(GET => '/waits', @client, headers => [ header_of($payment) ]);
$f->wait_calls(settle => 1);
is paid($_, '/waits', @client, payment => $payment)->status, 409, 'in use, wherever it is presented' for @machines;
$f->settle('paid');
$f->release;
is $c->answer->status, 200, 'and delivered by the one that has it';

# One that is gone is not missed.
$payment = payment(unpaid($machines[0], '/used', @client));
is paid($machines[0], '/used', @client, payment => $payment)->status, 200, 'sold by one of them';
ok $balancer->wait_for(sub { paid($machines[1], '/used', @client, payment => $payment)->status == 402 }), 'which tells the store';
$machines[0]->destroy;
is paid($balancer, '/used', @client, payment => $payment)->status, 402, 'which is gone: the others know what it sold' for 1 .. 3;
is paid($balancer, "/after/$_", @client)->status, 200, 'and sell' for 1 .. 3;

cmp_ok $redis->ask('DBSIZE'), '>=', 7, 'the store knows them';

finish;
