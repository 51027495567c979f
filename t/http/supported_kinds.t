# SPDX-License-Identifier: Apache-2.0
# What is for sale and not listed by the facilitator is told in the log, once,
# with the spelling that it lists.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my $f = facilitator();
my $conf = <<'EOF';
worker_processes 2;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        root %%DIR%%/html;
        location /a/ { x402_network base-sepolia; x402_price $0.01; }
        location /b/ { x402_network polygon; x402_price $0.01; }
        %%MORE%%
    }
}
EOF
my $t = nginx($conf, facilitator => $f, holes => { MORE => '' });
$t->write("html/$_/a", "SECRET\n") for qw(a b);

my $listed = qr/does not list/;
$f->supported(headers => [ 'Cache-Control' => 'max-age=1' ]);
$t->start;
ok $f->wait_calls(supported => 2), 'asked';
$t->log_unlike($listed, 'all kinds are listed: no line');

# EVM exact needs nothing from the facilitator
$f->supported(headers => [ 'Cache-Control' => 'max-age=1' ], kinds => [
    [ 1, 'exact', 'polygon' ], [ 2, 'exact', 'eip155:84532' ] ]);
my $line = qr/\[warn\].* x402: facilitator "\Q@{[ $f->url ]}\E" does not list scheme "exact" on "eip155:137" in x402 version 2, which is for sale here; it lists scheme "exact" on "polygon" in x402 version 1/;
$t->log_like($line, 'one that is missing is told, with what is listed');
$f->forget;
$f->wait_calls(supported => 2);
is $t->log_count($listed), 1, 'once for an answer, not for each worker and question';
is_content paid($t, '/b/a'), "SECRET\n", 'and sold all the same';
$t->wait_exit($t->reload);
$f->forget;
$f->wait_calls(supported => 1);
is $t->log_count($listed), 1, 'nor for a reload that changes nothing';

# another configuration is judged by what is known
$f->supported(kinds => [ [ 1, 'exact', 'polygon' ], [ 2, 'exact', 'eip155:84532' ] ]);
$t->{holes}{MORE} = 'location /c/ { x402_network celo; x402_accept amount=5 asset=0x036CbD53842c5426634e7929541eC2318f3dCF7e "extra={\"name\":\"a\",\"version\":\"1\"}"; }';
$t->conf($conf);
$t->wait_exit($t->reload);
$t->allow(qr/\[error\].* does not list scheme "exact" on "eip155:42220"/);
$t->log_like(qr/\[error\].* does not list scheme "exact" on "eip155:42220" in x402 version 2, which is for sale here(?! *;)/,
    'a location that is new, on a network that is listed in no version while other EVM networks are: an error');
is scalar(my @errors = $t->log =~ /\[error\]/g), $t->log_count(qr/\[error\].* does not list scheme "exact" on "eip155:42220"/),
    'and nothing else is';

# an answer too long to be kept is cut to what the configuration needs
my $told = $t->log_count($listed);
is $t->quit, 0, 'an end';
$f->forget;
$f->supported(kinds => [ map({ [ 2, 'exact', "eip155:$_" ] } 900_000 .. 900_600),
    map { [ 2, 'exact', "eip155:$_" ] } 84532, 137, 42220 ]);
$t->start;
ok $f->wait_calls(supported => 1), 'a long answer';
sleep 1.3;
is $f->calls('supported'), 1, 'is kept, for all workers';
is $t->log_count($listed), $told, 'with all that is needed';
$t->{holes}{MORE} = '';
$t->conf($conf);
$t->wait_exit($t->reload);
ok $f->wait_calls(supported => 2), 'and asked for again when something else is needed';
sleep 1.3;
is $f->calls('supported'), 2, 'once';

finish;
