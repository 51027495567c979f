# SPDX-License-Identifier: Apache-2.0
package X402::Machines;

# What the tests of several machines with one store have in common.
#
#     my $conf = machines_conf('timeout=5s lease=3s');   # words of x402_store
#     my $conf = machines_conf('timeout=2s', patient => 1, main => 'worker_processes 2;', http => 'x402_extension ...;');
#     my $t = nginx($conf, ..., holes => { STORE => $redis->url });
#     my $answer = finally($t, $path, $payment);         # the first that is not "come again"
#     my ($one, $two, $cut) = two_machines($conf, $redis, facilitator => $f, backend => $up);

use v5.36;
use Exporter 'import';
use X402::Port;
use X402::StoreProxy;
use X402::Test;
our @EXPORT = qw(machines_conf two_machines finally);

# A paid server with /after/, /before/ and the rest, which settles after content.
# nginx: a prefix that ends with a slash would redirect /before.
# `patient`: a facilitator that does not answer is asked again nevertheless.
# `address`: of the server; %%ADDRESS%% where each machine has its own.
# `locations`: more of them.
sub machines_conf ($words, %other) {
    my $facilitator = !$other{patient} ? 'x402_facilitator %%FACILITATOR%%;'
        : 'x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; } x402_facilitator patient;';
    my ($main, $http, $address) = ($other{main} // '', $other{http} // '', $other{address} // '%%ADDRESS%%');
    my $locations = $other{locations} // '';
    return <<"EOF";
%%GLOBALS%%
$main
events { }
http {
    %%HTTP%%
    x402_store %%STORE%% $words;
    $facilitator
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price \$0.01;
    $http
    server {
        listen $address:%%PORT%%;
        location /           { proxy_pass http://%%BACKEND%%; }
        location ~ ^/before/ { x402_settle before; proxy_pass http://%%BACKEND%%; }
        $locations
    }
}
EOF
}

# Two machines of one name and port, with one seal.key, and what stands between
# the second one and the store (X402::StoreProxy).
sub two_machines ($conf, $redis, %peers) {
    my $cut  = X402::StoreProxy->new($redis->port);
    my $port = X402::Port::reserve();
    my @both = map {
        my ($number, $store) = @$_;
        my $t = nginx($conf, %peers, port => $port, address => "127.0.0.$number", holes => { STORE => $store });
        chmod 0600, $t->write('seal.key', 'a' x 64 . "\n");
        $t->start;
    } [ 1, $redis->url ], [ 2, $cut->url ];
    return (@both, $cut);
}

# Presents the payment until the answer is not "come again".
sub finally ($t, $path, $payment) {
    my $answer;
    $t->wait_for(sub {
        $answer = paid($t, $path, payment => $payment);
        return $answer->status != 409 && $answer->status != 503;
    });
    return $answer;
}

1;
