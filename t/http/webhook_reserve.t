# SPDX-License-Identifier: Apache-2.0
# Events for a webhook that are not received: they leave a part of a small disk to
# the journal and the ledger, so that sales go on; and a receiver whose name
# has no address is named.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOC';
%%GLOBALS%%
worker_processes 1;
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    x402_ledger off;
    x402_zone x402:4m journal=disk/payments;
    x402_webhook http://%%HOOK%%/hook;
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOC
my $holes = { HOOK => 'unknown.invalid' };
my $t = nginx($conf, facilitator => $f, backend => $up, holes => $holes);
$up->on('*', body => "CONTENT\n");
mkdir $t->dir . '/disk' or die $!;

sub metric ($name) { return $t->get('/metrics')->body =~ /^nginx_x402_webhook_$name (\d+)$/m ? $1 : -1 }

# --- a name without an address ---------------------------------------------------------

$t->start;
$t->log_like(qr/\[warn\].*no address found for x402_webhook's host "unknown\.invalid"; workers keep trying, payments go on, and their events wait/, 'the host of the webhook is named');
is_content paid($t, '/name'), "CONTENT\n", 'sold';
$t->log_like(qr/\[error\].*the webhook "http:\S+" did not accept an event: host not found; 2 events wait/, 'and why its events wait');
is metric('waiting_events'), 2, 'they wait';
ok defined $t->quit, 'nginx ends';

# --- a small disk -------------------------------------------------------------------

SKIP: {
    # In a mount namespace of its own: a disk of 1 MB.
    my $disk = $t->dir . '/disk';
    skip 'needs root, and mounts', 1 if system("unshare -m mount -t tmpfs -o size=1m none $disk 2>/dev/null") != 0;
    my $wrapper = $t->write('small-nginx', <<"EOC");
#!/bin/sh
exec unshare -m sh -c 'mount -t tmpfs -o size=1m none $disk && exec "\$0" "\$@"' '${\X402::Nginx::binary()}' "\$@"
EOC
    chmod 0755, $wrapper or die $!;
    local $ENV{NGINX} = $wrapper;
    $t->allow(qr/payments\.events\S* cannot be written/);
    $t->start;
    my $long = 'x' x 3000;
    my $sold = 0;
    $t->wait_for(sub { paid($t, "/$long" . $sold++); metric('lost_events_total') > 0 || $sold == 200 });
    cmp_ok metric('lost_events_total'), '>', 0, 'there is an end of it';
    $t->log_like(qr/\[crit\].*payments\.events\S*" cannot be written \(28: [^)]*\); payments go on, and events do not reach the webhook/, 'which is said');
    my ($worker) = $t->workers;
    my ($free) = `stat -f -c %a /proc/$worker/root$disk` * 4;
    cmp_ok $free, '>=', 240, "a quarter of the disk is left: $free KB";
    is_content paid($t, "/after$_"), "CONTENT\n", 'sales go on' for 1 .. 3;
    is metric('waiting_events') + metric('lost_events_total'), 2 * ($sold + 3), 'each event waits, or is counted as lost';
}

finish;
