# SPDX-License-Identifier: Apache-2.0
# The files of monitoring/: promtool accepts the rules and their tests, the
# dashboard and the rules name only metrics that exist, and a real Prometheus
# reads a real nginx with them, also while it reloads.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Copy ();
use HTTP::Tiny ();
use JSON::PP ();
use X402::Guard;
use X402::Port;
use X402::Redis;
use X402::Test;

my $files = "$FindBin::Bin/../../monitoring";

sub installed ($program) { return grep { -x "$_/$program" } split /:/, $ENV{PATH} }
sub text ($name) {
    open my $fh, '<', "$files/$name" or die "$name: $!";
    local $/;
    return scalar <$fh>;
}

my ($f, $up, $redis) = (facilitator(), backend(), X402::Redis->new);
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, holes => { STORE => $redis->url });
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_zone x402:1m journal=%%DIR%%/journal;
    x402_store %%STORE%% timeout=5s;
    x402_webhook http://%%BACKEND%%/hook;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOF
$up->on('*', body => "SECRET\n");
$t->start;
is_content paid($t, '/a'), "SECRET\n", 'paid';
$f->settle(refused => 'insufficient_funds');
paid($t, '/a');
$f->settle('paid');

sub metrics () { return $t->ask('GET', '/metrics')->body }
ok $t->wait_for(sub { metrics() =~ /^nginx_x402_journal_writable 1$/m }), 'the metrics of the journal are there';
ok $t->wait_for(sub { metrics() =~ /^nginx_x402_store_workers\{state="connected"\} 2$/m }), 'and those of the store';

# --- names ------------------------------------------------------------------------

my %known = map { $_ => 1 } metrics() =~ /^# TYPE (\S+)/mg;
sub unknown_in ($text) {
    my %names = map { s/_(?:bucket|count|sum)\z//r => 1 } $text =~ /\b(nginx_x402_\w+)/g;
    return join ' ', grep { !$known{$_} } sort keys %names;
}
my $dashboard = JSON::PP::decode_json(text('grafana-dashboard.json'));
my @expressions = map { map { $_->{expr} } $_->{targets}->@* } $dashboard->{panels}->@*;
cmp_ok scalar @expressions, '>', 15, 'the dashboard has panels';
is unknown_in("@expressions"), '', 'and names metrics that exist';
is unknown_in(text('alert-rules.yml')), '', 'the rules do so, too';
is unknown_in('sum(nginx_x402_invented_total)'), 'nginx_x402_invented_total', 'another name is noticed';

# --- promtool ---------------------------------------------------------------------

SKIP: {
    skip 'promtool is not installed (package prometheus)', 3 if !installed('promtool');
    for my $words ('check rules alert-rules.yml', 'test rules alert-rules-test.yml', 'check config prometheus.yml') {
        my $said = qx{cd '$files' && promtool $words 2>&1};
        is $?, 0, "promtool $words" or diag $said;
    }
}

# --- a real Prometheus --------------------------------------------------------------

my $prometheus;
SKIP: {
    skip 'prometheus is not installed', 6 if !installed('prometheus');
    my $dir = $t->dir . '/prometheus';
    mkdir $dir or die $!;
    File::Copy::copy("$files/alert-rules.yml", $dir) or die $!;
    my $target = '127.0.0.1:' . $t->port;
    $t->write('prometheus/prometheus.yml', text('prometheus.yml') =~ s/127\.0\.0\.1:80/$target/r =~ s/15s/3s/r);    # each answer may take as long
    my $port = X402::Port::reserve();
    $prometheus = fork // die $!;
    if (!$prometheus) {
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        { no warnings 'exec'; exec 'prometheus', "--config.file=$dir/prometheus.yml", "--storage.tsdb.path=$dir/data", "--web.listen-address=127.0.0.1:$port" }
        POSIX::_exit(127);
    }
    my $guard = X402::Guard->new($prometheus);
    my $http = HTTP::Tiny->new(timeout => 5);
    my $ask = sub ($path) {
        my $answer = $http->get("http://127.0.0.1:$port/api/v1/$path");
        return $answer->{success} ? JSON::PP::decode_json($answer->{content})->{data} : undef;
    };
    my $value = sub ($series) {
        my $data = $ask->('query?query=' . $series =~ s/([^\w])/sprintf '%%%02X', ord $1/ger) // return '';
        return $data->{result}[0]{value}[1] // '';
    };
    ok $t->wait_for(sub { $value->('sum(nginx_x402_requests_total{state="settled"})') eq '1' }), 'Prometheus has read the requests';
    is $value->('nginx_x402_revenue_total'), '0.01', 'and the revenue';
    is $value->('up{job="nginx-x402"}'), '1', 'the target is up';
    my @rules = map { $_->{rules}->@* } ($ask->('rules') // {})->{groups}->@*;
    cmp_ok scalar @rules, '>', 7, 'the rules are loaded';
    is join(' ', map { $_->{name} } grep { $_->{health} eq 'err' } @rules), '', 'and can be evaluated';
    $t->reload;
    is_content paid($t, '/a'), "SECRET\n", 'paid after a reload';
    ok $t->wait_for(sub { $value->('sum(nginx_x402_requests_total{state="settled"})') eq '2' }), 'Prometheus goes on reading';
    is $value->('sum(count_over_time(up{job="nginx-x402"}[5m])) - sum(sum_over_time(up{job="nginx-x402"}[5m]))'), '0', 'and never failed to';
    kill TERM => $prometheus;
    waitpid $prometheus, 0;
}

finish;
