# SPDX-License-Identifier: Apache-2.0
# The recipes of docs/recipes.md do what the page says, and so does the first
# location of docs/getting-started.md. Each block of configuration is loaded as
# it stands there, except for these texts:

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();

my @replacements = (
    [ qr/\blisten +(?:80|8402);/     => 'listen 127.0.0.1:%%PORT%%;' ],
    [ qr{https://x402\.org/facilitator;} => '%%FACILITATOR%%;' ],
    [ qr{/usr/share/nginx/html}     => '%%DIR%%/html' ],
    [ qr/\b127\.0\.0\.1:3000/       => '%%BACKEND%%' ],
    [ qr{/etc/nginx/customers\.map} => '%%DIR%%/customers.map' ],
    [ qr{/var/cache/nginx}          => '%%DIR%%/cache' ],
    [ qr{/etc/nginx/x402-seal\.key} => '%%DIR%%/pass.key' ],
);

my $frame = <<'EOF2';
%%GLOBALS%%
events { }
http {
    %%HTTP%%
SETTINGS
RECIPE
}
EOF2
my $settings = <<'EOF2';
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
EOF2

sub text ($path) {
    open my $file, '<:raw', "$FindBin::Bin/../../$path" or die "$path: $!";
    local $/;
    return scalar <$file>;
}

sub blocks ($page) {
    return map { my ($name) = /\A(.*)\n/; ($name => [ /^```nginx\n(.*?)^```/gms ]) } grep {length} split /^## /m,
        $page =~ s/\A.*?(?=^## )//msr;
}

my $page = text('docs/recipes.md');
my $first = text('docs/getting-started.md');
my $start = '1. A paid location';

# Heading => what it promises.
my %promises = (
    $start => sub ($t, $f, $up) {
        is $t->get('/other.html')->status, 200, 'what has no price is free';
        is $t->get('/')->status, 402, 'the index is the page';
        my ($command) = $first =~ /^```sh\n(curl -s .*?)^```/ms or die 'no command';
        my $url = 'http://127.0.0.1:' . $t->port;
        my $shown = `@{[ $command =~ s{http://localhost:8402}{$url}r ]}`;
        my $offer = unpaid($t, '/index.html');
        is_deeply eval { JSON::PP::decode_json($shown) }, { $offer->%*, resource => { $offer->{resource}->%*, url => "$url/index.html" } },
            'the command shows the offer';
        my ($example) = $first =~ /^```json\n(.*?)^```/ms or die 'no example';
        is_deeply JSON::PP::decode_json($example)->{accepts}, $offer->{accepts}, 'which the page shows';
        my $r = $t->get('/index.html', headers => [ Accept => 'text/html', 'User-Agent' => 'Mozilla/5.0' ]);
        like $r->body, qr/The first page for sale/, 'as a browser does';
        is_content paid($t, '/index.html'), "the page\n", 'it is sold';
    },
    'Some requests are free, then the client pays' => sub ($t, $f, $up) {
        is $t->get('/weather')->status, 200, "free: $_" for 1 .. 10;
        is $f->calls, 0, 'no facilitator was asked for that';
        is $t->get('/weather')->status, 402, 'then it costs';
        is paid($t, '/weather')->status, 200, 'and is sold';
        is $f->order, 'verify settle', 'once';
        is $t->get('/weather', from => '127.0.0.2')->status, 200, 'another client has its own quota';
    },
    'A download is resumed without a second payment' => sub ($t, $f, $up) {
        my $r = paid($t, '/index.html');
        is $r->status . ' ' . $r->header('X-Requests-Left'), '200 20', 'paid';
        $f->forget;
        my @pass = (headers => [ 'X402-Pass' => $r->header('X402-Pass'), Range => 'bytes=1-' ]);
        $r = $t->get('/index.html', @pass);
        is $r->status . ' ' . $r->header('X-Requests-Left'), '206 19', 'the rest of it is free';
        is $t->get('/other.html', @pass)->status, 402, 'another file is not';
        is $f->calls, 0, 'nothing was paid for that';
    },
    'Customers with a key do not pay' => sub ($t, $f, $up) {
        is $t->get('/weather')->status, 402, 'without a key';
        is $t->get('/weather', headers => [ 'X-Api-Key' => 'a-guess' ])->status, 402, 'with another';
        is $t->get('/weather', headers => [ 'X-Api-Key' => '3f786850e387550f' ])->status, 200, 'with a key of the file';
        is $f->calls, 0, 'nothing was paid';
    },
    'The application sets the price' => sub ($t, $f, $up) {
        $up->on('/price', headers => [ 'X-Price' => '0.05' ]);
        is unpaid($t, '/goods/a?b=1')->{accepts}[0]{amount}, '50000', 'its price';
        is +($up->requests('/price'))[0]{headers}{'x-original-uri'}, '/goods/a?b=1', 'which it makes for this request';
        is_content paid($t, '/goods/a'), "answer to /goods/a\n", 'is paid';
        my $payment = payment(unpaid($t, '/goods/a'));
        $up->on('/price', headers => [ 'X-Price' => '0.06' ]);
        is paid($t, '/goods/a', payment => $payment)->status, 402, 'another price is another offer';
        $up->on('/price', headers => [ 'X-Price' => '0.06', 'X-Free' => '1' ]);
        is $t->get('/goods/a')->status, 200, 'it may say that it is free';
        $up->on('/price', status => 403);
        is $t->get('/goods/a')->status, 403, 'and no';
        $t->allow(qr/x402_price|no offer can be made/);
        $up->forget;
        for my $broken ([], [ 'X-Price' => 'much' ]) {
            $up->on('/price', headers => $broken);
            is $t->get('/goods/a')->status, 500, 'a price that cannot be read';
        }
        is $up->hits('/goods/a'), 0, 'sells nothing';
    },
    'The application verifies payments itself' => sub ($t, $f, $up) {
        my $payment = payment(unpaid($t, '/weather'));
        is $up->hits('/weather'), 0, 'unpaid: an offer, and nothing for the application';
        is paid($t, '/weather', payment => $payment)->status, 200, 'with a payment it answers';
        is +($up->requests('/weather'))[0]{headers}{'payment-signature'}, $payment, 'and has the payment';
        is $f->calls, 0, 'which no cache has looked at';
    },
    'Unpaid requests are limited' => sub ($t, $f, $up) {
        my $offer = unpaid($t, '/weather');
        # In one write, so that a busy machine asks as fast.
        my $c = $t->connect;
        $c->send($c->head(GET => '/weather') x 60);
        my @statuses = map { $c->answer->status } 1 .. 60;
        $c->hang_up;
        ok scalar(grep { $_ == 402 } @statuses), 'some get the offer';
        ok scalar(grep { $_ == 429 } @statuses), 'and then too many do not';
        is $t->get('/weather', headers => [ 'PAYMENT-SIGNATURE' => payment($offer) ])->status, 200, 'a payment is not limited'
            for 1 .. 3;
    },
    'Each method has its price' => sub ($t, $f, $up) {
        my %amount = (GET => 10000, POST => 50000, PUT => 50000);
        is unpaid($t, '/reports', method => $_)->{accepts}[0]{amount}, $amount{$_}, $_ for sort keys %amount;
        is paid($t, '/reports')->status, 200, 'is sold';
    },
    'The price depends on an argument' => sub ($t, $f, $up) {
        my %amount = ('' => 10000, '?size=small' => 10000, '?size=large' => 50000, '?size=larg%65' => 50000);
        is unpaid($t, "/image$_")->{accepts}[0]{amount}, $amount{$_}, "the price of \"$_\"" for sort keys %amount;
        is paid($t, '/image?size=small&size=large')->status, 200, 'two arguments';
        is +($up->requests)[0]{path}, '/image?size=small', 'buy what was paid for';
        $up->forget;
        is paid($t, '/image?%73ize=large')->status, 200, 'and so does one in another spelling';
        is +($up->requests)[0]{path}, '/image?size=small', 'which nginx does not know';
    },
    'The content is cached behind the price' => sub ($t, $f, $up) {
        is_content paid($t, '/reports/a'), "answer to /reports/a\n", 'paid' for 1 .. 2;
        is $f->calls('settle'), 2, 'twice';
        is $up->hits('/reports/a'), 1, 'and produced once';
        is $t->get('/reports/a')->status, 402, 'the cache is not for nothing';
    },
    'Values from the environment' => sub ($t, $f, $up) {
        is unpaid($t, '/weather')->{accepts}[0]{amount}, '20000', 'the price of the environment';
        is paid($t, '/weather')->status, 200, 'is paid';
        is $f->asked('verify')->{paymentRequirements}{payTo}, '0x209693Bc6afc0C5328bA36FaF03C514EF312287C', 'to its address';
        is +($f->requests)[0]{headers}{authorization}, 'Bearer the-key', 'with its key';
    },
);

plan skip_all => 'the module is not built' if !X402::Nginx::built();

my %first = blocks($first);
my %blocks = (blocks($page), $start => $first{$start});
is join(', ', grep { $blocks{$_}->@* != 1 } sort keys %blocks), '', 'each recipe is one block';
is join(', ', sort keys %promises), join(', ', sort keys %blocks), 'and is tried here';

# What envsubst does with the names of its list, where it is not installed.
sub substituted ($template, %environment) {
    my ($list) = $page =~ /^envsubst '([^']+)'/m or die 'no envsubst in the page';
    my %listed = map { s/\A\$//r => 1 } split ' ', $list;
    is join(' ', sort keys %listed), join(' ', sort keys %environment), 'the names of the list';
    return $template =~ s/\$\{(\w+)\}|\$(\w+)/exists $listed{ $1 \/\/ $2 } ? $environment{ $1 \/\/ $2 } : $&/ger;
}

for my $name (sort keys %promises) {
    my ($f, $up) = (facilitator(), backend());
    my ($recipe) = $blocks{$name}->@*;
    for (@replacements) {
        my ($from, $to) = @$_;
        $recipe =~ s/$from/$to/g;
    }
    my $own = $recipe =~ /^x402_facilitator\b/m;
    $recipe = substituted($recipe, X402_FACILITATOR => '%%FACILITATOR%%', X402_KEY_FILE => '%%DIR%%/facilitator.key',
        X402_NETWORK => 'base-sepolia', X402_PAY_TO => '0x209693Bc6afc0C5328bA36FaF03C514EF312287C', X402_PRICE => '$0.02')
        if $recipe =~ /\$\{/;
    my $text = $frame =~ s/RECIPE\n/$recipe/r =~ s/SETTINGS\n/$own ? '' : $settings/er;
    my $t = nginx($text, facilitator => $f, backend => $up);
    $t->write('customers.map', "3f786850e387550f  1;\n");
    chmod 0600, $t->write('pass.key', 'k' x 64);
    $t->write('cache/none', '');
    $t->write("html/$_.html", "the page\n") for 'index', 'other';
    chmod 0600, $t->write('facilitator.key', "the-key\n");
    my ($said, $passes) = $t->test_config($text);
    ok $passes, "$name: nginx -t" or diag $said;
    $t->start;
    subtest $name => sub { $promises{$name}->($t, $f, $up) };
    $t->stop;
}

finish;
