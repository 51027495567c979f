# SPDX-License-Identifier: Apache-2.0
# x402_stream where each step of a payment is recorded first, in a synced journal or in a store of several machines: the
# request does not wait for that, and what has left is owed to no one, whatever becomes of its settlement; not after a
# restart either.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use X402::Redis;
use X402::Test;

my $text = <<'EOF';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    RECORD
    x402_ledger %%DIR%%/ledger;
    x402_facilitator %%FACILITATOR%%;
    x402_facilitator_timeout settle=1500ms;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_accept scheme=upto price=5;
    x402_charge $x402_reply_usage_total_tokens*2;
    x402_stream trust=3;
    server {
        listen 127.0.0.1:%%PORT%%;
        proxy_http_version 1.1;
        proxy_buffering off;
        location / { proxy_pass http://%%BACKEND%%; }
    }
}
EOF
my $redis  = X402::Redis->new;
my %record = (
    'a journal' => 'x402_zone shop:1m journal=%%DIR%%/pay.journal sync=on;',
    'a store'   => 'x402_zone shop:1m; x402_store ' . $redis->url . ' timeout=5s;',
);
my $body = qq(data: {"text":"SECRET","usage":{"total_tokens":50}}\n\n);
for my $where (sort keys %record) {
    my ($f, $up) = (facilitator(), backend());
    my $t = nginx($text =~ s/RECORD/$record{$where}/r, facilitator => $f, backend => $up);
    $up->on('*', headers => [ 'Content-Type' => 'text/event-stream' ], body => $body, chunked => 1);
    $t->start;
    my $buy = sub ($payer, $path) {
        my $payment = permit2(unpaid($t, $path), from => $payer);
        $_->forget for $f, $up;
        return ($payment, paid($t, $path, payment => $payment));
    };
    my $known = sub {
        my $payer = random_hex(20);
        $buy->($payer, '/small') for 1 .. 3;
        return $payer;
    };
    my $events = sub ($payer, $last) {
        my @found;
        $t->wait_for(sub {
            open my $in, '<', $t->dir . '/ledger' or die;
            @found = map { $_->{event} } grep { ($_->{payer} // '') =~ /\A\Q$payer\E\z/i } map { decode_json($_) } <$in>;
            return @found > 6 && "@found" =~ /$last\z/;    # behind three payments that made it known
        }, 15);
        return join ' ', @found[ 6 .. $#found ];
    };

    my $payer = $known->();
    my (undef, $r) = $buy->($payer, '/stream');
    is $r->status . ' ' . ($r->header('PAYMENT-RESPONSE') // 'no receipt'), '200 no receipt', "$where: a stream on trust";
    is $events->($payer, 'settled delivered'), 'settled delivered', "$where: is settled behind it";

    for my $again ('', 'restart') {
        $payer = $known->();
        $f->settle_once(silent => 1);
        (my $payment, $r) = $buy->($payer, '/doubt');
        is $r->status . $r->body, "200$body", "$where: an outcome that is not known";
        is $events->($payer, 'unknown'), 'unknown', "$where: is unknown behind the content";
        if ($again) {
            $t->stop;
            $t->start;
        }
        like $events->($payer, 'resolved.*'), qr/\Aunknown resolved/, "$where $again: is asked for again, and paid";
        $_->forget for $f, $up;
        isnt paid($t, '/doubt', payment => $payment)->status, 200, "$where $again: the payment buys nothing again";
        is $up->hits, 0, "$where $again: and no content is made for it";
    }
}

finish;
