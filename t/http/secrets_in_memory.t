# SPDX-License-Identifier: Apache-2.0
# A core dump of a worker or the master has no key in it: every secret that the
# configuration names lies in pages that dumps leave out, and what was copied on
# the way was overwritten.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(hmac_sha256_hex);
use MIME::Base64 qw(encode_base64);
use X402::Mpp;
use X402::Redis;
use X402::Test;

Test::More::plan(skip_all => 'a sanitizer or valgrind has memory of its own') if $ENV{X402_SLOW};

my ($f, $up, $hook) = (facilitator(), backend(), backend());
my $redis = X402::Redis->new(requirepass => my $store_password = random_text(24));
my $text  = <<'EOT';
%%GLOBALS%%
worker_processes 2;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%/bearer;
    x402_facilitator_auth bearer keys/bearer;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_protocol v2 mpp;
    x402_seal_key keys/seal keys/former_seal;
    %%MEMORY%%
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example localhost;
        location /passed/  { x402_pass time=1h; proxy_pass http://%%BACKEND%%; }
        location /keyed/   { x402_pass time=1h key_file=keys/pass; proxy_pass http://%%BACKEND%%; }
        location /mpp/  { x402_mpp key=keys/mpp; proxy_pass http://%%BACKEND%%; }
        location /eddsa/   { x402_sign_offers key=keys/eddsa; proxy_pass http://%%BACKEND%%; }
        location /es256/   { x402_sign_offers key=keys/es256 kid=did:web:shop.example#key-2; proxy_pass http://%%BACKEND%%; }
        location /cdp/     { x402_facilitator_auth cdp keys/cdp; proxy_pass http://%%BACKEND%%; }
        location /pem/     { x402_facilitator_auth cdp keys/pem; proxy_pass http://%%BACKEND%%; }
        location /portal/  { x402_facilitator_auth cdp keys/portal; proxy_pass http://%%BACKEND%%; }
        location /payai/   { x402_facilitator_auth payai keys/payai; proxy_pass http://%%BACKEND%%; }
        location /proxied/ { %%PROXY%% proxy_pass http://%%BACKEND%%; }
        location = /did    { x402_did_document old=keys/published; }
    }
}
EOT
my $journal = 'x402_zone x402:1m journal=payments; x402_webhook http://%%HOOK%%/hook/ secret=keys/webhook;';
my $store   = "x402_store redis://127.0.0.1:%%STORE%% password=keys/store timeout=20s;";
# It is configured only: libcurl, which calls, has memory of its own.
my $proxy = 'x402_facilitator %%FACILITATOR%%/proxied; x402_facilitator_proxy http://127.0.0.1:1 user=me password=keys/proxy;';
$hook->on('*', status => 204);
$up->on('*', body => "CONTENT\n");

# --- the secrets, and each form in which they may lie about -----------------------------

sub random_text ($length) {
    my @letters = ('a' .. 'z', 'A' .. 'Z', 0 .. 9);
    return join '', map { $letters[ rand @letters ] } 1 .. $length;
}
sub der ($pem) {
    open my $openssl, '-|', 'openssl', 'pkey', '-in', $pem, '-outform', 'DER' or die;
    binmode $openssl;
    local $/;
    return <$openssl>;
}
sub body ($pem) { return [ grep { length && !/^-/ } split /\n/, $pem ] }

my %forms;    # of what a file has: a list of texts, none of which may be found
sub secret ($t, $name, $content, @forms) {
    chmod 0600, $t->write("keys/$name", $content);
    $forms{$name} = \@forms;
    return;
}
sub hmac_key ($key) { return $key, map { $key ^. $_ x length $key } '6', '\\' }
# What HMAC makes of the key that MPP has from that of x402_seal_key is not in any file.
sub derived ($seal) { return hmac_key(hmac_sha256_hex('x402_protocol mpp', $seal)) }

sub key_pem ($t, $name, @how) {
    my $path = $t->write("made/$name", '');
    system("openssl genpkey @how -out $path 2>/dev/null") == 0 or die;
    my $bytes = der($path);
    my $raw   = "@how" =~ /ed25519/ ? substr $bytes, -32 : ($bytes =~ /\x02\x01\x01\x04\x20(.{32})/s)[0];
    return (X402::Nginx::_slurp($path), $raw, scalar reverse $raw);
}
sub public_of ($t, $name) {
    open my $openssl, '-|', 'openssl', 'pkey', '-in', $t->dir . "/made/$name", '-pubout', '-outform', 'DER' or die;
    binmode $openssl;
    local $/;
    return substr <$openssl>, -32;
}

sub write_secrets ($t) {
    for my $name (qw(bearer seal former_seal pass mpp proxy)) {
        my $key = random_text($name eq 'proxy' ? 9 : 48);    # a short one, too
        secret($t, $name, "$key\n", $name eq 'seal' ? (hmac_key($key), derived($key)) : hmac_key($key));
    }
    my $hook = random_text(33);
    secret($t, webhook => 'whsec_' . encode_base64($hook, '') . "\n", encode_base64($hook, ''), hmac_key($hook));
    secret($t, store => "$store_password\n", $store_password);
    my @p256 = qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256);
    for (['eddsa', qw(-algorithm ed25519)], ['es256', @p256], ['published', @p256]) {
        my ($name, @how) = @$_;
        my ($pem, @raw) = key_pem($t, $name, @how);
        secret($t, $name, $pem, body($pem)->@*, @raw);
    }
    my ($pem, @raw) = key_pem($t, 'pem', @p256);
    secret($t, pem => "id = the-id\nsecret =\n$pem", body($pem)->@*, @raw);
    ($pem, @raw) = key_pem($t, 'portal', @p256);
    secret($t, portal => '{"name":"the-name","privateKey":"' . $pem =~ s/\n/\\n/gr . '"}', body($pem)->@*, @raw);
    ($pem, @raw) = key_pem($t, 'cdp', qw(-algorithm ed25519));
    my $both = encode_base64($raw[0] . public_of($t, 'cdp'), '');
    secret($t, cdp => "id = the-cdp-id\nsecret = $both\n", substr($both, 0, 42), @raw);
    ($pem, @raw) = key_pem($t, 'payai', qw(-algorithm ed25519));
    my $der = encode_base64(der($t->dir . '/made/payai'), '');
    secret($t, payai => "id = the-payai-id\nsecret = payai_sk_$der\n", substr($der, 22), @raw);
    return;
}

# --- what a process has that a dump would have ----------------------------------------------

# Each mapping: its name, whether dumps leave it out, and its bytes.
sub memory ($pid) {
    no warnings 'portable';    # addresses
    open my $maps, '<', "/proc/$pid/smaps" or die "smaps: $!";
    open my $bytes, '<:raw', "/proc/$pid/mem" or die "mem: $!";
    my @found;
    while (my $line = <$maps>) {
        if ($line =~ /\A([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)/) {
            push @found, { from => hex $1, to => hex $2, how => $3, name => $4 };
        }
        $found[-1]{hidden} = 1 if $line =~ /\AVmFlags:.* dd\b/;
    }
    for my $part (grep { $_->{how} =~ /r/ && $_->{name} !~ /\A\[v/ } @found) {
        sysseek $bytes, $part->{from}, 0 or next;
        my $size = $part->{to} - $part->{from};
        $part->{bytes} = '';
        while (length $part->{bytes} < $size) {
            sysread($bytes, $part->{bytes}, $size - length $part->{bytes}, length $part->{bytes}) or last;
        }
    }
    return @found;
}

# A piece is enough: the heap may have overwritten the begin of what was freed.
sub pieces ($form) {
    my $size = length $form < 12 ? length $form : 12;
    return map { substr $form, $_, $size } grep { $_ + $size <= length $form } map { $_ * 4 } 0 .. length $form;
}

# `but`: what is not looked for.
sub search ($where, $but, @pids) {
    my (%of, %shown, %hidden);
    for my $name (grep { $_ ne $but } keys %forms) {
        $of{$_} = $name for map { pieces($_) } $forms{$name}->@*;
    }
    my $any = join '|', map { quotemeta } sort keys %of;
    for my $part (map { memory($_) } @pids) {
        while (($part->{bytes} // '') =~ /($any)/gs) {
            if   ($part->{hidden}) { $hidden{ $of{$1} } = 1 }
            else                   { $shown{"$of{$1} in " . ($part->{name} || 'memory')}++ }
        }
    }
    is join("\n", sort keys %shown), '', "$where: no secret is in memory that a dump has";
    return \%hidden;
}

# All that uses keys.
sub work ($t) {
    my $pass = paid($t, '/passed/a')->header('X402-Pass');
    is $t->get('/passed/a', headers => [ 'X402-Pass' => $pass ])->status, 200, 'a pass';
    for my $path (map {"/$_/a"} qw(keyed mpp eddsa es256 cdp pem portal payai)) {
        is paid($t, $path)->status, 200, "$path: paid" for 1 .. 2;
    }
    for my $path ('/mpp/b', '/passed/b') {
        is $t->get($path, headers => [ Authorization => credential(challenge($t->get($path))) ])->status, 200, "$path: paid in MPP";
    }
    is $t->get('/did')->status, 200, 'the document of keys';
    return;
}

# `published` is read for its public part alone.
my @kept = qw(bearer cdp eddsa es256 former_seal mpp pass payai pem portal seal);

for my $case ([ journal => $journal, 'webhook' ], [ store => $store, 'store' ]) {
    my ($name, $memory, $own) = @$case;
    my $t = nginx($text, facilitator => $f, backend => $up,
        holes => { HOOK => $hook->address, MEMORY => '', PROXY => '', STORE => $redis->port });
    %forms = ();
    write_secrets($t);
    $t->{holes}{MEMORY} = $t->filled($memory);
    $t->{holes}{PROXY}  = $t->filled($proxy) if $t->config_error($text =~ s/%%PROXY%%/$proxy/r) !~ /needs libcurl/;
    $t->conf($text)->start;
    work($t);
    ok $hook->wait_count('/hook/', 5), 'events were sent' if $name eq 'journal';
    search("$name, the workers", 'proxy', $t->workers);
    my @wanted = sort @kept, $own, $t->{holes}{PROXY} ? 'proxy' : ();
    is join(' ', sort keys search("$name, the master", '', $t->pid)->%*), "@wanted", "$name: they are where dumps do not reach";

    my %before = %forms;
    write_secrets($t);
    $t->wait_exit($t->reload);
    $forms{"old $_"} = $before{$_} for grep { $_ ne 'store' } keys %before;
    work($t);
    search("$name, new workers", 'proxy', $t->workers);
    is join(' ', sort keys search("$name, the master after a reload", '', $t->pid)->%*), "@wanted", "$name: what was replaced is nowhere";
}

# --- the key that nginx makes -----------------------------------------------------------------

my $t = nginx($text =~ s/^ +(?:x402_seal_key|location .(?:passed|keyed|mpp)).*\n//gmr, facilitator => $f, backend => $up,
    holes => { MEMORY => '', PROXY => '' });
$t->allow(qr/\[warn\].*has no key in a file/);
%forms = ();
write_secrets($t);
$t->start;
is $t->get('/cdp/a', headers => [ Authorization => credential(challenge($t->get('/cdp/a'))) ])->status, 200, 'paid under a key that was made';
my @made = grep { $_->{name} =~ /zero/ && ($_->{bytes} // '') =~ /x402key1.{32}/s } map { memory($_) } $t->pid, $t->workers;
is scalar(@made), 3, 'which all processes have';
is scalar(grep { $_->{hidden} } @made), 3, 'in memory that is in no dump';

finish;
