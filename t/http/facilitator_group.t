# SPDX-License-Identifier: Apache-2.0
# A group of facilitators: which one is called, and which one instead. Verify may move on;
# a settlement never does once a byte of it was sent.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($one, $two, $spare) = map { facilitator() } 1 .. 3;
my $up = backend();
my @all = ($one, $two, $spare);
my ($dead, $dead_too) = (dead_url(), dead_url());

my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator pair;
    x402_facilitator_timeout connect=2s verify=1500ms settle=1500ms;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:2m;

    x402_facilitator_group pair { %%PAIR%% }
    x402_facilitator_group late {
        server %%DEAD%%;
        server %%DEAD_TOO%%;
        server %%TWO%%;
    }
    x402_facilitator_group spared { server %%SPARE%% backup; server %%ONE%%; }

    server {
        listen 127.0.0.1:%%PORT%%;
        location /            { proxy_pass http://%%BACKEND%%; }
        location /before/     { x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /late/       { x402_facilitator late; proxy_pass http://%%BACKEND%%; }
        location /late-before/ {
            x402_facilitator late;
            x402_settle before;
            proxy_pass http://%%BACKEND%%;
        }
        location /spared/     { x402_facilitator spared; proxy_pass http://%%BACKEND%%; }
        location /accept/ {
            x402_accept network=base price=0.01 facilitator=spared;
            x402_accept network=polygon price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
        location /bound/ {
            x402_facilitator pair;
            x402_accept scheme=upto price=0.01;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
my %holes = (
    PAIR => 'server ' . $one->url . ' max_fails=0; server ' . $two->url . ' max_fails=0;',
    ONE  => $one->url, TWO => $two->url, SPARE => $spare->url, DEAD => $dead, DEAD_TOO => $dead_too,
);
my $t = nginx($conf, backend => $up, holes => \%holes);
$up->on('*', body => "SECRET\n");
$_->supported(kinds => [ [ 1, 'exact', 'base-sepolia' ], map({ [ 2, 'exact', $_ ] } qw(eip155:84532 eip155:8453 eip155:137)),
        [ 2, 'upto', 'eip155:84532', { facilitatorAddress => '0x' . '1' x 40 } ] ])
    for @all;
$t->allow(qr/ failed: |was not sent|fails (?:verify|settle)|does not say/);
$t->start;

sub fresh () { $_->forget for @all, $up; $_->verify('ok') for @all; $_->settle('paid') for @all; return }
sub asked (@members) { return join ' | ', map { $_->order } @members }
sub regroup (@servers) {
    $holes{PAIR} = join ' ', map {"server $_ max_fails=0;"} @servers;
    $t->{holes} = \%holes;
    $t->conf($conf);
    return $t->reload;
}

# --- in order

fresh;
is_content paid($t, '/'), "SECRET\n", 'paid';
is asked($one, $two), 'verify settle | ', 'by the first alone';

# --- verify moves on

for (
    [ 'no answer',     silent => 1 ],
    [ 'a reset',       reset  => 1 ],
    [ 'status 502',    status => 502, body => 'x' ],
    [ 'status 503',    status => 503, body => '{"isValid":true}' ],
    [ 'status 504',    status => 504, body => '' ],
) {
    my ($name, @spec) = @$_;
    fresh;
    $one->verify(@spec);
    is_content paid($t, '/'), "SECRET\n", "$name: paid";
    ok asked($one, $two) =~ /\Averify(?: verify)? \| verify settle\z/, "$name: settled by the one that verified"
        or diag asked($one, $two);
    is $up->hits, 1, "$name: content is made once";
}
fresh;
is_content paid($t, '/late/'), "SECRET\n", 'two are dead, the third is not';
is asked($one, $two), ' | verify settle', 'it did all';
my $alive = $two->url;
$t->log_like(qr/verify at facilitator "\Q$dead_too\E" failed: .*; asking "\Q$alive\E"/, 'one line for each step');

# --- and does not

for (
    [ 'a refusal',         402, invalid => 'insufficient_funds' ],
    [ 'a plain 500',       502, status  => 500, body => 'x' ],
    [ 'garbage',           502, body    => '<html>' ],
    [ 'an operator fault', 502, status  => 401, body => '{}' ],
    [ 'status 429',        503, status  => 429, body => '{}' ],
) {
    my ($name, $status, @spec) = @$_;
    fresh;
    $one->verify(@spec);
    is paid($t, '/')->status, $status, "$name: answered $status";
    is asked($one, $two), 'verify | ', "$name: no other facilitator is asked";
    is $up->hits, 0, "$name: no content";
}
fresh;
$_->verify(status => 503, body => '') for $one, $two;
is paid($t, '/')->status, 502, 'all fail: the answer of the last';
is asked($one, $two), 'verify | verify', 'each was asked once';

# --- settle moves only when nothing was sent

fresh;
is_content paid($t, '/late-before/'), "SECRET\n", 'settled first, by the one that lives';
is asked($one, $two), ' | settle', 'no other facilitator was asked';
$t->log_like(qr/settle was not sent to facilitator "\Q$dead_too\E": .*; asking "\Q$alive\E"/, 'one line for each step');

for my $path ('/', '/before/') {
    for (
        [ 'no answer',  silent => 1 ],
        [ 'closed',     close  => 1 ],
        [ 'a reset',    reset  => 1 ],
        [ 'status 503', status => 503, body => '' ],
        [ 'status 500', status => 500, body => '' ],
    ) {
        my ($name, @spec) = @$_;
        fresh;
        my $payment = payment(unpaid($t, $path));
        $one->settle_once(@spec);
        is paid($t, $path, payment => $payment)->body, '{"error":"settlement_unknown","charged":"unknown"}',
            "$path, $name: unknown";
        is $two->calls, 0, "$path, $name: it goes nowhere else";

        $_->forget for @all;
        is_content paid($t, $path, payment => $payment), "SECRET\n", "$path, $name: finished";
        is asked($one, $two), 'settle | ', "$path, $name: by whom it was begun";
    }
}

# --- a settler that died after it verified

my $mortal = facilitator();
regroup($mortal->url, $two->url);
fresh;
$up->on('/dies', body => "SECRET\n", hold => 1);
my $client = $t->connect;
$client->write_request(GET => '/dies', headers => pay_with($t, '/dies'));
$up->wait_count('/dies' => 1);
$mortal->stop;
$up->release('/dies');
is_content $client->answer, "SECRET\n", 'the one that verified is gone: settled by the other';
is asked($two), 'settle', 'which was asked to settle alone';

# --- settled before content, but verified: 33 payments of one payer at once

fresh;
regroup($one->url, $two->url);
fresh;
$one->verify(status => 503, body => '');
$two->verify('hold');
$up->on('/slow', body => "SECRET\n", hold => 1);
my ($many, $payer) = (unpaid($t, '/slow'), random_hex(20));
my @crowd = map {
    my $c = $t->connect;
    $c->write_request(GET => '/slow', headers => [ header_of(payment($many, from => $payer)) ]);
    $c;
} 1 .. 33;
$two->wait_calls(verify => 33);
$two->verify('ok');
$two->release;
$up->wait_count('/slow', 33);
is $one->calls('settle') . ' ' . $two->calls('settle'), '0 1', 'the one too many is settled first, by who verified it';
$up->on('/slow', body => "SECRET\n");
$up->release('/slow');
is scalar(grep { $_->answer->status == 200 } @crowd), 33, 'all are served';

# --- backups come last, wherever they are written

fresh;
is_content paid($t, '/spared/'), "SECRET\n", 'a backup';
is asked($one, $spare), 'verify settle | ', 'is not asked';
fresh;
$one->verify(status => 502, body => '');
is_content paid($t, '/spared/'), "SECRET\n", 'until it is needed';
is asked($one, $spare), 'verify | verify settle', 'and then it does all';
fresh;
$one->verify(status => 502, body => '');
is_content paid($t, '/accept/'), "SECRET\n", 'facilitator= takes a group as well';
is asked($one, $spare, $two), 'verify | verify settle | ', 'of its own';

# --- what a facilitator put into the offer binds it

regroup($one->url, $two->url);
fresh;
my $accept;
$t->wait_for(sub { $accept = unpaid($t, '/bound/')->{accepts}[0]; $accept->{extra}{facilitatorAddress} });
is $accept->{extra}{facilitatorAddress}, '0x' . '1' x 40, 'its word is in the offer';
$one->verify(status => 503, body => '');
my $r = paid($t, '/bound/', payment => permit2(unpaid($t, '/bound/')));
is $r->status, 502, 'when it fails' or diag $r->summary;
is asked($one, $two), 'verify | ', 'no other facilitator stands in for it';

# --- a reload that changes the group

fresh;
$one->settle_once('close');
my $payment = payment(unpaid($t, '/moved'));
is paid($t, '/moved', payment => $payment)->status, 503, 'in doubt';
regroup($two->url, $one->url);
$_->forget for @all;
is_content paid($t, '/'), "SECRET\n", 'after a reload';
is asked($one, $two), ' | verify settle', 'the new first is asked';
$_->forget for @all;
is_content paid($t, '/moved', payment => $payment), "SECRET\n", 'and what was in doubt';
is asked($one, $two), 'settle | ', 'is finished where it began';

# --- what nginx -t says

my $frame = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server { listen 127.0.0.1:%%PORT%%; location / { x402_price 1; x402_facilitator WHOM; } }
    LINE
}
EOF
sub tested ($line, $whom = 'http://127.0.0.1:1') {
    return $t->test_config($frame =~ s/LINE/$line/r =~ s/WHOM/$whom/r);
}
for (
    [ 'x402_facilitator_group a { }'                                       => '"a" is empty' ],
    [ 'x402_facilitator_group a/b { server http://a; }'                    => 'letters, digits' ],
    [ 'x402_facilitator_group a { server http://a; server http://A:80/; }' => 'in this group already' ],
    [ 'x402_facilitator_group a { server a; }'                             => 'facilitator "a"' ],
    [ 'x402_facilitator_group a { server; }'                               => 'contains lines' ],
    [ 'x402_facilitator_group a { peer http://a; }'                        => 'contains lines' ],
    [ 'x402_facilitator_group a { server http://a spare; }'                => 'unknown parameter "spare"' ],
    [ 'x402_facilitator_group a { server http://a max_fails=x; }'          => 'number from 0 to 100' ],
    [ 'x402_facilitator_group a { server http://a max_fails=101; }'        => 'number from 0 to 100' ],
    [ 'x402_facilitator_group a { server http://a fail_timeout=0; }'       => 'time greater than 0' ],
    [ 'x402_facilitator_group a { server http://a; } x402_facilitator_group a { server http://b; }' => '"a" already' ],
    [ 'x402_facilitator_group { server http://a; }'                        => 'number of arguments' ],
) {
    my ($line, $word) = @$_;
    my ($text, $good) = tested($line);
    ok !$good && $text =~ /\[emerg\].*\Q$word\E.*conf:8$/m, "refused: $line" or diag $text;
}
for my $whom ('nobody', 'nobody; x402_accept price=1 facilitator=none') {
    my ($text, $good) = tested('x402_facilitator_group other { server http://127.0.0.1:1; }', $whom);
    ok !$good && $text =~ /no facilitator group "no(?:body|ne)".*conf:7$/m, "refused: $whom" or diag $text;
}
my ($text, $good) = tested(
    'x402_facilitator_group later { server http://127.0.0.1:1 max_fails=0 fail_timeout=10s backup; }', 'later');
ok $good, 'a group may stand behind its use, with all its words' or diag $text;

finish;
