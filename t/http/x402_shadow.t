# SPDX-License-Identifier: Apache-2.0
# x402 shadow: the location serves as if it had no price, byte for byte, and
# what would have happened is counted and in the ledger, with price and option.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $conf = <<'EOT';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_ledger logs/ledger;
    map $arg_tier $price { dear 5.00; free free; default 0.01; }
    map $x402_body_model $by_model { large 0.50; default 0.02; }
    split_clients $arg_client $bypassed { 100% 1; }
    log_format state '$uri=$x402_state;';
    server {
        listen 127.0.0.1:%%PORT%%;
        server_name shop.example;
        access_log %%DIR%%/access.log state;
        %%MODE%%
        location / { x402_price $price; proxy_pass http://%%BACKEND%%; }
        location /posts { x402_price 0.01; x402_methods POST; proxy_pass http://%%BACKEND%%; }
        location /bypassed { x402_price 0.01; x402_bypass $bypassed; proxy_pass http://%%BACKEND%%; }
        location /model { x402_read_body 1k; x402_price $by_model; proxy_pass http://%%BACKEND%%; }
        location /before { x402_price 0.01; x402_settle before; proxy_pass http://%%BACKEND%%; }
        location /upto { x402_accept scheme=upto price=0.10; proxy_pass http://%%BACKEND%%; }
        location /password { x402_price 0.01; auth_basic closed; auth_basic_user_file /dev/null; proxy_pass http://%%BACKEND%%; }
        location /moved { x402_price 0.01; rewrite ^ /elsewhere last; }
        location /live { x402 on; x402_price 0.03; proxy_pass http://%%BACKEND%%; }
        location /paged { x402_price 0.01; x402_cors on; proxy_pass http://%%BACKEND%%; }
        location /off { x402 off; proxy_pass http://%%BACKEND%%; }
        location = /metrics { x402_status prometheus; }
    }
}
EOT
my $t = nginx($conf, facilitator => $f, backend => $up, holes => { MODE => 'x402 shadow;' });
$up->on('*', body => "CONTENT\n", headers => [ 'Cache-Control' => 'public, max-age=60', ETag => '"1"' ]);
$up->on('/lost', status => 404, body => 'no');
$up->on('/upto', body => "CONTENT\n", headers => [ 'Settlement-Overrides' => '{"amount":"1234"}' ]);
$t->start;

# --- the ledger, and what the module must not do ----------------------------------

sub lines () {
    open my $fh, '<', $t->dir . '/logs/ledger' or return;
    return map { JSON::PP::decode_json($_) } <$fh>;
}
my $seen = 0;
# The next event; all of them are awaited one by one.
sub next_event ($event, $name, %members) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @lines;
    $t->wait_for(sub { @lines = lines(); @lines > $seen }, 10);
    my $line = $lines[$seen++] // {};
    my %found = map { $_ => $line->{$_} } keys %members;
    is $line->{event}, $event, $name or return diag explain $line;
    return is_deeply \%found, \%members, "$name: what it is about";
}

# As a shop without prices answers.
sub is_plain ($answer, $name, $body = "CONTENT\n") {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @own = grep { $answer->header_count($_) } qw(PAYMENT-REQUIRED PAYMENT-RESPONSE X-PAYMENT-RESPONSE Vary Retry-After);
    my $good = $answer->status == 200 && $answer->body eq $body && !@own
        && $answer->header('Cache-Control') eq 'public, max-age=60' && $answer->header('ETag') eq '"1"';
    return ok($good, $name) || diag $answer->summary;
}

# --- no payment ---------------------------------------------------------------------

my %way = (network => 'eip155:84532', symbol => 'USDC', scheme => 'exact', pay_to => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C');
is_plain $t->get('/a'), 'a request without a payment is served';
next_event would_challenge => 'it would have been asked for money', %way, amount => '10000', amount_decimal => '0.01',
    server => 'shop.example', location => '/', method => 'GET', delivered => JSON::PP::false, payment_id => undef;
is_plain $t->get('/a', headers => [ 'If-None-Match' => '"2"' ]), 'conditions reach the backend';
next_event would_challenge => 'again';
is_plain $t->get('/a?tier=dear'), 'a price from a variable';
next_event would_challenge => 'that price', amount_decimal => '5';
is_plain $t->get('/a?tier=free'), 'a price that is free for this request';
is_plain $t->get('/posts'), 'another method';
is_plain $t->get('/bypassed'), 'a request that is bypassed';
is_plain $t->ask(OPTIONS => '/paged', headers => [ Origin => 'https://app.example', 'Access-Control-Request-Method' => 'GET' ]),
    'a preflight, which a shop with x402_cors answers for free';
is_plain $t->get('/off'), 'a location with x402 off';
is $t->get('/password')->status, 401, 'refused by another module: no event';
is $t->get('/lost')->status, 404, 'a page that is not there';
next_event would_challenge => 'money is asked for before the content is known', amount => '10000';
is_plain $t->get('/moved'), 'a rewrite into another location';
next_event would_challenge => 'one event, of the location where it went', location => '/';

# --- a body that the price depends on -------------------------------------------------

is_plain $t->ask(POST => '/model', body => '{"model":"large"}'), 'a body is passed on';
next_event would_challenge => 'priced by it', amount_decimal => '0.5';
is_plain $t->ask(POST => '/model', body => '[1]'), 'a body that would be refused is passed on';
next_event would_refuse => 'it would be refused', reason => 'request_body_invalid';
is_plain $t->ask(POST => '/model', body => 'x' x 2000), 'one that would be too long';
next_event would_refuse => 'the same', reason => 'request_body_invalid';
is(($up->requests('/model'))[2]{body}, 'x' x 2000, 'and reaches the backend whole');

# --- payments -------------------------------------------------------------------------

# The offer of a shop that asks for money, to pay with.
my $shop = nginx($conf, facilitator => $f, backend => $up, holes => { MODE => 'x402 on;' });
$shop->start;
sub payment_for ($path, %change) { return payment(unpaid($shop, $path), %change) }

$f->forget;
my $value = payment_for('/a');
is_plain paid($t, '/a', payment => $value), 'a payment is served as well';
next_event would_charge => 'it would be charged', %way, amount => '10000', reason => undef, facilitator => $f->url, x402_version => 2,
    transaction => undef;
is $f->order, 'verify', 'it was verified and not settled';
is(($up->requests('/a'))[-1]{headers}{'payment-signature'}, $value, 'the backend sees the header, as before');
my @charged = grep { $_->{event} eq 'would_charge' } lines();
like $charged[0]{payer}, qr/\A0x[0-9a-fA-F]{40}\z/, 'with its payer';
like $charged[0]{payment_id}, qr/\A[0-9a-f]{64}\z/, 'its id';
like $charged[0]{verify_ms}, qr/\A\d+\z/, 'and the time of verify';

is_plain paid($t, '/a', payment => $value), 'presented again: nothing was taken';
next_event would_charge => 'it would buy still';
is_content paid($shop, '/a', payment => $value), "CONTENT\n", 'and does, where money is asked for';

$f->verify(invalid => 'insufficient_funds');
is_plain paid($t, '/a', payment => payment_for('/a')), 'a payment that is refused';
next_event would_refuse => 'would be refused', reason => 'insufficient_funds', amount => '10000';
$f->verify(status => 500);
is_plain paid($t, '/a', payment => payment_for('/a')), 'a facilitator that fails';
next_event would_refuse => 'the reason is the facilitator', reason => 'facilitator_failed';
$f->verify('ok');

is_plain paid($t, '/a', payment => 'rubbish'), 'a header that cannot be read';
next_event would_refuse => 'would be refused without a call';
is_plain paid($t, '/a?tier=dear', payment => payment_for('/a')), 'a payment for another price';
next_event would_refuse => 'does not match', amount => '5000000';
is paid($t, '/lost', payment => payment_for('/a'))->status, 404, 'content that is not charged';
is_plain paid($t, '/before', payment => payment_for('/before')), 'settle before';
next_event would_charge => 'would be charged', location => '/before';
is_plain paid($t, '/upto', payment => permit2(unpaid($shop, '/upto'))), 'upto'
    if $up->on('/upto', body => "CONTENT\n", headers => [ 'Cache-Control' => 'public, max-age=60', ETag => '"1"',
        'Settlement-Overrides' => '{"amount":"1234"}' ]);
next_event would_charge => 'what the upstream says', amount => '1234', scheme => 'upto';

# --- counters of its own ----------------------------------------------------------------

my $metrics = $t->get('/metrics')->body;
like $metrics, qr/^nginx_x402_requests_total\{server="shop.example",location="\/",state="challenged"\} 0$/m, 'nothing was challenged'
    or diag $metrics =~ s/^(?!nginx_x402_(?:requests|shadow)).*\n//gmr;
like $metrics, qr/^nginx_x402_shadow_total\{server="shop.example",location="\/",outcome="would_charge"\} 2$/m, 'would_charge';
like $metrics, qr/^nginx_x402_shadow_total\{server="shop.example",location="\/",outcome="would_refuse"\} 4$/m, 'would_refuse';
unlike $metrics, qr/^nginx_x402_revenue/m, 'no revenue';
unlike join("\n", map { $_->{event} } lines()), qr/settled|delivered|^refused/m, 'no event of a sale';
is $f->calls('settle'), 1, 'the shop that asks for money settled, and it alone';

open my $access, '<', $t->dir . '/access.log' or die $!;
my $states = join '', <$access>;
like $states, qr{^/a=shadow;$}m, 'the variable of the state says that the price is tried';
unlike $states, qr/=(?:failed|refused|challenged|settled);/, 'whatever would have happened';

# --- live beside it ---------------------------------------------------------------------

is_content paid($t, '/live'), "CONTENT\n", 'x402 on below x402 shadow asks for money';
is $t->get('/live')->status, 402, 'of all';

# --- the words ----------------------------------------------------------------------------

$t->log_like(qr/x402 shadow, nothing is charged: would_charge, amount: "10000"/, 'a line at info');
my ($text, $passed) = $t->test_config($conf);
ok $passed, 'a configuration that is tried passes';
like $text, qr/\[warn\].*x402 shadow: .*no client is asked for money/, 'and says so';
unlike scalar $shop->test_config($conf), qr/x402 shadow/, 'unless money is asked for';

# a worker that ends while it verifies
$f->verify('hold');
$f->forget;
paid($t, '/a', payment => payment_for('/a'));
$f->wait_calls(verify => 1);
my @old = $t->reload;
is_plain $t->get('/a'), 'a reload meanwhile';
$f->verify('ok');
$f->release;
ok $t->wait_exit(@old), 'the old worker ends';

finish;
