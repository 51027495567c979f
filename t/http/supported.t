# SPDX-License-Identifier: Apache-2.0
# What a facilitator supports is asked in the background, by one worker for all,
# and kept: over failures, reloads and the death of the worker that asked.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $other) = (facilitator(), facilitator());
my $conf = <<'EOF';
worker_processes 4;
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_zone x402:%%ZONE%%;
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        root %%DIR%%/html;
        location / { }
        location /paid/ { x402_price $0.01; }
        location /more/ { x402_price $0.02; }
        %%MORE%%
    }
}
EOF
my $t = nginx($conf, facilitator => $f, holes => { MORE => '', ZONE => '1m' });
$t->write("html/$_/a", "SECRET\n") for qw(paid more other);

sub more ($text) { $t->{holes}{MORE} = $text; return $t->conf($conf) }
sub asked ()     { return $f->calls('supported') }

# --- one question for four workers, and a request asks nothing

my ($text, $passed) = $t->test_config($conf);
ok $passed, 'nginx -t passes';
is asked(), 0, 'and asks no facilitator';
$t->start;
ok $f->wait_calls(supported => 1), 'asked when nginx starts';
is_content paid($t, '/paid/a'), "SECRET\n", 'a payment';
is_content paid($t, '/more/a'), "SECRET\n", 'and another';
sleep 1.5;
is asked(), 1, 'one question for four workers';
my ($request) = $f->requests('supported');
is "$request->{method} $request->{path} $request->{size}", 'GET /supported 0', 'a GET without a body';

# --- a reload keeps what is fresh

$t->wait_exit($t->reload);
sleep 1.3;
is asked(), 1, 'a reload asks for nothing that is fresh';

# --- another facilitator, for as long as it says

more("location /other/ { x402_price \$0.01; x402_facilitator @{[ $other->url ]}; }");
$other->supported(headers => [ 'Cache-Control' => 'public, max-age=1' ]);
$t->wait_exit($t->reload);
ok $other->wait_calls(supported => 4), 'asked again when its time is over';
my @pause = pauses();
is scalar(grep { $_ > 0.5 && $_ < 20 } @pause), 3, 'about every second, as it said' or diag "@pause";
is asked(), 1, 'the first one is left alone';

# --- failures: a line, pauses, what is known stays

$t->log_unlike(qr/does not say|lists what it supports again/, 'nothing to say so far');
$other->supported(status => 500, body => 'oops');
$other->forget;
ok $other->wait_calls(supported => 3), 'a failure is tried again';
@pause = pauses();
cmp_ok $pause[0], '>', 0.5, 'after a second';
cmp_ok $pause[1], '>', 1.2, 'and then two';
my $line = qr/\[warn\].* does not say what it supports: status 500, body "oops"; its last answer is used/;
$t->log_like($line, 'the log says so');
is $t->log_count($line), 1, 'once, whatever the number of workers and tries';
is_content paid($t, '/other/a'), "SECRET\n", 'payments go on';
$other->supported(headers => [ 'Cache-Control' => 'max-age=1' ]);
$t->log_like(qr/\[notice\].* lists what it supports again/, 'and when it is over');

# --- 429 says when to come again

$other->forget;
$other->supported_once(status => 429, headers => [ 'Retry-After' => 3 ]);
ok $t->wait_for(sub { grep { $_ > 2.5 } pauses() }), 'when it said';

# --- the worker that asks is killed: another one asks

$t->allow(qr/exited on signal 9/);
my $lines = $t->log_count(qr/does not say what it supports/);
$other->supported('hold');
$other->forget;
ok $other->wait_calls(supported => 1), 'a question that is not answered';
$other->close_idle;
my $asking;
ok $t->wait_for(sub { ($asking) = grep { connected($_, $other) } $t->workers }), 'a worker asks';
my $start = time;
kill KILL => $asking if $asking;    # 0 would be all that make has started
ok $other->wait_calls(supported => 2), 'killed while asking: another one asks';
cmp_ok time - $start, '<', 10, 'soon';
is $t->log_count(qr/does not say what it supports/), $lines, 'without a word about it';

# --- quit waits for no answer

$start = time;
is $t->quit, 0, 'quit while a question is open';
cmp_ok time - $start, '<', 4, 'is not held up';

# --- nginx starts and sells without an answer

$other->vanish;
$t->start;
$t->log_like(qr/\[warn\].* does not say what it supports: .*; the request is repeated until it does/, 'no facilitator there: a warning');
is unpaid($t, '/other/a')->{accepts}[0]{network}, 'eip155:84532', 'an offer all the same';
is $t->quit, 0, 'and a quit';

# --- a zone without room: each worker asks for itself

$t->{holes}{ZONE} = '64k';
more('');
$f->forget;
$t->start;
ok $f->wait_calls(supported => 4), 'a small zone: every worker asks for itself';
sleep 1.2;
is asked(), 4, 'once';
is_content paid($t, '/paid/a'), "SECRET\n", 'a payment';

finish;

# Seconds between the questions that the other facilitator was asked.
sub pauses () {
    my @at = map { $_->{at} } $other->requests('supported');
    return map { $at[ $_ + 1 ] - $at[$_] } 0 .. $#at - 1;
}

# Whether a process has a connection to a facilitator.
sub connected ($pid, $peer) {
    my %inodes = map { (readlink($_) // '') =~ /\Asocket:\[(\d+)\]\z/ ? ($1 => 1) : () } glob "/proc/$pid/fd/*";
    my $port = sprintf '%04X', $peer->address =~ /:(\d+)\z/;
    open my $file, '<', "/proc/$pid/net/tcp" or return 0;
    return scalar grep {
        my (undef, undef, $remote, $state, undef, undef, undef, undef, undef, $inode) = split;
        ($remote // '') =~ /:$port\z/ && $state eq '01' && $inodes{$inode};
    } <$file>;
}
