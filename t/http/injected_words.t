# SPDX-License-Identifier: Apache-2.0
# Words of a facilitator or a client never become lines, headers or markup
# of the module, in any form; and only the operator says what is sold.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOC', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    # It fails far more often here than a breaker lets pass.
    x402_facilitator_group patient { server %%FACILITATOR%% max_fails=0; }
    x402_facilitator patient;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    log_format told '$status "$x402_reason" "$x402_transaction" "$x402_payer" "$x402_network"';
    access_log %%DIR%%/logs/access.log told;
    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT_h2%% http2;
        add_header X-Reason "$x402_reason" always;
        proxy_set_header X-Payer "$x402_payer";
        location /after/  { x402_price $0.01; proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_price $0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /page/   { x402_price $0.01; x402_paywall on; proxy_pass http://%%BACKEND%%; }
        location /named/  { x402_price $0.01; x402_resource https://api.example.com$request_uri; proxy_pass http://%%BACKEND%%; }
    }
}
EOC
$up->on('*', body => "SECRET\n");
$t->start;

my @ours = map { lc } qw(Server Date Content-Type Content-Length Transfer-Encoding Connection Cache-Control Vary X-Reason
    PAYMENT-REQUIRED PAYMENT-RESPONSE Retry-After);
my %evil = (
    lines  => "x\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\nEVIL",
    NUL    => "x\0EVIL\0",
    bytes  => join('', map { chr } 1 .. 31, 127 .. 160) . 'EVIL',
    markup => '"\'></script><script>EVIL()</script>\\',
    lone   => "\x{2028}\x{202e}\x{feff}EVIL",
    long   => 'EVIL ' x 5_000,
);

# Outside of the JSON text that repeats the error of the offer.
sub shows_evil ($r) {
    return 0 if $r->body !~ /EVIL/;
    my $body = eval { JSON::PP->new->utf8->decode($r->body) } // {};
    my $said = delete $body->{error};
    delete @$body{qw(message hint help)} if "@$body{qw(message help)}" !~ /EVIL/ && ($body->{hint} // '') !~ /EVIL/;
    return $r->header('Content-Type') ne 'application/json' || $said ne offer($r)->{error}
        || JSON::PP->new->encode($body) ne '{"accepts":[]}' || $r->body =~ /[\x00-\x1f]/;
}

sub harmless ($r, $name) {
    my @names = map { lc $r->{headers}[ 2 * $_ ] } 0 .. $r->{headers}->@* / 2 - 1;
    my @strange = grep { my $n = $_; !grep { $_ eq $n } @ours } @names;
    my @values = map { $r->{headers}[ 2 * $_ + 1 ] } 0 .. $r->{headers}->@* / 2 - 1;
    ok !@strange && !grep({/[^\t -~]/} @values) && !shows_evil($r) && $r->complete
        && (grep { length > 16_384 } @values) == 0, $name
        or diag "strange headers: @strange\n", join '', map { substr($_, 0, 60) . "\n" } @values, $r->body;
    return;
}

for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';
    for my $kind (sort keys %evil) {
        my $evil = $evil{$kind};
        for my $field (qw(invalidReason invalidMessage payer)) {
            $f->verify_once(invalid => 'x', status => 400, with => { $field => $evil });
            harmless paid($t, '/after/a', @$via), "${p}$kind in $field of verify";
        }
        $f->verify_once(body => qq({"error":"$kind ) . 'EVIL ' x 10 . "\r\n\0\"}", status => 500);
        harmless paid($t, '/after/a', @$via), "${p}$kind in no answer of verify";
        for my $where (qw(after before)) {
            for my $field (qw(errorReason errorMessage transaction network payer amount)) {
                # For all: what is in doubt is asked about again in the background.
                $f->settle(refused => 'insufficient_funds', status => 400,
                    with => { transaction => '', $field => $evil });
                harmless paid($t, "/$where/a", @$via), "${p}$kind in $field of settle, $where";
            }
            for my $field (qw(transaction extra extensions)) {
                $f->settle(with => { $field => $field eq 'transaction' ? $evil : { a => $evil } });
                my $r = paid($t, "/$where/a", @$via);
                # JSON with NUL is none, and proves nothing.
                is $r->status . $r->body, $kind eq 'NUL' ? '503{"error":"settlement_unknown","charged":"unknown"}' : "200SECRET\n",
                    "${p}$kind in $field of a paid settle, $where: paid";
                $r->{body} = '';
                harmless $r, "${p}$kind in $field of a paid settle, $where";
            }
            $f->settle('paid');
        }
    }
    my $r = $t->get(q{/page/x?a="'></script><script>EVIL()</script>%0d%0aX-Evil:1}, @$via,
        headers => [ Accept => 'text/html', 'User-Agent' => 'Mozilla/5.0' ]);
    like $r->header('Content-Type'), qr{text/html}, "${p}a page";
    unlike $r->body, qr/<script/, "${p}without markup of others";
}
$t->quit;

my @lines = split /\n/, $t->log;
cmp_ok scalar @lines, '>', 100, 'the log says something';
is scalar(grep {/[^\t -~]/} @lines), 0, 'the error log is plain letters';
is scalar(grep { !m{\A\d{4}/\d\d/\d\d } } @lines), 0, 'and one line for each event';
is scalar(grep { length > 4096 } @lines), 0, 'of bounded length';
open my $access, '<:raw', $t->dir . '/logs/access.log' or die $!;
is scalar(grep { !/\A\d{3} "[^"]*" "[^"]*" "[^"]*" "[^"]*"\n\z/ || /[^\n -~]/ } <$access>), 0, 'as is the access log';
is scalar(grep { ($_->{headers}{'x-payer'} // '') !~ /\A(?:0x[0-9a-fA-F]{40})?\z/ } $up->requests), 0,
    'the upstream is told of payers only';

# --- who says what is sold

$t->start;
my @spoofed = ('X-Forwarded-Host' => 'evil.example', 'X-Forwarded-Proto' => 'gopher', 'X-Forwarded-For' => '6.6.6.6',
    'X-Forwarded-Port' => '666', Forwarded => 'host=evil.example;proto=gopher', 'X-Original-URL' => '/evil', 'X-Host' => 'evil.example');
for my $via ([], [ h2 => 1, port => 'h2' ]) {
    my $p = @$via ? 'HTTP/2, ' : '';
    my $offer = offer($t->get('/named/a', @$via, host => 'evil.example', headers => [@spoofed]));
    is $offer->{resource}{url}, 'https://api.example.com/named/a', "${p}headers do not change x402_resource";
    $offer = offer($t->get('/after/a', @$via, headers => [@spoofed]));
    is $offer->{resource}{url}, 'http://localhost/after/a', "${p}forwarding headers say nothing";
}

finish;
