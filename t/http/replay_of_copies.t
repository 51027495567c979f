# SPDX-License-Identifier: Apache-2.0
# Two hundred copies of one payment over four workers buy one execution; and
# what a header became on its way is either no payment or the one that it says.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use MIME::Base64 qw(decode_base64);

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
worker_processes 4;
%%GLOBALS%%
events { worker_connections 1024; }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    add_header X-Worker $pid always;
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        listen 127.0.0.1:%%PORT_h2%% reuseport http2;
        location / { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
    }
}
EOC
$up->on('*', body => "SECRET\n", delay => 0.3);
$t->start;

# --- copies

for my $path (qw(/a /before/a)) {
    $_->forget for $f, $up;
    my @header = header_of(payment(unpaid($t, $path)));
    my @asked;
    for my $n (1 .. 100) {
        my $c = $t->connect;
        $c->write_request(GET => $path, headers => \@header);
        push @asked, [$c];
    }
    for my $n (1 .. 20) {
        my $c = $t->connect(h2 => 1, port => 'h2');
        push @asked, map { [ $c, $c->write_request(GET => $path, headers => \@header) ] } 1 .. 5;
    }
    my (%status, %worker, @leaks);
    for (@asked) {
        my ($c, @id) = @$_;
        my $r = $c->answer(@id);
        $status{ $r->status }++;
        $worker{ $r->header('X-Worker') // '' }++;
        push @leaks, $r->status if $r->status != 200 && ($r->body =~ /SECRET/ || $r->header_count('PAYMENT-RESPONSE'));
    }
    is $status{200}, 1, "$path: one of two hundred is served" or diag explain \%status;
    is join(' ', grep { !/\A(?:200|402|409|503)\z/ } keys %status), '', "$path: the others are told why";
    is "@leaks", '', "$path: and get nothing";
    is $up->hits, 1, "$path: one execution";
    is $f->calls('settle'), 1, "$path: one settlement";
    is scalar keys %worker, 4, "$path: all four workers were asked" or diag explain \%worker;
}

# --- two hundred headers that were damaged

srand 402;
$up->on('*', body => "SECRET\n");
my $json = JSON::PP->new->utf8->canonical;
my (%seen, @other);
for my $n (1 .. 200) {
    my $value = payment(unpaid($t, '/a'));
    my $way = $n % 5;
    my $at = int rand length $value;
    if    ($way == 0) { substr $value, $at, length $value, '' }
    elsif ($way == 1) { substr $value, $at, 1, chr 33 + rand 94 }
    elsif ($way == 2) { substr $value, $at, 4, encoded(join '', map { chr rand 256 } 1 .. 3) }
    elsif ($way == 3) { substr $value, $at, 0, substr $value, rand length $value, 8 }
    else {
        my $text = decode_base64($value);
        substr $text, rand length $text, 1, chr 32 + rand 95;
        $value = encoded($text);
    }
    $f->forget;
    my $r = $t->get('/a', headers => [ 'PAYMENT-SIGNATURE' => $value ]);
    $seen{ $r->status }++;
    next if !$f->calls;
    # Read by another parser: the facilitator was asked about what the header says.
    my $said = eval { $json->encode($json->decode(decode_base64($value))) } // '?';
    push @other, "$n: $value" if $json->encode($f->asked('verify')->{paymentPayload}) ne $said;
}
is "@other", '', 'no facilitator is asked about another payment than the header says';
is join(' ', grep { !/\A(?:200|400|402)\z/ } keys %seen), '', 'damage is answered 402' or diag explain \%seen;
cmp_ok $seen{402} // 0, '>', 120, 'nearly always';

finish;
