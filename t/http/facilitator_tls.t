# SPDX-License-Identifier: Apache-2.0
# https facilitators: the certificate is checked, against the file the operator
# names, and nothing is sent to a server that cannot prove who it is.
# Runs with both transports.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Certificates;
use X402::Test;

my $f = facilitator();
# nginx itself is the TLS end of the fake facilitator.
my $t = nginx(<<'EOF', facilitator => $f);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    lingering_timeout 100ms;    # both ends of the TLS connections live in this process
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_facilitator_ssl_trusted_certificate %%DIR%%/ca.pem;
        location /good/    { x402_facilitator https://127.0.0.1:%%PORT_good%%; alias %%DIR%%/html/; }
        location /name/    { x402_facilitator https://localhost:%%PORT_good%%; alias %%DIR%%/html/; }
        location /expired/ { x402_facilitator https://127.0.0.1:%%PORT_expired%%; alias %%DIR%%/html/; }
        location /other/   { x402_facilitator https://127.0.0.1:%%PORT_other%%; alias %%DIR%%/html/; }
        location /self/    { x402_facilitator https://127.0.0.1:%%PORT_self%%; alias %%DIR%%/html/; }
        location /system/  {
            x402_facilitator_ssl_trusted_certificate %%DIR%%/self.pem;
            x402_facilitator https://127.0.0.1:%%PORT_good%%;
            alias %%DIR%%/html/;
        }
        location /open/    { x402_facilitator_ssl_verify off; x402_facilitator https://127.0.0.1:%%PORT_self%%; alias %%DIR%%/html/; }
        location /plain/   { x402_facilitator https://127.0.0.1:%%PORT_plain%%; alias %%DIR%%/html/; }
        location /down/    { x402_facilitator https://127.0.0.1:%%PORT_down%%; alias %%DIR%%/html/; }
    }

    server { x402 off; listen 127.0.0.1:%%PORT_good%% ssl http2; ssl_certificate %%DIR%%/good.pem; ssl_certificate_key %%DIR%%/good.key; location / { proxy_pass %%FACILITATOR%%; } }
    server { x402 off; listen 127.0.0.1:%%PORT_expired%% ssl; ssl_certificate %%DIR%%/expired.pem; ssl_certificate_key %%DIR%%/expired.key; location / { proxy_pass %%FACILITATOR%%; } }
    server { x402 off; listen 127.0.0.1:%%PORT_other%% ssl; ssl_certificate %%DIR%%/other.pem; ssl_certificate_key %%DIR%%/other.key; location / { proxy_pass %%FACILITATOR%%; } }
    server { x402 off; listen 127.0.0.1:%%PORT_self%% ssl; ssl_certificate %%DIR%%/self.pem; ssl_certificate_key %%DIR%%/self.key; location / { proxy_pass %%FACILITATOR%%; } }
    server { x402 off; listen 127.0.0.1:%%PORT_down%% ssl; ssl_certificate %%DIR%%/good.pem; ssl_certificate_key %%DIR%%/good.key; location / { return 307 http://127.0.0.1:%%PORT_plain%%$request_uri; } }
    server { x402 off; listen 127.0.0.1:%%PORT_plain%%; location / { proxy_pass %%FACILITATOR%%; } }
}
EOF
X402::Certificates::make($t->dir);
$t->write('html/a', "SECRET\n");
$t->start;

is_content paid($t, '/good/a'), "SECRET\n", 'a certificate of the named authority';
is_content paid($t, '/name/a'), "SECRET\n", 'by name';
is $f->order, 'verify settle verify settle', 'asked as usual';
is_content paid($t, '/good/a'), "SECRET\n", 'another payment' for 1 .. 3;

for my $case ([ '/expired/a', 'expired' ], [ '/other/a', 'for another host' ], [ '/self/a', 'by an unknown authority' ],
    [ '/system/a', 'an authority that is not named' ], [ '/plain/a', 'no TLS at all' ])
{
    my ($path, $name) = @$case;
    $f->forget;
    my $r = paid($t, $path);
    is $r->status, 502, "$name: 502";
    is $r->body, '{"error":"facilitator_failed","charged":false}', "$name: the fixed word";
    no_trace $r, 'SECRET', "$name: no content";
    is $f->calls, 0, "$name: nothing was sent";
    is_content paid($t, '/good/a'), "SECRET\n", "$name: the next payment elsewhere is not harmed";
}
$t->log_like(qr/certificate/, 'the log says why');

is_content paid($t, '/open/a'), "SECRET\n", 'x402_facilitator_ssl_verify off';

# Money is never sent from https to http.
$f->forget;
my $before = $t->log_count(qr/\[crit\]/);
is paid($t, '/down/a')->status, 502, 'a redirect from https to http is refused';
is $f->calls, 0, 'nothing was sent';
ok $t->wait_for(sub { $t->log_count(qr/\[crit\]/) > $before }), 'crit in the log';

finish;
