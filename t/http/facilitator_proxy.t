# SPDX-License-Identifier: Apache-2.0
# A network with one way out: facilitators behind an HTTP proxy (CONNECT) or
# a SOCKS5 proxy. The certificate is the facilitator's own, end to end, its name
# is the proxy's to look up, and what a proxy says is never taken for an answer.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Certificates;
use X402::Proxy;
use X402::Test;

my $f     = facilitator();
my $http  = X402::Proxy->http('me', 'twowords');
my $open  = X402::Proxy->http;
my $socks = X402::Proxy->socks('me', 'secret');
my $dead  = dead_url();

my $conf = <<'CONF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    lingering_timeout 100ms;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_facilitator_ssl_trusted_certificate %%DIR%%/ca.pem;
        x402_facilitator https://localhost:%%PORT_good%%;
        %%PROXY%%
        location /https/  { alias %%DIR%%/html/; }
        location /plain/  { x402_facilitator %%FACILITATOR%%; alias %%DIR%%/html/; }
        location /other/  { x402_facilitator https://localhost:%%PORT_other%%; alias %%DIR%%/html/; }
        location /direct/ { x402_facilitator_proxy off; x402_facilitator https://127.0.0.1:%%PORT_good%%; alias %%DIR%%/html/; }
        location /socks/  { x402_facilitator_proxy %%SOCKS%% user=me password=%%DIR%%/secret; alias %%DIR%%/html/; }
        location /wrong/  { x402_facilitator_proxy %%HTTPPROXY%% user=me password=%%DIR%%/wrong; alias %%DIR%%/html/; }
        location /nobody/ { x402_facilitator_proxy %%HTTPPROXY%%; alias %%DIR%%/html/; }
        location /stranger/ { x402_facilitator_proxy %%SOCKS%%; alias %%DIR%%/html/; }
        location /dead/   { x402_facilitator_proxy %%DEAD%%; alias %%DIR%%/html/; }
        location /killed/ { x402_facilitator_proxy %%OPEN%%; alias %%DIR%%/html/; }
    }

    server { x402 off; listen 127.0.0.1:%%PORT_good%% ssl; ssl_certificate %%DIR%%/good.pem; ssl_certificate_key %%DIR%%/good.key; location / { proxy_pass %%FACILITATOR%%; } }
    server { x402 off; listen 127.0.0.1:%%PORT_other%% ssl; ssl_certificate %%DIR%%/other.pem; ssl_certificate_key %%DIR%%/other.key; location / { proxy_pass %%FACILITATOR%%; } }
}
CONF

my $t = nginx($conf, facilitator => $f, holes => {
    PROXY => '', HTTPPROXY => $http->url, OPEN => $open->url, SOCKS => $socks->url, DEAD => $dead,
});
X402::Certificates::make($t->dir);
$t->write('html/a', "SECRET\n");
chmod 0600, $t->write('password', "twowords\n");
chmod 0600, $t->write('secret', "secret\n");
chmod 0600, $t->write('wrong', "wrong\n");
$t->{holes}{PROXY} = 'x402_facilitator_proxy ' . $http->url . " user=me password=$t->{dir}/password;";
# A module without libcurl says so.
if ($t->config_error($conf) =~ /(a proxy needs libcurl.*)/) {
    like $1, qr/a proxy needs libcurl, and this module was built without it \(X402_CURL=no\)/, '-t says what is missing';
    done_testing;
    exit;
}
$t->conf($conf);
$t->start;

# --- through it

sub pays ($path, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $f->forget;
    is_content paid($t, $path), "SECRET\n", "$name: paid and served";
    is $f->order, 'verify settle', "$name: asked once each";
    return;
}
pays('/https/a', 'HTTP proxy, https facilitator');
like $http->log, qr/CONNECT localhost:@{[ $t->port('good') ]}/, 'the proxy looks up the name of the facilitator';
pays('/https/a', 'a kept connection');
pays('/plain/a', 'HTTP proxy, http facilitator');
like $http->log, qr/CONNECT 127\.0\.0\.1:@{[ $f->port ]}/, 'also in a tunnel';
unlike $http->log, qr/(?:POST|GET) /, 'the proxy sees no call';
pays('/socks/a', 'SOCKS5 proxy');
like $socks->log, qr/connected to localhost:@{[ $t->port('good') ]}/, 'it looks up the name of the facilitator, too';
my $calls = qr/CONNECT 127\.0\.0\.1:@{[ $t->port('good') ]}/;
pays('/direct/a', 'no proxy in a location of a server with one');
unlike $http->log, $calls, 'the proxy was not asked for that';

# --- not through it

sub fails ($path, $reason, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $f->forget;
    my $answer = paid($t, $path);
    is $answer->status, 502, "$name: 502";
    no_trace $answer, 'SECRET', "$name: no content";
    is $f->calls, 0, "$name: the facilitator was not asked";
    $t->log_like($reason, "$name: the log says why");
    return;
}
fails('/other/a', qr/SSL.*(?:no alternative certificate subject name matches|certificate)/i, 'a facilitator with a certificate for another host');
fails('/wrong/a', qr/CONNECT tunnel failed, response 40[17]/, 'a wrong password');
fails('/nobody/a', qr/407/, 'no password where one is asked for');
fails('/stranger/a', qr/No authentication method was acceptable/, 'no password for a SOCKS5 proxy');
fails('/dead/a', qr/(?:refused|connect)/i, 'no proxy there');
$t->log_unlike(qr/twowords|wrong\b.*password|secret\b/, 'no password in the log');

# --- a proxy that dies

$f->settle('hold');
my $payment = payment(unpaid($t, '/killed/a'));
my $client  = $t->connect;
$client->write_request(GET => '/killed/a', headers => [ 'PAYMENT-SIGNATURE' => $payment ]);
$f->wait_calls(settle => 1);
$open->kill;
my $answer = $client->answer;
is $answer->status, 503, 'the proxy dies while a payment is settled: 503';
like $answer->body, qr/settlement_unknown/, 'and the outcome is unknown, not refused';
no_trace $answer, 'SECRET', 'no content';

# --- who needs libcurl

# Its engine has descriptors of its own.
sub descriptors () {
    my ($worker) = $t->workers;
    return scalar(my @all = glob "/proc/$worker/fd/*");
}
$f->settle('paid');
$f->release;
my $plain = $conf =~ s/^ *location .*x402_facilitator_proxy (?!off).*\n//gmr;
$t->wait_exit($t->conf($plain =~ s/%%PROXY%%//r)->reload);
my $without = descriptors();
$t->wait_exit($t->conf($plain)->reload);
cmp_ok descriptors(), '>', $without, 'a worker starts libcurl where a proxy is written, and nowhere else';

# --- what is refused

sub refused ($words, $message) {
    local $t->{holes}{PROXY} = "x402_facilitator_proxy $words;";
    return like $t->config_error($plain), $message, "-t: x402_facilitator_proxy $words";
}
refused('https://proxy:3128', qr{must start with "http://" or "socks5://"});
refused('proxy:3128',         qr{must start with "http://" or "socks5://"});
refused('http://proxy/path',  qr/is not a host with a port/);
refused('http://me:secret@proxy:3128', qr/must not contain a user name or a password; write user= and password=/);
refused('http://proxy:3128 user=me',   qr/user= and password=file go together/);
refused("http://proxy:3128 password=$t->{dir}/secret", qr/user= and password=file go together/);
refused('http://proxy:3128 user=me password=/nowhere', qr{"/nowhere"});
refused('http://proxy:3128 user=a:b password=x', qr/"user=a:b" cannot be used; write user=name/);
refused('http://proxy:3128 timeout=5s', qr/"timeout=5s" cannot be used; write user=name and password=file/);
refused('off user=me', qr/off takes no further parameters/);
$t->write('empty', "\n");
chmod 0644, "$t->{dir}/empty";
refused("http://proxy:3128 user=me password=$t->{dir}/empty",
    qr{"\S+/empty" is accessible to users other than its owner \(mode 0644\); chmod it to 0600});
refused("http://proxy:3128 user=me password=$t->{dir}/empty", qr/empty" cannot be used: one line with the password is expected/);

finish;
