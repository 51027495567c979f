# SPDX-License-Identifier: Apache-2.0
# x402_charge: the answer itself says at its end what it has cost, as JSON, as
# lines of JSON or in a stream of events, and that is what is settled. Never
# more than the maximum; nothing if it cannot be read, unless the operator has
# chosen the maximum.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    log_format usage '$uri $x402_state $x402_amount $x402_reply_usage_total_tokens $x402_reply_model';
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout settle=1500ms;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_accept scheme=upto price=5;
    x402_charge $x402_reply_usage_total_tokens*2;
    gzip on;
    gzip_min_length 1;
    gzip_types application/json;
    map $x402_reply_model $each { volatile; default 7; small 0.25; }
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        access_log %%DIR%%/usage.log usage;
        proxy_http_version 1.1;
        location /      { proxy_pass http://%%BACKEND%%; }
        location /all/  { proxy_pass http://%%BACKEND%%/; x402_charge $x402_reply_usage_total_tokens*2 unreadable=maximum; }
        location /sum/  {
            proxy_pass http://%%BACKEND%%/;
            x402_charge $x402_reply_usage_prompt_tokens*0.5 $x402_reply_usage_completion_tokens*$each;
        }
        location /unbuffered/ { proxy_pass http://%%BACKEND%%/; proxy_buffering off; }
        location /quick/ { proxy_pass http://%%BACKEND%%/; x402_settle_wait 100ms; }
        location /narrow/ { proxy_pass http://%%BACKEND%%/; x402_settle_buffer 64k; }
        location /off/  { proxy_pass http://%%BACKEND%%/; x402_charge off; }
        location /spilled/ { proxy_pass http://%%BACKEND%%/; proxy_buffers 2 4k; proxy_busy_buffers_size 4k; proxy_buffer_size 4k; }
        location /file/ { alias %%DIR%%/files/; types { } default_type application/json; }
        location /calls/ {
            grpc_pass grpc://127.0.0.1:%%PORT_grpc%%;
            x402_charge $upstream_trailer_x_tokens*2;
        }
        location /both/ { proxy_pass http://%%BACKEND%%/; x402_accept scheme=upto price=5; x402_accept price=5; }
    }
    # What says its cost in a trailer; nginx itself, since it speaks HTTP/2.
    server {
        listen 127.0.0.1:%%PORT_grpc%% http2;
        x402 off;
        location /calls/tokens   { add_trailer X-Tokens 21; proxy_pass http://%%BACKEND%%; }
        location /calls/override { add_trailer Settlement-Overrides '{"amount":"77"}'; proxy_pass http://%%BACKEND%%; }
        location /calls/wrong    { add_trailer Settlement-Overrides '{"amount":"x"}'; proxy_pass http://%%BACKEND%%; }
        location /calls/without  { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->write('files/a.json', '{"usage":{"total_tokens":21},"text":"' . 'SECRET ' x 20_000 . '"}');
$t->start;

my $n = 0;

# What an answer is charged, and the answer.
sub buy ($where, $body, %how) {
    my %options = (delete $how{options} // {})->%*;
    my $path = '/w' . $n++;
    $up->on($path, headers => [ 'Content-Type' => 'application/json' ], body => $body, %how);
    $_->forget for $f, $up;
    $path = $where . substr $path, 1;
    my $r = paid($t, $path, %options, payment => permit2(unpaid($t, $path, %options)));
    my $asked = $f->calls('settle') ? $f->asked('settle')->{paymentRequirements}{amount} : 'nothing';
    return wantarray ? ($asked, $r) : $asked;
}

my $usage = '{"id":"SECRET","model":"small","usage":{"prompt_tokens":10,"completion_tokens":90,"total_tokens":100}}';
for my $via ({}, { h2 => 1, port => 'h2' }) {
    my $p = %$via ? 'HTTP/2, ' : '';
    my ($amount, $r) = buy('/', $usage, options => $via);
    is $amount, '200', "${p}a JSON answer: what it says";
    is_content $r, $usage, "${p}and it is delivered";
    is $f->asked('verify')->{paymentRequirements}{amount}, '5000000', "${p}verified at the maximum";
    is $f->calls('settle'), 1, "${p}settled once";

    my $events = join '', map({ qq(data: {"choices":[{"delta":{"content":"SECRET $_"}}],"usage":null}\n\n) } 1 .. 1000),
        qq(data: {"choices":[],"usage":{"prompt_tokens":1,"total_tokens":1000}}\n\n), "data: [DONE]\n\n";
    for my $where ('/', '/unbuffered/', '/spilled/') {
        ($amount, $r) = buy($where, $events, chunked => 1, headers => [ 'Content-Type' => 'text/event-stream; charset=utf-8' ],
            options => $via);
        is $amount, '2000', "${p}a stream of events through $where";
        is_content $r, $events, "${p}and it is delivered";
    }
    ($amount, $r) = buy('/', $events, chunked => 1,
        headers => [ 'Content-Type' => 'text/event-stream', 'X-Accel-Buffering' => 'no' ], options => $via);
    is $amount, '2000', "${p}a stream whose upstream wants it unbuffered";
    is_content $r, $events, "${p}and it is delivered";
}

is scalar buy('/', qq({"done":false}\n{"done":true,"usage":{"total_tokens":3}}\n),
    headers => [ 'Content-Type' => 'application/x-ndjson' ]), '6', 'lines of JSON';
is scalar buy('/sum/', $usage), '27', 'a sum of products, a factor by a map, rounded down: 5 + 22.5';
is scalar buy('/sum/', $usage =~ s/small/large/r), '635', 'and by another value of it';
is scalar buy('/', $usage, headers => [ 'Content-Type' => 'application/json', 'Settlement-Overrides' => '{"amount":"77"}' ]), '77',
    'the header of the upstream goes first';
is scalar buy('/off/', $usage), '5000000', 'x402_charge off: the maximum';
is scalar buy('/', '{"usage":{"total_tokens":0}}'), '0', 'nothing was used';
is scalar buy('/', '{"usage":{"total_tokens":2500001}}'), '5000000', 'more than the maximum is the maximum';
$t->log_like(qr/\[warn\].*has cost more than the maximum that was signed for/, 'and the log says so');
is scalar buy('/', '{"usage":{"total_tokens":9007199254740993}}'), '5000000', 'beyond 2^53';
is scalar buy('/', '{"usage":{"total_tokens":' . '9' x 60 . '}}'), '5000000', 'beyond any counter';
$f->forget;
is paid($t, '/file/a.json', payment => permit2(unpaid($t, '/file/a.json')))->status, 200, 'a file';
is $f->asked('settle')->{paymentRequirements}{amount}, '42', 'is read as well';

my %unreadable = (
    'no usage'          => '{"id":"SECRET"}',
    'null'              => '{"usage":null}',
    'negative'          => '{"usage":{"total_tokens":-5}}',
    'a word'            => '{"usage":{"total_tokens":"many"}}',
    'twice'             => '{"usage":{"total_tokens":1,"total_tokens":2}}',
    'two ways'          => '{"usage":{"total_tokens":1},"usage_total_tokens":2}',
    'not whole'         => '{"usage":{"total_tokens":1}',
    'not JSON'          => '<usage total_tokens=1>',
    'split UTF-8'       => qq({"usage":{"total_tokens":1},"text":"\xe2\x82"}),
    'too deep'          => '{"usage":{"total_tokens":1},"deep":' . '[' x 100 . ']' x 100 . '}',
    'a number too long' => '{"usage":{"total_tokens":' . '9' x 100 . '}}',
    'something behind'  => '{"usage":{"total_tokens":1}} {}',
);
for my $name (sort keys %unreadable) {
    my ($amount, $r) = buy('/', $unreadable{$name});
    is $amount, '0', "$name: nothing is charged";
    is $r->status, 200, "$name: and it is delivered";
    is scalar buy('/all/', $unreadable{$name}), '5000000', "$name: the maximum, where that was chosen";
}
$t->log_like(qr/\[error\].*does not say what it has cost \("" is not an amount that was used\), nothing is charged/,
    'the log says why');
$t->log_like(qr/\[error\].*does not say what it has cost \("-5" is not .*\), the maximum is charged/, 'and what is charged');

# An upstream that compresses cannot be read. It is not asked to, whatever the
# client takes; nginx compresses for the client.
my ($amount, $r) = buy('/', "\x1f\x8bSECRET", headers => [ 'Content-Type' => 'application/json', 'Content-Encoding' => 'gzip' ]);
is $amount, '0', 'a compressed answer';
is scalar buy('/', $usage, headers => [ 'Content-Type' => 'application/json', 'Content-Encoding' => 'Identity' ]), '200',
    'one that says it is not';
$t->log_like(qr/compressed by the upstream: tell it not to, with proxy_set_header Accept-Encoding ""/, 'is said clearly');
{
    $up->on('/coding', headers => [ 'Content-Type' => 'application/json' ], body => $usage);
    $_->forget for $f, $up;
    my $r = paid($t, '/coding', payment => permit2(unpaid($t, '/coding')), headers => [ 'Accept-Encoding' => 'gzip', Range => 'bytes=0-0,1-' ]);
    is $r->header('Content-Encoding'), 'gzip', 'the client gets it compressed';
    is $f->asked('settle')->{paymentRequirements}{amount}, '200', 'and it was read before';
    ok !exists(($up->requests("/coding"))[-1]{headers}{"accept-encoding"}), "the upstream was not asked to compress";
    ok !exists(($up->requests("/coding"))[-1]{headers}{range}), "nor for a part, which would not say what it costs";
}

# A stream that does not end in time flows, and costs the maximum.
my $half = '{"usage":{"total_tokens":1},"text":"' . 'SECRET ' x 100;
$up->on('/slow', headers => [ 'Content-Type' => 'application/json' ], body => $half, hold_after => 300);
$_->forget for $f, $up;
my $c = $t->connect;
$c->write_request(GET => '/quick/slow', headers => [ 'PAYMENT-SIGNATURE' => permit2(unpaid($t, '/quick/slow')) ]);
ok $f->wait_calls(settle => 1), 'x402_settle_wait is over';
is $f->asked('settle')->{paymentRequirements}{amount}, '5000000', 'the maximum is charged';
$up->release;
is_content $c->answer, $half, 'and the rest follows';
$t->log_like(qr/\[warn\].*did not end within x402_settle_buffer, x402_settle_wait or half of the time/, 'the log says so');
$up->on('/wide', headers => [ 'Content-Type' => 'application/json' ], body => $half . 'SECRET ' x 20_000, hold_after => 100_000);
$_->forget for $f, $up;
$c = $t->connect;
$c->write_request(GET => '/narrow/wide', headers => [ 'PAYMENT-SIGNATURE' => permit2(unpaid($t, '/narrow/wide')) ]);
ok $f->wait_calls(settle => 1), 'x402_settle_buffer is full';
is $f->asked('settle')->{paymentRequirements}{amount}, '5000000', 'the maximum is charged';
$up->release;
is $c->answer->status, 200, 'and the rest follows';

# By default it is held far longer than content of a fixed price.
$_->forget for $f, $up;
$up->on('/late', headers => [ 'Content-Type' => 'application/json' ], body => $usage, hold_after => 20);
$c = $t->connect;
$c->write_request(GET => '/late', headers => [ 'PAYMENT-SIGNATURE' => permit2(unpaid($t, '/late')) ]);
ok $up->wait_count('/late', 1), 'half of an answer';
sleep 1.5;
is $f->calls('settle'), 0, 'is held';
$up->release;
is_content $c->answer, $usage, 'to its end';
is $f->asked('settle')->{paymentRequirements}{amount}, '200', 'and costs what it says';

# Trailers count, too.
for my $case ([ tokens => '42' ], [ override => '77' ], [ wrong => '0' ], [ without => '0' ]) {
    my ($path, $amount) = ("/calls/$case->[0]", $case->[1]);
    $up->on($path, headers => [ 'Content-Type' => 'application/grpc' ], body => "\0\0\0\0\6SECRET");
    $_->forget for $f, $up;
    my %call = (h2 => 1, port => 'h2', method => 'POST', body => "\0\0\0\0\2me");
    my $payment = permit2(unpaid($t, $path, %call));
    my $r = paid($t, $path, %call, payment => $payment, headers => [ 'Content-Type' => 'application/grpc', TE => 'trailers' ]);
    is $r->status, 200, "a call with $case->[0]";
    is $f->asked('settle')->{paymentRequirements}{amount}, $amount, 'is charged by its trailer';
    unlike join(' ', ($r->{trailers} // [])->@*), qr/settlement-overrides/i, 'which is not for the client';
}

# An upstream that breaks off is not charged, whatever it has said.
$_->forget for $f, $up;
$up->on('/broken', chunked => 1, headers => [ 'Content-Type' => 'text/event-stream' ],
    body => qq(data: {"usage":{"total_tokens":5}}\n\n) x 10, die_after => 60);
is paid($t, '/broken', payment => permit2(unpaid($t, '/broken')))->status, 502, 'a stream that breaks off';
is $f->calls('settle'), 0, 'is not charged';

# Other schemes are exact, and errors free.
$_->forget for $f, $up;
$up->on('/x', headers => [ 'Content-Type' => 'application/json' ], body => $usage);
my $exact = unpaid($t, '/both/x');
$exact->{accepts} = [ $exact->{accepts}[1] ];
is_content paid($t, '/both/x', payment => payment($exact)), $usage, 'exact';
is $f->asked('settle')->{paymentRequirements}{amount}, '5000000', 'is exact';
$up->on('/failed', status => 500, body => $usage);
$_->forget for $f, $up;
is paid($t, '/failed', payment => permit2(unpaid($t, '/failed')))->status, 500, 'failed content';
is $f->calls('settle'), 0, 'is not charged';

# An answer without a body says nothing.
$_->forget for $f, $up;
my $head = paid($t, '/x', method => 'HEAD', payment => permit2(unpaid($t, '/x', method => 'HEAD')));
is $head->status, 200, 'HEAD';
is $f->asked('settle')->{paymentRequirements}{amount}, '0', 'costs nothing';
$_->forget for $f, $up;
is paid($t, '/all/x', method => 'HEAD', payment => permit2(unpaid($t, '/all/x', method => 'HEAD')))->status, 200, 'HEAD where unreadable=maximum';
is $f->asked('settle')->{paymentRequirements}{amount}, '0', 'costs nothing, either';

# Content under an older claim, for the same request, is delivered and not
# charged again.
my $payer = random_hex(20);
$up->on('/owed', headers => [ 'Content-Type' => 'application/json' ], body => $usage);
$f->settle_once(silent => 1);
is paid($t, '/owed', payment => permit2(unpaid($t, '/owed'), from => $payer))->status, 503, 'unknown';
$_->forget for $f, $up;
is_content paid($t, '/owed', payment => permit2(unpaid($t, '/owed'), from => $payer)), $usage, 'a new payment of the payer';
is $f->asked('settle')->{paymentRequirements}{amount} . ' in ' . $f->calls('settle'), '200 in 1', 'settles the older one as it was';

my $log = do { open my $in, '<', $t->dir . '/usage.log' or die; local $/; <$in> };
like $log, qr{^/\S+ settled 200 100 small$}m, 'the variables stay for the log';

my %errors = (
    'x402_charge 5;'                                     => qr/"5" is the same for every answer/,
    'x402_charge unreadable=maximum;'                    => qr/"x402_charge" has no value/,
    'x402_charge $x402_reply_a*-1;'                      => qr/"-1" in "\$x402_reply_a\*-1" is not a number; write atomic units/,
    'x402_charge $x402_reply_a*1,5;'                     => qr/"1,5" in .* is not a number/,
    'x402_charge $x402_reply_a unreadable=free;'         => qr/"unreadable=free" is unknown; write unreadable=nothing/,
    'x402_charge $x402_reply_a; x402_charge off;'        => qr/"x402_charge" directive is duplicate/,
    'x402_price 1; x402_charge $x402_reply_a;'           => qr/"x402_charge" needs a price that is a maximum; write x402_accept scheme=upto/,
);
my $minimal = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { LINES proxy_pass http://%%BACKEND%%; }
    }
}
EOF
for my $lines (sort keys %errors) {
    like $t->config_error($minimal =~ s/LINES/$lines/r), $errors{$lines}, $lines;
}
my ($said) = $t->test_config($minimal =~ s/LINES/x402_price 1; x402_description \$x402_reply_a;/r);
like $said, qr/\[warn\].*\$x402_reply_a is always empty, because no location has x402_charge/, 'a variable that nothing fills';

finish;
