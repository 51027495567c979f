# SPDX-License-Identifier: Apache-2.0
# The way to the store is TLS (rediss://), and the store knows its user (ACL): a
# server that cannot prove who it is, a wrong password or a missing right mean
# 503 busy and a line that says what to do. The rights in the documentation are
# enough for all that a payment can go through.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Certificates;
use X402::Machines;
use X402::Redis;
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = machines_conf('timeout=2s lease=3s', patient => 1, address => '127.0.0.1');
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { STORE => '' });
X402::Certificates::make($t->dir);
my $password = $t->write('store.password', "a-long-password\n");
chmod 0600, $password;
my $tls   = X402::Port::reserve();
my $redis = X402::Redis->new('tls-port' => $tls, 'tls-auth-clients' => 'no', 'tls-ca-cert-file' => $t->dir . '/ca.pem',
    'tls-cert-file' => $t->dir . '/good.pem', 'tls-key-file' => $t->dir . '/good.key');

# The user that docs/several-machines.md tells to make.
my $docs = do {
    open my $file, '<', "$FindBin::Bin/../../docs/several-machines.md" or die $!;
    local $/;
    <$file>;
};
my ($rights) = $docs =~ /^user x402 (on .*)$/m or die 'no user in the documentation';
$redis->ask(ACL => 'SETUSER', 'x402', 'reset', split / /, $rights);
$up->on('*', body => "SECRET\n");
my $count = 0;

sub certificate ($name) {
    $redis->ask(CONFIG => 'SET', 'tls-cert-file', $t->dir . "/$name.pem", 'tls-key-file', $t->dir . "/$name.key");
    $redis->ask(CLIENT => 'KILL', TYPE => 'normal', SKIPME => 'yes');
    return;
}

sub start_with ($store, %parameter) {
    $t->stop if $t->running;
    $t->{holes}{STORE} = join ' ', $store, map {"$_=$parameter{$_}"} sort keys %parameter;
    $t->conf($conf);
    $t->start;
    return;
}

sub is_busy ($name, $line) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer;
    # A connection that is just being closed may serve one more.
    $t->wait_for(sub { $_->forget for $f, $up; ($answer = paid($t, '/busy' . ++$count))->status == 503 });
    is $answer->status . $answer->body, '503{"error":"busy","charged":false}', "$name: busy";
    is $f->calls + $up->hits, 0, "$name: nobody is asked";
    $t->log_like($line, "$name: with a line that says what to do");
    return;
}

sub is_back ($name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $answer;
    $t->wait_for(sub { ($answer = paid($t, '/back' . ++$count))->status == 200 }, 20);
    return is $answer->body, "SECRET\n", "$name: payments go on" || diag $t->log;
}

my %good = (password => $password, ssl_trusted_certificate => $t->dir . '/ca.pem');
start_with("rediss://x402\@127.0.0.1:$tls", %good);

# --- what a payment can go through, with the rights of the documentation

is_content paid($t, '/a'), "SECRET\n", 'paid, by way of TLS, as a user';
$f->settle_once('close');
my $unknown = payment(unpaid($t, '/unknown'));
is paid($t, '/unknown', payment => $unknown)->status, 503, 'an unknown outcome';
is_content paid($t, '/unknown', payment => $unknown), "SECRET\n", 'and its content';
$f->settle_once(refused => 'insufficient_funds');
my $refused = payment(unpaid($t, '/refused'));
is paid($t, '/refused', payment => $refused)->status, 402, 'refused';
$f->settle('hold');
$f->forget;
my $owed = payment(unpaid($t, '/owed'));
my $c    = $t->connect;
$c->write_request(GET => '/owed', headers => [ header_of($owed) ]);
$f->wait_calls(settle => 1);
$t->leave($c);
$f->settle('paid');
$f->release('settle');
$t->log_like(qr/paid, content owed/, 'owed');
is_content paid($t, '/owed', payment => $owed), "SECRET\n", 'and its content';
$up->on('/slow', body => "SECRET\n", delay => 4);
is_content paid($t, '/slow'), "SECRET\n", 'longer than a lease';
$f->settle_once('close');
is paid($t, '/due')->status, 503, 'one that is asked about in the background';
$_->forget for $f, $up;
ok $t->wait_for(sub { $f->calls('settle') >= 1 }, 20), 'which happens';
$t->log_unlike(qr/NOPERM/, 'no right is missing');
like $redis->ask(CLIENT => 'LIST'), qr/user=x402/, 'it is this user that came';
my ($calls) = $redis->ask(INFO => 'commandstats') =~ /cmdstat_evalsha:calls=(\d+)/;
cmp_ok $calls // 0, '>', 10, 'calls acknowledged: ' . ($calls // 0);

# --- certificates

for my $case (
    [ expired => qr/TLS to .*expired.*the certificate of the server/ ],
    [ other   => qr/TLS to .*mismatch.*correct the host of x402_store/ ],
    [ self    => qr/TLS to .*self.signed.*ssl_trusted_certificate=/ ],
) {
    my ($name, $line) = @$case;
    certificate($name);
    is_busy("certificate $name", $line);
    certificate('good');
    is_back("after $name");
}
start_with("rediss://x402\@127.0.0.1:$tls", %good, ssl_trusted_certificate => $t->dir . '/self.pem');
is_busy('another authority', qr/TLS to .*ssl_trusted_certificate/);
start_with("rediss://x402\@127.0.0.1:$tls", password => $password);
is_busy("the system's authorities", qr/TLS to .*ssl_trusted_certificate/);
start_with('rediss://x402@localhost:' . $tls, %good);
is_back('by name');

# --- the other kind of port

start_with('rediss://x402@127.0.0.1:' . $redis->port, %good);
is_busy('TLS with a server that has none', qr/TLS to .*write redis:/);
start_with("redis://x402\@127.0.0.1:$tls", password => $password);
is_busy('no TLS with a server that needs it', qr/before it answered; if it expects TLS, write rediss:/);

# --- users

start_with("rediss://x402\@127.0.0.1:$tls", %good);
is_back('the right user');
$redis->ask(ACL => 'SETUSER', 'x402', 'resetpass', '>another');
$redis->ask(CLIENT => 'KILL', TYPE => 'normal', SKIPME => 'yes');
is_busy('a wrong password', qr/WRONGPASS.*correct the user or the password of x402_store/);
$redis->ask(ACL => 'SETUSER', 'x402', 'resetpass', '>a-long-password');
is_back('the right password');
$redis->ask(ACL => 'SETUSER', 'x402', '-evalsha');
is_busy('a right is missing', qr/\[crit\].*NOPERM.*give the user of x402_store the rights/);
$redis->ask(ACL => 'SETUSER', 'x402', '+evalsha');
is_back('with the right');
$redis->ask(ACL => 'SETUSER', 'x402', 'off');
$redis->ask(CLIENT => 'KILL', TYPE => 'normal', SKIPME => 'yes');
is_busy('a user that is off', qr/WRONGPASS.*correct the user/);
$redis->ask(ACL => 'SETUSER', 'x402', 'on');
$redis->ask(ACL => 'SETUSER', 'default', 'resetpass', '>admin');
$redis->{options}{requirepass} = 'admin';
start_with('redis://127.0.0.1:' . $redis->port);
is_busy('no password', qr/NOAUTH.*write password=file into x402_store/);

finish;
