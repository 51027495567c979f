# SPDX-License-Identifier: Apache-2.0
# A journal remembers payments when every process of nginx was killed.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    %%ZONE%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location /off { x402_settle off; proxy_pass http://%%BACKEND%%; }
        location /short { x402_timeout 4s; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { ZONE => '' });

# Files that may not grow fail as a full disk does.
my $binary  = X402::Nginx::binary();
my $wrapper = $t->write('limited-nginx', <<"EOF");
#!/bin/sh
if [ -s "$t->{dir}/limit" ]; then trap '' XFSZ; ulimit -f \$(cat "$t->{dir}/limit"); fi
exec $binary "\$@"
EOF
chmod 0755, $wrapper;
$ENV{NGINX} = $wrapper;

my $journal = "$t->{dir}/claims.journal";
sub zone ($text) { $t->{holes}{ZONE} = $text; return $t->conf($conf) }
sub size_of ($path) { return -s $path // 0 }

zone("x402_zone mine:1m journal=$journal;");
$up->on('*', body => "SECRET\n");
my ($text, $passed) = $t->test_config($conf);
ok $passed, '-t passes' or diag $text;
ok !-e $journal, 'and makes no journal';
like $t->config_error($conf =~ s{%%ZONE%%}{x402_zone mine:1m journal=$t->{dir}/none/j;}r),
    qr/\[emerg\].*none/, '-t says that the directory is not there';
like $t->config_error($conf =~ s{%%ZONE%%}{x402_zone mine:1m journal=/dev/full;}r),
    qr/\[emerg\].*regular file/, '-t refuses what is not a file';

$t->start;
is sprintf('%o', (stat $journal)[2] & 07777), '600', 'the journal is nobody else\'s business';

# --- killed, all of them

my %payment;
$payment{used} = payment(unpaid($t, '/used'));
is_content paid($t, '/used', payment => $payment{used}), "SECRET\n", 'a payment is used';

$f->settle(status => 429, body => '{}');
$payment{freed} = payment(unpaid($t, '/freed'));
is paid($t, '/freed', payment => $payment{freed})->status, 503, 'a payment that was not processed';

$f->settle('close');
$payment{unknown} = payment(unpaid($t, '/unknown'));
is paid($t, '/unknown', payment => $payment{unknown})->status, 503, 'a settle of unknown outcome';

$f->settle('hold');
$payment{settling} = payment(unpaid($t, '/settling'));
$f->forget;
my $c = $t->connect;
$c->write_request(GET => '/settling', headers => [ header_of($payment{settling}) ]);
$f->wait_calls(settle => 1);
my $sent = +($f->requests('settle'))[0]{body};
$f->settle('paid');

$t->kill_all;
open my $torn, '>>:raw', $journal or die $!;
print {$torn} "\xffx402\0\xfe\1", 'half a record';
close $torn;
$t->start;
$t->log_like(qr/\[warn\].*\Q$journal\E.*not a record/, 'a torn end is passed over, and said');
$_->forget for $f, $up;

is paid($t, '/used', payment => $payment{used})->status, 402, 'started again: used is used';
is $f->calls . $up->count, '00', 'no facilitator was asked';
my $r = paid($t, '/elsewhere', payment => $payment{unknown});
is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', 'unknown is unknown';
is_content paid($t, '/unknown', payment => $payment{unknown}), "SECRET\n", 'and is finished by its payment';
is $f->order, 'settle', 'by settling again';
$f->forget;
is_content paid($t, '/settling', payment => $payment{settling}), "SECRET\n", 'so is what was being settled';
is +($f->requests('settle'))[0]{body}, $sent, 'with the same bytes';
$f->forget;
is_content paid($t, '/freed', payment => $payment{freed}), "SECRET\n", 'what was free is free';
is $f->order, 'verify settle', 'and is paid from the beginning';

# --- reload, and what it may not change

$t->wait_exit($t->reload);
$f->forget;
is paid($t, '/settling', payment => $payment{settling})->status, 402, 'reload: known';
my $before = size_of($journal);
is_content paid($t, '/after', payment => payment(unpaid($t, '/after'))), "SECRET\n", 'reload: sells on';
cmp_ok size_of($journal), '>', $before, 'reload: and writes on';
for my $other ('x402_zone mine:1m;', "x402_zone mine:1m journal=$journal.other;") {
    zone($other);
    ok $t->reload_refused(qr/\[emerg\].*journal/), "reload refused: $other";
}
zone("x402_zone mine:1m journal=$journal;");

# --- not two of them

my $second = $t->filled($conf =~ s/%%PORT%%/%%PORT_second%%/r, 'logs/second.log') =~ s/nginx\.pid/second.pid/r;
$t->write('second.conf', $second);
my $output = qx{$binary -p $t->{dir} -c $t->{dir}/second.conf -e $t->{dir}/logs/second.log 2>&1};
like $output, qr/\[emerg\].*in use by another nginx/, 'another nginx is refused';

# --- a full disk

is $t->quit, 0, 'ended';
$before = size_of($journal);
$t->write('limit', 128);    # blocks of 512 bytes
$t->start;
cmp_ok size_of($journal), '<', $before, 'a start rewrites it, which is shorter';
$f->forget;
my ($served, $full) = (0);
# Verified while there was room, and settled when there is none.
$up->on('/held', body => "SECRET\n", hold => 1);
my @held = map {
    my $one = $t->connect;
    $one->write_request(GET => '/held', headers => pay_with($t, '/held'));
    $one;
} 1 .. 2;
$up->wait_count('/held', 2);
for (1 .. 80) {
    $r = paid($t, '/many');
    if ($r->status == 200) { $served++; next }
    $full = $r;
    last;
}
ok $served, 'served at first';
is $full && $full->status . $full->body, '503{"error":"busy","charged":false}', 'a full disk: busy, nobody is charged';
$up->on('/held', body => "SECRET\n");
$up->release('/held');
for (map { $_->answer } @held) {
    is $_->status . $_->body, '503{"error":"busy","charged":false}', 'a full disk: content that is made is not sold';
    no_trace $_, 'SECRET', 'a full disk: nor given away';
}
is $f->calls('settle'), $served, 'a full disk: what cannot be written down is not sent';
is paid($t, '/many')->status, 503, 'a full disk: and so on';
# One that is too late for nginx is a busy machine's.
for (1 .. 5) { last if ($r = paid($t, '/short'))->status != 402 }
is $r->status, 503, 'a full disk: a payment that is good for four seconds';
cmp_ok $r->header('Retry-After'), '<=', 4, 'a full disk: is not told to come back when it is over';
$t->log_like(qr/\[error\].*the journal of x402_zone cannot be written/, 'a full disk: it is not the size of the zone');
$t->log_like(qr/\[crit\].*\Q$journal\E.*free disk space/, 'a full disk: the log says where, and what to do');
is $t->quit, 0, 'ended';
$t->write('limit', '');
$t->start;
is_content paid($t, '/many'), "SECRET\n", 'room again: sells again';

# With x402_settle off only the journal prevents a second use of a payment. The disk is full in the middle
# of another record each time.
for my $blocks (128 .. 131) {
    is $t->quit, 0, 'ended';
    $t->write('limit', $blocks);
    $t->start;
    my $sold;
    for (1 .. 1000) {
        my $payment = payment(unpaid($t, '/off'));
        $r = paid($t, '/off', payment => $payment);
        last if $r->status != 200;
        $sold = $payment;
    }
    is $r->status . $r->body, '503{"error":"busy","charged":false}', "settle off, $blocks blocks: busy";
    is $t->quit, 0, 'ended';
    $t->write('limit', '');
    $t->start;
    $f->forget;
    paid($t, '/off', payment => $sold);
    is $f->calls, 0, "settle off, $blocks blocks: the last that was sold is known";
    is paid($t, '/off', payment => $sold)->status, 402, "settle off, $blocks blocks: and used, at the latest now";
}

# --- a file that is not a journal is not overwritten

is $t->quit, 0, 'ended';
$t->write('claims.journal', "dear diary\n");
$t->allow(qr/\[emerg\]/);
ok !eval { $t->start; 1 }, 'nginx does not start with another file for its journal';
like $@, qr/not a journal of this build/, 'and says why';
like $t->config_error($conf), qr/\[emerg\].*claims\.journal" is not a journal of this build/, 'nginx -t says it, too';
open my $diary, '<', $journal or die $!;
is scalar(<$diary>), "dear diary\n", 'which is left alone';

unlink $journal;
$t->write('claims.journal.2', "dear diary\n");
ok !eval { $t->start; 1 }, 'nor with another file for its second one';
like $@, qr/journal\.2" is not a journal of this build/, 'and says which';
is size_of("$journal.2"), 11, 'which is left alone';

finish;
