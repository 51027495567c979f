# SPDX-License-Identifier: Apache-2.0
# x402_status tells what the shop does: as a page, as JSON, and as metrics that
# promtool accepts. Counters are kept over reloads.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IPC::Open3 ();
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        location / { proxy_pass http://%%BACKEND%%; }
        location /named { x402_label "odd \"name\" \\ <b>"; proxy_pass http://%%BACKEND%%; }
        location /some { x402_label posts; x402_methods POST; proxy_pass http://%%BACKEND%%; }
        location /%%LONG%%/ { proxy_pass http://%%BACKEND%%; }
        location /shells { x402_label shells; x402_accept network=base-sepolia asset=0x1111111111111111111111111111111111111111 amount=1234567890123456789012 decimals=18 'extra={"name":"Shell","version":"1"}'; proxy_pass http://%%BACKEND%%; }
        location ~ \.php$ { proxy_pass http://%%BACKEND%%; }
        location = /status { x402_status; }
        location = /status.json { x402_status json; if ($arg_x) { set $seen 1; } }
        location = /status.html { x402_status html; }
        location = /metrics { x402_status prometheus; }
        location = /sold { x402 on; x402_status json; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { LONG => "\xc3\xa4" x 90 });
$up->on('*', body => "SECRET\n");
$t->start;

sub metrics (%options) { return $t->ask('GET', '/metrics', %options) }
sub value ($text, $series) { return $text =~ /^\Q$series\E (\S+)$/m ? $1 : undef }
sub shown ($series, $wanted, $name) {
    my $last;
    my $seen = $t->wait_for(sub { $last = value(metrics()->body, $series); return defined $last && $last eq $wanted });
    return ok($seen, $name) || diag "$series is " . ($last // 'missing');
}
sub at ($location, $rest) { return qq(nginx_x402_$rest) =~ s/\{/{server="shop.example",location="$location",/r }

# --- what is counted ------------------------------------------------------------

is_content paid($t, '/a'), "SECRET\n", 'paid';
unpaid($t, '/a');
$f->settle(refused => 'insufficient_funds');
is_refused paid($t, '/a'), 'refused';
$f->settle('close');
is paid($t, '/a')->status, 503, 'unknown';
$f->settle('paid');
$f->verify(status => 500);
is paid($t, '/a')->status, 502, 'failed';
$f->verify('valid');
is $t->ask('GET', '/some')->status, 200, 'free';
is_content paid($t, '/named', method => 'POST', body => 'x'), "SECRET\n", 'paid at a named location';

shown at('/', 'requests_total{state="settled"}'), 1, 'settled';
shown at('/', 'requests_total{state="challenged"}'), 5, 'challenged: one for each offer';
shown at('/', 'requests_total{state="refused"}'), 1, 'refused';
shown at('/', 'requests_total{state="unknown"}'), 1, 'unknown';
shown at('/', 'requests_total{state="failed"}'), 1, 'failed';
shown at('posts', 'requests_total{state="free"}'), 1, 'free';
shown at('/', 'refusals_total{reason="insufficient_funds"}'), 1, 'why it was refused';
shown at('/', 'refusals_total{reason="facilitator_failed"}'), 1, 'why it failed';
shown at('/', 'payments_seen_total{step="presented"}'), 4, 'presented';
shown at('/', 'payments_seen_total{step="verified"}'), 3, 'verified';
shown at('/', 'deliveries_total{outcome="delivered"}'), 1, 'delivered';
shown at('odd \"name\" \\\\ <b>', 'requests_total{state="settled"}'), 1, 'a label with odd characters';
shown at('/' . "\xc3\xa4" x 63, 'requests_total{state="settled"}'), 0, 'a long one, and no part of a letter';
my $url = $f->url;
shown qq(nginx_x402_settlements_total{facilitator="$url",outcome="paid"}), 2, 'settlements that were paid';
shown qq(nginx_x402_settlements_total{facilitator="$url",outcome="unknown"}), 1, 'and of unknown outcome';
shown qq(nginx_x402_facilitator_requests_total{facilitator="$url",endpoint="verify",code="500"}), 1, 'calls by status';
shown qq(nginx_x402_facilitator_request_duration_seconds_count{facilitator="$url",endpoint="verify"}), 5, 'and their durations';
shown qq(nginx_x402_facilitator_up{facilitator="$url"}), 1, 'the facilitator answers';
shown qq(nginx_x402_payments{state="unknown"}), 1, 'the payment in doubt';
shown 'nginx_x402_hold_duration_seconds_count', 4, 'how long responses were held';
my $revenue = 'network="eip155:84532",asset="USDC",server="shop.example",location="/"';
shown qq(nginx_x402_revenue_atomic_total{$revenue,pay_to="0x209693Bc6afc0C5328bA36FaF03C514EF312287C"}), 10000, 'revenue in atomic units';
shown qq(nginx_x402_revenue_total{$revenue}), 0.01, 'and in dollars';

# --- promtool ---------------------------------------------------------------------

sub promtool ($text) {
    my $pid = IPC::Open3::open3(my $in, my $out, undef, qw(promtool check metrics));
    print {$in} $text;
    close $in;
    local $/;
    my $said = <$out>;
    waitpid $pid, 0;
    return ($?, $said);
}
SKIP: {
    skip 'promtool is not installed (package prometheus)', 2 if !grep { -x "$_/promtool" } split /:/, $ENV{PATH};
    my ($code, $said) = promtool(metrics()->body);
    is $code, 0, 'promtool accepts the metrics' or diag $said;
    ($code, $said) = promtool("nginx_x402_wrong 1\n# TYPE nginx_x402_wrong counter\n");
    isnt $code, 0, 'and can refuse';
}

# --- which format -----------------------------------------------------------------

sub type_of ($path, $accept = undef) {
    my $answer = $t->ask('GET', $path, headers => [ defined $accept ? (Accept => $accept) : () ]);
    return $answer->status == 200 ? $answer->header('Content-Type') : $answer->status;
}
my $text = 'text/plain; version=0.0.4; charset=utf-8';
my $open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
my $html = 'text/html; charset=utf-8';
is type_of('/status', 'text/html,application/xhtml+xml,*/*;q=0.8'), $html, 'a browser gets the page';
is type_of('/status', 'application/json'), 'application/json', 'JSON by Accept';
is type_of('/status', '*/*'), $text, 'metrics for a client that takes anything';
is type_of('/status'), $text, 'or does not say';
is type_of('/status', 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'), $open, 'OpenMetrics by Accept';
is type_of('/metrics', 'application/openmetrics-text'), $open, 'also where metrics are written';
is type_of('/metrics', 'text/html'), $text, 'which is not a page';
is type_of('/status', $_), $text, "'$_' asks for no page"
    for 'text/html;q=0', 'text/html; level=1 ; Q=0.000', 'x-text/html-y', 'text', '*/*, text/html;q=0', ',;,', 'application/openmetrics-text;q=0';
is type_of('/status', $_), $html, "'$_' asks for the page" for 'TEXT/HTML', 'text/*', 'image/png , text/html ; q=0.1';
is type_of('/status', 'application/json;q=0.5;charset=x'), 'application/json', 'with parameters';
is type_of('/status.json?x=1'), 'application/json', 'an if around a set changes nothing';
is type_of('/status?format=HTML'), $html, 'in any case';
is type_of('/status?format=json', 'text/html'), 'application/json', 'the argument comes first';
is type_of('/status?format=html'), $html, 'for each format';
is type_of('/status?format=prometheus'), $text, 'by its name';
is type_of('/status.html?format=json'), $html, 'but not where a format is written';
is type_of('/status?format=xml'), 400, 'an unknown format is a bad request';
is $t->get('/status?format=xml')->body, "unknown format; write ?format= with html, json, prometheus or openmetrics\n", 'and says which there are';
is $t->ask('POST', '/status', body => 'x')->status, 405, 'nothing can be posted';
my $head = $t->ask('HEAD', '/status.json');
is $head->status, 200, 'HEAD is answered';
is $head->body, '', 'without a body';
is $t->ask('GET', '/sold')->status, 402, 'the status is free unless it has a price on purpose';
like metrics(headers => [ Accept => 'application/openmetrics-text' ])->body, qr/# EOF\n\z/, 'OpenMetrics ends with its mark';

my $page = $t->ask('GET', '/status.html');
is $page->header('Cache-Control'), 'no-store', 'no cache keeps it';
like $page->header('Content-Security-Policy'), qr/default-src 'none'/, 'nothing can be loaded';
like $page->body, qr/odd &quot;name&quot; \\ &lt;b&gt;/, 'labels are escaped';
like $page->body, qr/test money/, 'test money is marked';
like $page->body, qr{<h2>USDC on <span class=whole>Base Sepolia</span> <span class="soft whole">eip155:84532</span>}, 'a network has the name that people know';
like $page->body, qr/ p50\xc2\xa0\xe2\x89\xa4\xc2\xa0\d+\xc2\xa0ms \xc2\xb7 p99\xc2\xa0/, 'and lines do not break inside of a figure';

my $json = JSON::PP::decode_json($t->ask('GET', '/status.json')->body);
my ($named) = grep { $_->{location} eq 'odd "name" \\ <b>' } $json->{locations}->@*;
is $named->{settled}, 1, 'the JSON has the same figures';
my ($sold) = grep { $_->{location} eq '/' } $json->{revenue}->@*;
is $sold->{all}{amount}, '0.01', 'and the revenue';
is $sold->{today}{payments}, 1, 'of today';
is $sold->{money}, 'test', 'which is test money';
is scalar $json->{zone}{open}->@*, 1, 'and the payment in doubt';
unlike $page->body . metrics()->body . $t->ask('GET', '/status.json')->body, qr/0x857b06519E91e3A54538791bDbb0E22373e36b66/i,
    'no payer is in any of them';

# --- over a reload ----------------------------------------------------------------

$t->conf($conf =~ s/location \/named \{ x402_label .*?(?= proxy_pass)/location \/named { x402_label other;/r);
$t->reload;
is_content paid($t, '/a'), "SECRET\n", 'paid after the reload';
shown at('/', 'requests_total{state="settled"}'), 2, 'counters go on';
shown at('odd \"name\" \\\\ <b>', 'requests_total{state="settled"}'), 1, 'also those of a label that is gone';
shown qq(nginx_x402_revenue_total{$revenue}), 0.02, 'and the revenue';
$t->conf($conf =~ s/server_name shop.example;/$& x402_label shop;/r)->reload;
unpaid($t, '/a'), unpaid($t, '/b'), unpaid($t, '/some/a', method => 'POST');
shown at('shop', 'requests_total{state="challenged"}'), 2, 'a server can have a label, for all its locations without one';

# --- learned in the background ------------------------------------------------------

# The worker that asked is killed; where and what it sold is kept beside the claim.
my $shells = 'network="eip155:84532",asset="0x1111111111111111111111111111111111111111",server="shop.example",location="shells"';
my $sum = qq(nginx_x402_revenue_atomic_total{$shells,pay_to="0x209693Bc6afc0C5328bA36FaF03C514EF312287C"});
is_content paid($t, '/shells'), "SECRET\n", 'paid with a token of its own';
shown $sum, '1234567890123456789012', 'an amount beyond 64 bits';
$f->forget;
$f->settle('hold');
my $c = $t->connect;
$c->write_request(GET => '/shells', headers => pay_with($t, '/shells'));
$f->wait_calls(settle => 1);
kill KILL => $t->workers;
$f->settle('paid');
$f->release;
shown $sum, '2469135780246913578024', 'a worker is killed: its payment is counted where it was sold';
shown at('shells', 'deliveries_total{outcome="owed"}'), 1, 'and owed there';
shown qq(nginx_x402_revenue_total{$shells}), '2469.135780246913578024', 'with the decimals of its token';
$t->allow(qr/exited on signal 9/);

finish;
