# SPDX-License-Identifier: Apache-2.0
# Rules about payers: x402_deny, x402_limit_payer and x402_quota are asked once a
# payment was verified, and charge nothing where they say no. x402_free gives
# requests away before the price.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $bad  = '0x' . 'bad0' x 10;
my $text = <<'EOF';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_zone x402:10m;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Client;
    map $x402_payer $refused_payer { default 0; BAD 1; }
    map $x402_answer_risk $risky { default 0; high 1; }
    server {
        listen 127.0.0.1:%%PORT_behind%% proxy_protocol;
        location /balanced { x402_free 2/d key=$proxy_protocol_addr zone=balanced:64k; proxy_pass http://%%BACKEND%%; }
    }
    server {
        listen 127.0.0.1:%%PORT%%;
        add_header X-State "$x402_state $x402_reason" always;
        location /      { proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402 off; x402_status prometheus; }
        location /deny  { x402_deny $refused_payer $risky; proxy_pass http://%%BACKEND%%; }
        location /denied-before { x402_settle before; x402_deny $refused_payer; proxy_pass http://%%BACKEND%%; }
        location /limit { x402_limit_payer zone=slow:64k rate=1r/m burst=1; proxy_pass http://%%BACKEND%%; }
        location /unsized { x402_limit_payer zone=unsized rate=1r/m; proxy_pass http://%%BACKEND%%; }
        location /beside  { x402_limit_payer zone=x402 rate=1r/m; proxy_pass http://%%BACKEND%%; }
        location /unnamed { x402_quota payer 1/h; proxy_pass http://%%BACKEND%%; }
        location /quota { x402_quota payer 2/h; x402_quota $http_x_team 3/day zone=teams:64k; proxy_pass http://%%BACKEND%%; }
        location /inner {
            x402_deny $refused_payer;
            x402_quota payer 1/h;
            location /inner/off { x402_deny off; x402_quota off; proxy_pass http://%%BACKEND%%; }
            proxy_pass http://%%BACKEND%%;
        }
        location /free  { x402_free 2/d key=$http_x_key; proxy_pass http://%%BACKEND%%; }
        location /moved { x402_free 2/d key=$http_x_key zone=moved:64k; try_files /nothing @moved; }
        location @moved { x402_free 2/d key=$http_x_key zone=moved:64k; proxy_pass http://%%BACKEND%%; }
        location /to-other { x402_free 2/d key=$http_x_key zone=moved:64k; try_files /nothing @other; }
        location @other { x402_price $1; x402_free 1/d key=$http_x_key zone=others:64k; proxy_pass http://%%BACKEND%%; }
        location /any/  { satisfy any; deny all; x402_free 2/d key=$http_x_key zone=any:64k; index i.txt; root %%DIR%%/html; }
        location /address { x402_free 2/d key=$binary_remote_addr zone=address:64k; proxy_pass http://%%BACKEND%%; }
        location /written { x402_free 2/d key=$remote_addr zone=written:64k; proxy_pass http://%%BACKEND%%; }
        location /braces  { x402_free 2/d key=${Binary_Remote_Addr} zone=braces:64k; proxy_pass http://%%BACKEND%%; }
        location /soon  { x402_free 1/2s key=$http_x_key; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$text =~ s/BAD/$bad/;
my $t = nginx($text, facilitator => $f, backend => $up);
$up->on('*', body => "SECRET\n");
$t->write('html/any/i.txt', "SECRET\n");
$t->allow(qr/\[warn\].*zone "unsized" has no size/);
$t->start;

sub payer () { return (change => { from => random_hex(20) }) }
sub asked ($path) { return scalar grep { $_->{path} eq $path } $up->requests }

# --- x402_deny -----------------------------------------------------------------------

my @bad = (change => { from => $bad });
my $r = paid($t, '/deny', @bad);
is $r->status . $r->body, '403{"error":"payer_refused","charged":false}', 'a payer that is not served';
is $r->header('X-State'), 'refused payer_refused', 'is refused, not failed';
is $f->order, 'verify', 'after it was verified, and not charged';
is asked('/deny'), 0, 'the backend has not seen it';

my $payment = payment(unpaid($t, '/deny'), from => $bad);
is paid($t, '/deny', payment => $payment)->status, 403, 'again and again';
is_content paid($t, '/', change => { from => $bad }), "SECRET\n", 'elsewhere it buys';
is_content paid($t, '/deny', payer), "SECRET\n", 'and others buy here';

$f->forget;
$f->verify(ok => 1, with => { risk => 'high' });
is paid($t, '/deny', payer)->status, 403, "by the facilitator's answer";
$f->verify('ok');

$f->forget;
is paid($t, '/denied-before', @bad)->status, 403, 'where money moves first';
is $f->order, 'verify', 'it is verified before';
is_content paid($t, '/denied-before', payer), "SECRET\n", 'others pay';

# The claim is free: the same payment buys as soon as the rule is gone.
$payment = payment(unpaid($t, '/deny'), from => $bad);
is paid($t, '/deny', payment => $payment)->status, 403, 'refused';
$t->conf($text =~ s/\Q$bad\E 1/none 1/r)->reload;
is_content paid($t, '/deny', payment => $payment), "SECRET\n", 'the same payment, when the rule is gone';
$t->conf($text)->reload;

# --- x402_limit_payer ----------------------------------------------------------------

my @one = payer;
$f->forget;
is_content paid($t, '/limit', @one), "SECRET\n", "request $_ in a row" for 1, 2;
$r = paid($t, '/limit', @one);
is $r->status . $r->body, '429{"error":"payer_too_fast","charged":false}', 'the third is too fast';
cmp_ok $r->header('Retry-After'), '>', 30, 'it is told to wait';
cmp_ok $r->header('Retry-After'), '<=', 60, 'a minute at most';
is $f->calls('settle'), 2, 'and not charged';
is_content paid($t, '/limit', payer), "SECRET\n", 'another payer is not limited';
(my $upper = $one[1]{from}) =~ s/([a-f])/uc $1/ge;
is paid($t, '/limit', change => { from => '0x' . substr $upper, 2 })->status, 429, 'letters of another case are no other payer'
    if $upper ne $one[1]{from};

# --- x402_quota ------------------------------------------------------------------------

my @two = payer;
is_content paid($t, '/quota', @two), "SECRET\n", "number $_" for 1, 2;
$r = paid($t, '/quota', @two);
is $r->status . $r->body, '429{"error":"quota_used_up","charged":false}', 'no third within the hour';
my @team = (headers => [ 'X-Team' => 'a' ]);
is_content paid($t, '/quota', payer, @team), "SECRET\n", "the team's number $_" for 1 .. 3;
is paid($t, '/quota', payer, @team)->status, 429, 'no fourth, whichever payer asks';
is_content paid($t, '/quota', payer, headers => [ 'X-Team' => 'b' ]), "SECRET\n", 'another team';
$t->reload;
is paid($t, '/quota', @two)->status, 429, 'a reload forgets nothing';

my @three = payer;
is_content paid($t, '/inner', @three), "SECRET\n", 'one';
is paid($t, '/inner', @three)->status, 429, 'no second';
is_content paid($t, '/inner/off', @three), "SECRET\n", 'off in a location within' for 1, 2;
is_content paid($t, '/inner/off', @bad), "SECRET\n", 'as is the other rule';

# Forged payments count for no payer.
my @four = payer;
$f->verify(invalid => 'invalid_exact_evm_payload_signature');
paid($t, '/inner', @four) for 1 .. 3;
$f->verify('ok');
is_content paid($t, '/inner', @four), "SECRET\n", 'a payer is not counted before it was verified';

# --- x402_free ---------------------------------------------------------------------------

my @key = (headers => [ 'X-Key' => 'k1' ]);
$f->forget;
for my $n (1, 2) {
    $r = $t->get('/free', @key);
    is $r->status . $r->body, "200SECRET\n", "free request $n";
    is $r->header('X-State'), 'free', 'says so';
    is $r->header('Cache-Control'), 'private', 'and is not for caches';
}
is $t->get('/free', @key)->status, 402, 'the third costs';
is_content paid($t, '/free', @key), "SECRET\n", 'and is sold';
is $f->calls('settle'), 1, 'once';
is $t->get('/free', headers => [ 'X-Key' => 'k2' ])->status, 200, 'another key has its own';
# All addresses of a network of IPv6 are one client, those of IPv4 are not.
for my $path ('/address', '/written', '/braces') {
    my $by = sub ($address) { return $t->get($path, headers => [ 'X-Client' => $address ])->status };
    is join(' ', map { $by->($_) } '2001:db8:1:2::1', '2001:db8:1:2:ffff::2', '2001:db8:1:2::3'), '200 200 402', "$path: a network";
    is join(' ', map { $by->($_) } '2001:db8:1:3::1', '192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.1'), '200 200 200 200 402', "$path: others";
    is join(' ', map { $by->($_) } '::ffff:198.51.100.1', '::ffff:198.51.100.2', '::ffff:198.51.100.3'), '200 200 200', "$path: IPv4 in IPv6";
}
# So are those that a balancer tells of.
sub balanced ($address) {
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . $t->port('behind')) or die "no connection: $!";
    print $socket "PROXY TCP6 $address ::1 1024 80\r\nGET /balanced HTTP/1.0\r\n\r\n";
    return <$socket> =~ /\AHTTP\S+ (\d+)/ ? $1 : 'none';
}
is join(' ', map { balanced($_) } qw(2001:db8:1:2::1 2001:db8:1:2:ffff::2 2001:db8:1:2::3 2001:db8:1:3::1)), '200 200 402 200',
    'the address of the PROXY protocol: a network, too';
is $t->get('/free')->status, 402, 'without a key nothing is free';
is $t->get('/soon', @key)->status, 200, 'free';
is $t->get('/soon', @key)->status, 402, 'used up';
ok $t->wait_for(sub { $t->get('/soon', @key)->status == 200 }), 'and free again when its time is over';

is join(' ', map { $t->get('/moved', @key)->status } 1 .. 3), '200 200 402', 'a request that is redirected is counted once';
my @third = (headers => [ 'X-Key' => 'k3' ]);
is join(' ', map { $t->get('/to-other', @third)->status } 1, 2), '200 402', 'another rule counts by itself';

my @fourth = (headers => [ 'X-Key' => 'k4' ]);
is join(' ', map { $t->get('/any/', @fourth)->status } 1 .. 3), '200 200 402', 'satisfy any: the free ones are let in, the next one can be bought';
is paid($t, '/any/')->status, 200, 'and is';
is $t->get('/any/i.txt')->status, 402, 'without a key it has to be';

# --- zones ----------------------------------------------------------------------------------

for my $path ('/unsized', '/beside', '/unnamed') {
    my @same = payer;
    is_content paid($t, $path, @same), "SECRET\n", "$path: a zone of 1m, if no size is written";
    is paid($t, $path, @same)->status, 429, 'counts';
}
my ($named, $fine) = $t->test_config($text =~ s/x402_zone x402:10m;//r =~ s/(\/inner \{)/$1 x402_limit_payer zone=unsized:64k rate=1r\/s;/r);
ok $fine, 'without x402_zone, and with a size that is written later' or diag $named;

# --- in metrics ------------------------------------------------------------------------------

for my $case ([ '/deny', 'payer_refused' ], [ '/limit', 'payer_too_fast' ], [ '/quota', 'quota_used_up' ]) {
    my ($location, $reason) = @$case;
    my $series = qr/^nginx_x402_refusals_total\{[^}]*location="$location",reason="$reason"\} [1-9]/m;
    ok $t->wait_for(sub { $t->get('/metrics')->body =~ $series }), "$reason is a reason of its own";
}

# --- what is refused at start ---------------------------------------------------------------

for my $case (
    [ 'x402_deny 1',                           'would refuse every payer' ],
    [ 'x402_deny off; x402_deny $arg_a',       'stands alone' ],
    [ 'x402_limit_payer burst=1',              'has no rate' ],
    [ 'x402_limit_payer rate=10',              'is not a rate' ],
    [ 'x402_limit_payer rate=1r/s zone=a:1k',  'at least 32k' ],
    [ 'x402_limit_payer rate=1r/s zone=',      'has no name' ],
    [ 'x402_limit_payer speed=1',              'is unknown' ],
    [ 'x402_limit_payer rate=1r/s; x402_limit_payer off', 'is duplicate' ],
    [ 'x402_quota payer',                      'needs a subject and a number' ],
    [ 'x402_quota me 1/d',                     'is the same for all' ],
    [ 'x402_quota payer 0/d',                  'is not a number of requests' ],
    [ 'x402_quota payer 5',                    'is not a number of requests' ],
    [ 'x402_quota payer 5/x',                  'is not a number of requests' ],
    [ 'x402_quota payer 5/days',               'is not a number of requests' ],
    [ 'x402_quota payer 5/d size=1',           'write zone=' ],
    [ 'x402_free 5/d',                         'needs to know whose' ],
    [ 'x402_free 5/d key=all',                 'write key= with a variable' ],
    [ 'x402_free 5 key=$arg_a',                'is not a number of requests' ],
    [ 'x402_free off; x402_free off',          'is duplicate' ],
) {
    my ($line, $says) = @$case;
    my ($said, $passed) = $t->test_config($text =~ s/(location \/ +\{)/$1 $line;/r);
    ok !$passed && $said =~ /\[emerg\].*\Q$says\E/, "refused: $line" or diag $said;
}

finish;
