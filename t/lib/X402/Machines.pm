# SPDX-License-Identifier: Apache-2.0
package X402::Machines;

# What the tests of several machines with one store have in common.
#
#     my $conf = machines_conf('timeout=5s lease=3s');   # words of x402_store
#     my $conf = machines_conf('timeout=2s', patient => 1, main => 'worker_processes 2;', http => 'x402_extension ...;');
#     my ($one, $two) = machines($conf, $f, $up, [ $redis->url, $cut->url ], files => { 'seal.key' => $key });
#     my $answer = finally($t, $path, $payment);         # the first that is not "come again"

use v5.36;
use Exporter 'import';
use X402::Port;
use X402::Test;
our @EXPORT = qw(machines_conf machines finally);

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

# Machines of one shop: an nginx for each store, at 127.0.0.1, .2 and so on, with one port, started. A store is
# its address, or more holes: { STORE => $url, TIMEOUT => '20s' }. `files`: what each has, readable for its owner.
# `start`: 0 leaves that to the caller.
sub machines ($conf, $facilitator, $backend, $stores, %other) {
    my ($port, $number, @machines) = (X402::Port::reserve(), 0);
    for my $store (@$stores) {
        my $machine = nginx($conf, facilitator => $facilitator, backend => $backend, port => $port,
            address => '127.0.0.' . ++$number, holes => ref $store ? $store : { STORE => $store });
        my $files = $other{files} // {};
        chmod 0600, $machine->write($_, $files->{$_}) for keys %$files;
        $machine->start if $other{start} // 1;
        push @machines, $machine;
    }
    return @machines;
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
