# SPDX-License-Identifier: Apache-2.0
# x402_store: what nginx -t accepts and refuses. It never connects.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $frame = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    LINE
    x402_facilitator http://127.0.0.1:1;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; MORE }
    }
}
EOF
my $t = nginx($frame);
$t->allow(qr/emerg/);

sub text_of ($line, $more = '') { return $frame =~ s/LINE/$line/r =~ s/MORE/$more/r }

sub refused ($line, $says, $more = '') {
    my $text = $t->config_error(text_of($line, $more));
    ok +($text =~ /\[emerg\].*$says.* in \S*tested\.conf:\d+/), "refused: $line $more" or diag $text || 'accepted';
    return;
}

sub passes ($line, $more = '') {
    my ($text, $passed) = $t->test_config(text_of($line, $more));
    ok $passed, "passes: $line $more" or diag $text;
    return;
}

my $password = $t->write('redis.pw', "secret\n");
chmod 0600, $password;
my $two = $t->write('two.pw', "a\nb\n");
chmod 0600, $two;

# Nothing listens there, and -t does not look.
my $dead = '127.0.0.1:' . X402::Port::reserve();
passes "x402_store redis://$dead;";
passes "x402_store redis://shop\@$dead/3 timeout=200ms lease=30s prefix=shop password=$password;";
passes "x402_store redis://no.such.host.invalid;";
passes 'x402_store rediss://redis.example.com:6380;';
passes 'x402_store off;';
passes "x402_store redis://$dead,redis.example.com:7000 cluster replicas=2;";
passes "x402_store sentinel://s1,s2:26380,[::1]:26381/shop replicas=1;";
passes "x402_store sentinels://shop\@s1/shop/2 password=$password sentinel_user=s sentinel_password=$password;";
passes "x402_store redis://$dead;", 'x402_settle before;';

refused 'x402_store;',                          'invalid number of arguments';
refused 'x402_store http://a;',                 'write redis://host:port';
refused 'x402_store redis+sentinel://a/m;',      'write sentinel://host:26379';
refused 'x402_store sentinel://a:26379;',        'asked for a master by its name';
refused 'x402_store sentinel://a,/m;',           'is not a host with a port';
refused 'x402_store sentinel://a/m/x;',          'is not the number of a database';
refused 'x402_store sentinel://a/m cluster;',    'a cluster has no sentinels';
refused "x402_store sentinel://a/m sentinel_user=u;", 'write sentinel_password=file';
refused "x402_store redis://a sentinel_password=$password;", 'are for sentinels';
refused 'x402_store redis://a,b;',               'add "cluster"';
refused 'x402_store redis://a/1 cluster;',       'has database 0 alone';
refused 'x402_store redis://a:b@c;',            'password=file';
refused 'x402_store redis://$host;',            'takes no variables';
refused 'x402_store redis://a cluster=1;',      '"cluster=1" cannot be used; write cluster, replicas=number';
refused 'x402_store redis://a replicas=0;',     'write replicas=1';
refused 'x402_store redis://a replicas=17;',    'write replicas=1';
refused 'x402_store redis://a replicas;',       'write cluster, replicas=number';
refused 'x402_store redis://a wait=1;',         '"wait=1" cannot be used; write cluster';
refused 'x402_store redis://a cluster cluster;',  'cluster is written twice';
refused 'x402_store redis://a timeout=1s timeout=2s;', 'timeout= is written twice';
refused 'x402_store redis://a timeout=;',       'write timeout=200ms';
refused 'x402_store redis://a timeout=0;',      'write timeout=200ms';
refused 'x402_store redis://a lease=1s;',       'write lease=90s';
refused 'x402_store redis://a prefix=;',        'write prefix=x402';
refused 'x402_store redis://a prefix=a/b;',     'write prefix=x402';
refused 'x402_store redis://u@a;',              'needs a password';
refused 'x402_store redis://a password=/none;', '/none';
refused "x402_store redis://a password=$two;",  'has to be one line';
refused "x402_store redis://a ssl_trusted_certificate=$password;",  'write rediss://';
refused "x402_store rediss://a ssl_trusted_certificate=$password;", 'no certificates can be read';
refused 'x402_store off timeout=1s;',           'has no parameters';
refused 'x402_store off; x402_store redis://a;', 'is duplicate';

# Money: where no chain keeps a payment from being used twice.
refused 'x402_store redis://a;', 'may lose records that it has acknowledged', 'x402_settle off;';
passes 'x402_store off;', 'x402_settle off;';

finish;
