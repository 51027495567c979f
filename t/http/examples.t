# SPDX-License-Identifier: Apache-2.0
# Every file in conf-examples passes nginx -t, tells an unpaid client the price,
# sells, and leaves free what it says is free.
#
# The files are loaded as they are, except for these texts:

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Fast;
use X402::Mpp;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my @replacements = (
    # The test's own main level: process, log and module.
    [ "user  www-data;\n"                                     => '' ],
    [ "error_log  /var/log/nginx/error.log notice;\n"         => '' ],
    [ '/var/log/nginx/'                                       => 'logs/' ],
    [ "load_module  modules/ngx_http_x402_module.so;"         => '%%GLOBALS%%' ],
    [ "\nhttp {\n"                                            => "\nhttp {\n    %%HTTP%%\n" ],
    # Where it listens, and its facilitator.
    [ 'listen       80;'                                      => 'listen 127.0.0.1:%%PORT%%;' ],
    [ 'https://x402.org/facilitator;'                         => '%%FACILITATOR%%;' ],
    [ 'https://facilitator.example.com;'                      => '%%FACILITATOR%%;' ],
    [ 'https://gateway-api.circle.com/v1/x402;'               => '%%FACILITATOR%%;' ],
    [ 'listen       80  default_server;'                      => 'listen 127.0.0.1:%%PORT%% default_server;' ],
    [ 'http://127.0.0.1:4021;'                                => '%%FACILITATOR%%;' ],
    [ 'https://x402.org/facilitator  max_fails'               => '%%DEAD%%  max_fails' ],
    [ 'http://127.0.0.1:4021  backup;'                        => '%%FACILITATOR%%/backup  backup;' ],
    [ '127.0.0.1:3000'                                        => '%%BACKEND%%' ],
    [ '/srv/www'                                              => '%%DIR%%/html' ],
    [ '/etc/nginx/x402-seal.key;'                             => '%%DIR%%/seal.key;' ],
    [ '/var/lib/nginx/x402.bought;'                           => '%%DIR%%/bought;' ],
    # Addresses of clients.
    [ '192.0.2.0/24'                                          => '127.0.0.2/32' ],
    [ '10.0.0.0/8'                                            => '127.0.0.1/32' ],
);
my @must = ('%%GLOBALS%%', '%%HTTP%%', '%%PORT%%', '%%FACILITATOR%%');

my $directory = "$FindBin::Bin/../../conf-examples";
my $pay_to    = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
my @password  = (Authorization => 'Basic ' . encode_base64('me:word', ''));

# What each example is about. offers: path => [ network amount ] as unpaid
# clients read it; the first of them is sold; free: paths that cost nothing; and
# what is special about the example.
my %examples = (
    'minimal.conf' => {
        offers => [ '/weather' => ['eip155:84532 10000'] ],
        free   => [ '/', '/index.html' ],
    },
    'static-files.conf' => {
        offers => [ '/downloads/a.bin' => ['eip155:84532 100000'],
            '/downloads/datasets/a.bin' => ['eip155:84532 500000'] ],
        free => [ '/', '/downloads/preview/a.bin' ],
        also => sub ($t, $f, $up) {
            my $r = paid($t, '/downloads/a.bin', headers => [ Range => 'bytes=0-3' ]);
            is_content $r, file('/downloads/a.bin'), 'no ranges: the whole file for the price';
            is paid($t, '/downloads/none')->status, 404, 'a file that is not there';
            is $f->calls('settle'), 1, 'is not charged';
        },
    },
    'proxied-api.conf' => {
        offers => [ '/v1/weather?q=a' => ['eip155:84532 1000'], '/new' => ['eip155:84532 10000'] ],
        free   => [ '/health', '/openapi.json', '/v1/reports/1' ],
        also   => sub ($t, $f, $up) {
            my %post = (method => 'POST', body => '{}');
            is $t->ask(POST => '/v1/reports', body => '{}')->status, 402, 'making a report costs';
            $up->on('/v1/reports', body => 'REPORT');
            is_content paid($t, '/v1/reports', %post), 'REPORT', 'and is sold';
            is $f->asked('settle')->{paymentRequirements}{amount}, '250000', 'at its price';
            is $t->get('/v1/reports/1')->status, 200, 'reading it again does not';
        },
    },
    'for-agents.conf' => {
        offers => [ '/weather/berlin' => ['eip155:84532 10000'], '/map' => ['eip155:84532 250000'],
            '/map?size=small' => ['eip155:84532 50000'] ],
        free => [ '/', '/index.html', '/openapi.json', '/.well-known/x402', '/.well-known/did.json', '/orders' ],
        also => sub ($t, $f, $up) {
            my $document = JSON::PP::decode_json($t->get('/openapi.json')->body);
            is join(' ', sort keys $document->{paths}->%*), '/map /orders /weather/{city}', 'agents find what is for sale';
            is $document->{paths}{'/orders'}{post}{'x-payment-info'}{price}{amount}, '1', 'and its price';
            my $paid = paid($t, '/orders', method => 'POST', body => '{}', host => 'api.example.com');
            is_content $paid, $t->get('/orders')->body, 'as it is';
            like receipt($paid)->{extensions}{'offer-receipt'}{info}{receipt}{signature}, qr/^eyJ/, 'with a signed receipt';
        },
    },
    'agents-of-two-protocols.conf' => {
        offers => [ '/weather/ulm' => ['eip155:84532 10000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            my $challenge = challenge($t->get('/weather/ulm'));
            is $challenge->{realm}, 'api.example.com', 'a challenge of the other protocol';
            my $r = $t->get('/weather/ulm', headers => [ Authorization => credential($challenge) ]);
            is $r->status, 200, 'is paid';
            is mpp_receipt($r)->{status}, 'success', 'and has its receipt';
            paid($t, '/weather/ulm', headers => [ @password ]);
            is +(($up->requests)[-1])->{headers}{authorization}, $password[1], 'a login is for the backend';
        },
    },
    'coming-back.conf' => {
        offers => [ '/members/a' => ['eip155:84532 100000'], '/reports/a' => ['eip155:84532 1000000'] ],
        free   => [ '/index.html' ],
        also   => sub ($t, $f, $up) {
            my $pass = paid($t, '/members/a')->header('X402-Pass');
            $f->forget;
            is $t->get("/members/$_", headers => [ 'X402-Pass' => $pass ])->status, 200, "with a pass: $_" for qw(a b);
            is $t->get('/reports/a', headers => [ 'X402-Pass' => $pass ])->status, 402, 'not elsewhere';
            is $f->calls, 0, 'nothing was paid for that';
            my $offer = offer($t->get('/reports/a', host => 'shop.example.com'));
            is $offer->{extensions}{'sign-in-with-x'}{supportedChains}[0]{chainId}, 'eip155:84532', 'wallets can sign in';
            $offer = offer($t->get('/account/', host => 'shop.example.com'));
            is_deeply $offer->{accepts}, [], 'an account costs nothing';
            is scalar $offer->{extensions}{'sign-in-with-x'}{supportedChains}->@*, 2, 'but a signature';
        },
    },
    'free-quota.conf' => {
        offers => [ '/search?q=a' => ['eip155:84532 10000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            my @key = (headers => [ 'X-Api-Key' => '3f786850e387550f' ]);
            is $t->get('/search?q=a', headers => [ 'X-Api-Key' => "made up $_" ])->status, 402, 'a key of nobody' for 1 .. 2;
            is $t->get('/search?q=a', @key)->status, 200, "search $_ of the day" for 1 .. 3;
            is $t->get('/search?q=a', @key)->status, 402, 'the fourth costs';
            is paid($t, '/search?q=a', @key)->status, 200, 'and is sold';
            is paid($t, '/search?q=a', change => { from => '0x000000000000000000000000000000000000dEaD' })->status, 403,
                'but not to everyone';
        },
    },
    'mcp.conf' => {
        offers => [],    # by request body, see below
        free   => [ '/', '/index.html', '/openapi.json', '/mcp' ],
        also   => sub ($t, $f, $up) {
            my sub call ($body) { return $t->ask(POST => '/mcp', body => $body) }
            my sub tool ($name) { return qq({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"$name"}}) }
            is call(qq({"jsonrpc":"2.0","id":1,"method":"$_"}))->status, 200, "$_ is free"
                for qw(initialize ping tools/list notifications/initialized);
            is offer(call(tool($_->[0])))->{accepts}[0]{amount}, $_->[1], "$_->[0] has its price"
                for [ search => 10000 ], [ report => 50000 ], [ 'searching', 250000 ], [ 'other', 250000 ];
            is call('[' . tool('search') . ']')->status, 400, 'no batches';
            is call(qq({"method":"tools/list","Method":"tools/call"}))->status, 400, 'nor two methods';
            my $payment = payment(offer(call(tool('search'))));
            is paid($t, '/mcp', method => 'POST', body => tool('search'), payment => $payment)->status, 200, 'a tool is sold';
            is $f->asked('settle')->{paymentRequirements}{amount}, '10000', 'at its price';
        },
    },
    'pay-per-token.conf' => {
        offers => [],    # by POST, see below
        free   => [ '/', '/index.html', '/v1/models' ],
        also   => sub ($t, $f, $up) {
            my $path = '/v1/chat/completions';
            my $json = '{"model":"small","usage":{"prompt_tokens":100,"completion_tokens":1000,"total_tokens":1100}}';
            my %post = (method => 'POST', body => '{"model":"small"}');
            my $offer = unpaid($t, $path, %post);
            is "$offer->{accepts}[0]{scheme} $offer->{accepts}[0]{amount}", 'upto 50000', 'at most 5 cents';
            for my $case ([ $json, 'application/json' ], [ "data: $json\n\ndata: [DONE]\n\n", 'text/event-stream' ]) {
                $up->on($path, body => $case->[0], headers => [ 'Content-Type' => $case->[1] ]);
                is_content paid($t, $path, %post, payment => permit2($offer)), $case->[0], "$case->[1] is sold";
                is $f->asked('settle')->{paymentRequirements}{amount}, '600', 'for its tokens';
            }
            $f->forget;
            $up->on($path, body => $json =~ s/small/large/r, headers => [ 'Content-Type' => 'application/json' ]);
            is paid($t, $path, %post, payment => permit2($offer))->status, 200, 'an expensive model';
            is $f->asked('settle')->{paymentRequirements}{amount}, '4100', 'costs more';
        },
    },
    'ai-crawlers.conf' => {
        headers => [ 'User-Agent' => 'Mozilla/5.0 (compatible; GPTBot/1.2)' ],
        offers  => [ '/2026/article' => ['eip155:84532 10000'], '/' => ['eip155:84532 10000'] ],
        free    => [ '/robots.txt', '/openapi.json', '/wp-content/a.png', '/wp-admin/', '/.well-known/security.txt' ],
        also    => sub ($t, $f, $up) {
            for my $reader ('Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', 'Googlebot/2.1', '') {
                is $t->get('/2026/article', headers => [ 'User-Agent' => $reader ])->status, 200, "free: $reader";
            }
            is $t->get('/2026/article', headers => [ 'User-Agent' => 'claudebot' ])->status, 402, 'crawlers pay';
        },
    },
    'verified-agents.conf' => {
        offers => [ '/data' => ['eip155:84532 100000'] ],
        free   => [ '/', '/index.html', '/openapi.json' ],
        also   => sub ($t, $f, $up) {
            for my $case ([ 'research.example', 10000 ], [ 'some.example', 20000 ], [ '', 100000 ]) {
                my ($agent, $amount) = @$case;
                $up->on('/verify-agent', headers => [ 'X-Verified-Agent' => $agent ]);
                is offer($t->get('/data'))->{accepts}[0]{amount}, $amount, "the price of \"$agent\"";
            }
            $up->on('/verify-agent', headers => [ 'X-Verified-Agent' => 'research.example' ]);
            is paid($t, '/data')->status, 200, 'is what it pays';
            is $f->asked('settle')->{paymentRequirements}{amount}, '10000', 'in full';
            $up->on('/verify-agent', headers => [ 'X-Verified-Agent' => 'partner.example' ]);
            is $t->get('/data')->status, 200, 'and a partner nothing';
            ok +(grep { $_->{path} eq '/verify-agent' } $up->requests), 'the verifier was asked';
            is $t->get('/verify-agent')->status, 404, 'by nginx alone';
        },
    },
    'tenants.conf' => {
        host   => 'shop-a.shops.example.com',
        offers => [ '/data' => ['eip155:84532 50000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            my @other = (host => 'shop-b.shops.example.com');
            is paid($t, '/data', @other)->status, 200, 'another seller';
            my $asked = $f->asked('settle')->{paymentRequirements};
            is "$asked->{payTo} $asked->{amount}", '0x' . '1' x 40 . ' 200000', 'has its own address and price';
            my $payment = payment(unpaid($t, '/data', host => 'shop-a.shops.example.com'));
            is paid($t, '/data', @other, payment => $payment)->status, 402, 'what was signed for one buys nothing at the other';
            is $t->get('/data', host => $_)->status, 404, "$_ is not listed" for 'other.shops.example.com', 'shop-a.example.com';
        },
    },
    'large-files.conf' => {
        offers => [ '/downloads/a.bin' => ['eip155:84532 500000'], '/exports/a' => ['eip155:84532 2000000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            is_content paid($t, '/downloads/a.bin', headers => [ Range => 'bytes=0-3' ]), file('/downloads/a.bin'), 'the whole file';
            $f->forget;
            is paid($t, '/exports/a')->status, 200, 'work that takes long';
            is $f->order, 'settle', 'is paid first';
        },
    },
    'circle-batched.conf' => {
        offers => [ '/tick' => ['eip155:8453 1000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            my $accept = unpaid($t, '/tick')->{accepts}[0];
            is_deeply $accept->{extra}, { name => 'GatewayWalletBatched', version => '1',
                verifyingContract => '0x77777777Dcc4d5A8B6E418Fd04D8997ef11000eE' }, 'for the contract of Gateway';
            is $accept->{maxTimeoutSeconds}, 604900, 'as long as it asks for';
        },
    },
    'several-networks.conf' => {
        offers => [ '/report' =>
            [ 'eip155:8453 50000', 'eip155:137 50000', 'eip155:42161 50000', 'eip155:1 750000' ] ],
        free => [ '/', '/index.html' ],
        also => sub ($t, $f, $up) {
            my $accepts = unpaid($t, '/report')->{accepts};
            is $accepts->[3]{payTo}, '0x' . '1' x 40, 'an own address';
            is join(' ', map { $_->{maxTimeoutSeconds} } @$accepts), '300 300 300 600', 'and an own time';
            is_content paid($t, '/report', change => { accept => 3 }), file('/report'), 'each way is good';
            is $f->asked('settle')->{paymentRequirements}{network}, 'eip155:1', 'on its network';
        },
    },
    'several-ways-to-pay.conf' => {
        offers => [ '/report' =>
            [ 'eip155:8453 50000', 'eip155:8453 45000', 'eip155:8453 3000000000000000000' ] ],
        free => [ '/', '/index.html' ],
        also => sub ($t, $f, $up) {
            my $accepts = unpaid($t, '/report')->{accepts};
            is join(', ', map { $_->{extra}{name} } @$accepts), 'USD Coin, Example Dollar, Example Points', 'the tokens';
            for my $way (1, 2) {
                $f->forget;
                is_content paid($t, '/report', change => { accept => $way }), file('/report'), "way $way is good";
                is $f->asked('settle')->{paymentRequirements}{asset}, $accepts->[$way]{asset}, 'with its token';
            }
        },
    },
    'free-for-members.conf' => {
        offers => [ '/articles/a.html' => ['eip155:84532 20000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            my $text = file('/articles/a.html');
            is $t->get('/articles/a.html', headers => \@password)->body, $text, 'a member reads for nothing';
            is $t->get('/articles/a.html', from => '127.0.0.2')->body, $text, 'and so does the own network';
            is $f->calls, 0, 'no facilitator was asked';
            is $t->get('/archive/a.html')->status, 401, 'the archive is for members';
            is $t->get('/archive/a.html', headers => \@password)->status, 402, 'who pay';
        },
    },
    'settle-before.conf' => {
        offers => [ '/generate' => ['eip155:84532 250000'], '/render/a' => ['eip155:84532 1000000'],
            '/search' => ['eip155:84532 50000'] ],
        order => 'settle',
        free  => [ '/', '/index.html' ],
        also  => sub ($t, $f, $up) {
            $up->on('/generate', body => 'event', sse => 3);
            like paid($t, '/generate')->body, qr/data: event 3/, 'events are streamed';

            $up->on('/render/a', status => 503, body => 'not now');
            my $payment = payment(unpaid($t, '/render/a'));
            my @mine = (payment => $payment, headers => [ 'X-Api-Key' => 'mine' ]);
            my $r = paid($t, '/render/a', @mine);
            is $r->status, 503, 'work that failed';
            ok receipt($r)->{success}, 'after the money had moved';
            $up->on('/render/a', body => 'RENDERED');
            $f->forget;
            is paid($t, '/render/a', payment => $payment, headers => [ 'X-Api-Key' => 'other' ])->status, 402,
                'is not owed to others';
            is_content paid($t, '/render/a', @mine), 'RENDERED', 'but to its payer';
            is $f->calls, 0, 'without another charge';

            is paid($t, '/search')->status, 200, 'the other mode';
            is $f->order, 'verify settle', 'beside it';
        },
    },
    'self-hosted-facilitator.conf' => {
        offers => [ '/weather' => ['eip155:84532 10000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            $f->verify('silent');
            my $r;
            # A busy machine may be late: the first that is in time counts.
            for (1 .. 3) { $r = paid($t, '/weather'); last if $r->seconds < 4.5 }
            is $r->status . $r->body, '504{"error":"facilitator_timeout","charged":false}', 'a silent facilitator';
            cmp_ok $r->seconds, '<', 4.5, 'is not waited for';
        },
    },
    'facilitator-failover.conf' => {
        offers => [ '/weather' => ['eip155:84532 10000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            $t->allow(qr/does not say what it supports|; asking /);
            $f->verify_once(status => 503, body => '');
            is paid($t, '/weather')->status, 200, 'the first fails, the second is dead';
            is join(' ', map { $_->{path} } $f->requests), '/verify /backup/verify /backup/settle', 'the backup sells';
        },
    },
    'error-pages.conf' => {
        offers => [ '/articles/a.html' => ['eip155:84532 20000'] ],
        unpaid => sub { file('/pages/pay.html') },
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            like $t->get('/articles/a.html')->header('Content-Type'), qr{\Atext/html}, 'the page is HTML';
            is $t->get('/pages/pay.html')->status, 404, 'and only shown where it belongs';
            $f->verify(status => 500, body => 'x');
            my $r = paid($t, '/articles/a.html');
            is $r->status . $r->body, '502' . file('/pages/later.html'), 'a page for a broken facilitator';
            $f->verify('ok')->settle('close');
            $r = paid($t, '/articles/a.html');
            is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}',
                'but not for what clients have to read';
        },
    },
    'for-browsers.conf' => {
        offers => [ '/articles/a.html' => ['eip155:84532 20000'], '/downloads/a.bin' => ['eip155:84532 100000'],
            '/v1/a' => ['eip155:84532 1000'] ],
        free => [ '/', '/index.html' ],
        also => sub ($t, $f, $up) {
            my @browser = (headers => [ Accept => 'text/html', 'User-Agent' => 'Mozilla/5.0' ]);
            like $t->get('/articles/a.html', @browser)->body, qr/One article.*0\.02 USDC/s, 'people see a page';
            like $t->get('/downloads/a.bin', @browser)->body, qr{costs 0\.1 dollars.*localhost/downloads/a\.bin}s,
                'of one\'s own';
            like $t->get('/v1/a', @browser)->body, qr/\A\{"error":/, 'but not where no page is read';
        },
    },
    'extensions.conf' => {
        offers => [ '/weather/berlin' => ['eip155:84532 10000'], '/report' => ['eip155:84532 50000'] ],
        free   => [ '/', '/index.html' ],
        also   => sub ($t, $f, $up) {
            my $extensions = unpaid($t, '/weather/berlin')->{extensions};
            is join(' ', sort keys %$extensions), 'bazaar builder-code payment-identifier', 'what it says';
            is $extensions->{bazaar}{info}{input}{pathParams}{city}, 'berlin', 'of this city';
            is_content paid($t, '/weather/paris', change => { extensions => unpaid($t, '/weather/paris')->{extensions} }),
                "answer to /weather/paris\n", 'and takes it back';
            is join(' ', sort keys unpaid($t, '/report')->{extensions}->%*),
                'eip2612GasSponsoring erc20ApprovalGasSponsoring', 'who pays for gas';
        },
    },
    'fast-x402-server.conf' => {
        dialect => 'fast',
        offers => [ '/premium' => [ 'fast-testnet 1000', 'arbitrum-sepolia 1000' ], '/reports/1' => ['fast-testnet 1000000'] ],
        pay_to => 'fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh',
        order => 'verify',
        free  => ['/health'],
        also  => sub ($t, $f, $up) {
            my $show = sub ($payment) { $t->get('/premium', headers => [ 'X-PAYMENT' => $payment ]) };
            my $body = fast_offer($t->get('/premium'));
            is $show->(recorded_payment())->status, 200, 'a payment as it was recorded';
            is $show->(recorded_payment())->status, 402, 'once';
            is $show->(fast_payment($body, signers => 20))->status, 200, 'a long one';
            $f->forget;
            ok fast_receipt($show->(evm_payment($body, accept => 1)))->{txHash}, 'EVM, with its hash';
            is join(' ', map { $_->{headers}{'x-api-key'} } $f->requests), 'key-for-verify key-for-settle', 'keys';
            $f->verify(invalid => 'insufficient_signatures');
            my $r = $show->(fast_payment($body));
            is $r->status, 403, 'an invalid proof';
            is fast_offer($r)->{error}, 'insufficient_signatures', 'and why';
        },
    },
    'flask-routes.conf' => {
        offers => [ map { $_ => [ 'eip155:84532 10000', 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1 10000' ] }
            '/weather', '/WEATHER', '//weather/', '/premium/content' ],
        free => [ '/health', '/', '/weathers' ],
        also => sub ($t, $f, $up) {
            is $t->ask(POST => '/weather')->status, 200, 'another method is free, as it was';
            is $t->get('/weather', headers => [ 'X-Api-Key' => 'key-of-a-partner' ])->status, 200, 'a partner pays nothing';
            my $dear = unpaid($t, '/weather?tier=premium');
            is $dear->{accepts}[0]{amount}, '100000', 'the premium tier';
            is unpaid($t, "/weather?$_")->{accepts}[0]{amount}, '100000', "and in another spelling: $_"
                for 'tier=premiu%6d', 'ti%65r=premium', 'tier=basic&tier=premium';
            is unpaid($t, '/weather?tier=basic')->{accepts}[0]{amount}, '10000', 'the basic tier';
            is paid($t, '/weather?tier=premium', payment => payment(unpaid($t, '/weather')))->status, 402,
                'is not bought with a payment for the cheap one';
            $_->forget for $f, $up;
            is paid($t, '/weather?tier=premium', payment => payment($dear))->status, 200, 'but with its own';
            is $f->asked('verify')->{paymentRequirements}{amount}, '100000', 'which the facilitator is told';
            ok $t->wait_for(sub { $up->hits('/hooks/settled') == 1 }), 'the application hears of it';
            $f->verify(invalid => 'insufficient_funds');
            $up->forget;
            is paid($t, '/weather')->status, 402, 'refused';
            ok $t->wait_for(sub { $up->hits('/hooks/failed') == 1 }), 'the application hears of it';
            is +($up->requests('/hooks/failed'))[0]{headers}{'x-reason'}, 'insufficient_funds', 'and why';
            $f->verify('ok');
            $_->forget for $f, $up;
            $up->on('/hooks/may-buy', status => 403);
            is paid($t, '/premium/content', payment => payment($dear))->status, 403, 'an account that may not buy';
            is $f->calls, 0, 'is not charged';
            like read_text($t->dir . '/logs/payments.log'), qr{/weather\?tier=premium 200 settled 0x\w+ 100000 0x\w+}, 'the log';
        },
    },
    'payai-manual.conf' => {
        offers => [ '/weather' => [ 'eip155:84532 10000', 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1 10000' ] ],
        unpaid => sub {'{"error":"Payment required"}'},
        free   => ['/'],
        also   => sub ($t, $f, $up) {
            is $t->get('/weather', headers => [ 'X-API-Key' => 'key-of-a-subscriber' ])->status, 200, 'a subscriber pays nothing';
            is paid($t, '/weather')->status, 200, 'others do';
            like +($f->requests)[0]{headers}{authorization}, qr/\ABearer ey/, 'with a token';
            is $f->count('supported'), 0, 'no worker asks what is supported';
        },
    },
    'behind-a-proxy.conf' => {
        offers => [ '/report?a=1' => ['eip155:84532 10000'] ],
        free   => ['/health'],
        also   => sub ($t, $f, $up) {
            is unpaid($t, '/report?a=1')->{resource}{url}, 'https://api.example.com/report?a=1',
                'the URL that clients know';
            my $payment = payment(unpaid($t, '/owed'));
            my @from = (payment => $payment, headers => [ 'X-Forwarded-For' => '198.51.100.7' ]);
            $f->settle_once('close');
            is paid($t, '/owed', @from)->status, 503, 'an unknown outcome';
            is paid($t, '/owed', payment => $payment, headers => [ 'X-Forwarded-For' => '198.51.100.8' ])->status,
                503, 'is not finished by another client of the balancer';
            is $up->hits('/owed'), 1, 'who reaches nothing';
            is_content paid($t, '/owed', @from), "answer to /owed\n", 'but by its own';
        },
    },
);

plan skip_all => 'the module is not built' if !X402::Nginx::built();

my @files = map {s{.*/}{}r} glob "$directory/*.conf";
# Those for payments of another kind are run by tests of their own.
my %elsewhere = ('algorand.conf' => 'algorand.t', 'nevermined.conf' => 'nevermined_example.t',
    'several-machines.conf' => 'several_machines.t', 'several-machines-balancer.conf' => 'several_machines.t',
    'wordpress.conf' => 'wordpress.t');
is "@files", join(' ', sort(keys %examples, keys %elsewhere)), 'every example is here, and exists';
like read_text("$FindBin::Bin/$elsewhere{$_}"), qr{conf-examples/\Q$_\E}, "$_ is run by $elsewhere{$_}" for sort keys %elsewhere;

# What a location asks for, and one payment of it, in the dialect of the example.
sub ways ($about, $answer) {
    my $offer = $about->{dialect} ? fast_offer($answer) : offer($answer);
    return join ', ', map { "$_->{network} " . ($_->{amount} // $_->{maxAmountRequired}) } ($offer // {})->{accepts}->@*;
}

# Headers and host of the client that the example is about.
sub as_client ($about) { return map { $about->{$_} ? ($_ => $about->{$_}) : () } qw(headers host) }

sub sold ($about, $t, $path) {
    if (!$about->{dialect}) {
        my $r = paid($t, $path, as_client($about));
        return ($r, receipt($r));
    }
    my $r = $t->get($path, headers => [ 'X-PAYMENT' => fast_payment(fast_offer($t->get($path))) ]);
    return ($r, fast_receipt($r));
}

sub file ($path) { return "content of $path\n" }

sub read_text ($path) {
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

sub example ($name) {
    my $text = read_text("$directory/$name");
    for (@replacements) {
        my ($from, $to) = @$_;
        $text =~ s/\Q$from\E/$to/g;
    }
    ok !(grep { index($text, $_) < 0 } @must), "$name: is in the usual form";
    unlike $text =~ s/#.*//gr, qr{https?://(?!\$|api\.example|%%|app)}, "$name: nothing outside is asked";
    return $text;
}

for my $name (sort keys %examples) {
    my $about = $examples{$name};
    my ($f, $up) = (facilitator(), backend());
    my $text = example($name);
    my $t = nginx($text, facilitator => $f, backend => $up, holes => { DEAD => dead_url() });
    $t->write("html$_", file($_)) for '/robots.txt', '/.well-known/security.txt', '/index.html', '/report', '/downloads/a.bin', '/downloads/preview/a.bin',
        '/downloads/datasets/a.bin', '/articles/a.html', '/archive/a.html', '/members/a', '/members/b', '/reports/a', '/pages/pay.html', '/pages/later.html';
    $t->write('html/downloads/index.html', 'list');
    $t->write('mime.types', "types { text/html html; }\n");
    $t->write($_->[0], $_->[1]) for map { [ s{^\Q$directory/\E}{}r, read_text($_) ] }
        glob("$directory/*.html"), glob("$directory/extensions/*.json");
    $t->write('members.passwd', "me:{PLAIN}word\n");
    chmod 0600, $t->write('x402-sign.pem', "-----BEGIN PRIVATE KEY-----\n"
        . encode_base64(pack('H*', '302e020100300506032b657004220420') . 'y' x 32, '') . "\n-----END PRIVATE KEY-----\n");
    chmod 0600, $t->write('x402-mpp.key', 'k' x 64 . "\n");
    chmod 0600, $t->write('seal.key', 'k' x 64);
    chmod 0600, $t->write('payai.key', "id = my-id\nsecret = payai_sk_"
        . encode_base64(pack('H*', '302e020100300506032b657004220420') . 'x' x 32, '') . "\n");

    my ($said, $passes) = $t->test_config($text);
    ok $passes, "$name: nginx -t" or diag $said;
    unlike $said, qr/\[warn\]/, "$name: without a warning";
    my $typed = $t->config_error($text =~ s{\bx402_facilitator\b}{x402_pay_too}r);
    like $typed, qr/unknown directive "x402_pay_too"/, "$name: which would see a wrong one";
    $t->allow(qr/x402_pay_too/);
    $t->start;

    my @offers = $about->{offers}->@*;
    my ($sold) = @offers;
    while (my ($path, $expected) = splice @offers, 0, 2) {
        my $r = $t->get($path, as_client($about));
        is $r->status, 402, "$name: $path is not free";
        is ways($about, $r), join(', ', @$expected), "$name: $path: its price";
        next if $about->{dialect};
        is $r->body, $about->{unpaid} ? $about->{unpaid}->() : plain_body($r), "$name: $path: what is shown";
    }
    for my $path ($about->{free}->@*) {
        my $r = $t->get($path, as_client($about));
        is $r->status, 200, "$name: $path is free";
        ok !grep({/\Apayment/i} $r->{headers}->@*), "$name: $path knows nothing of payments";
    }
    is $f->calls, 0, "$name: no facilitator was asked for that";

    if (defined $sold) {
        my ($r, $receipt) = sold($about, $t, $sold);
        is $r->status, 200, "$name: $sold is sold";
        ok $receipt->{success}, "$name: with a receipt";
        is $f->order, $about->{order} // 'verify settle', "$name: at the facilitator";
        my ($last) = ($about->{order} // 'settle') =~ /(\w+)\z/;
        is $f->asked($last)->{paymentRequirements}{payTo}, $about->{pay_to} // $pay_to, "$name: to the address";
    }
    $_->forget for $f, $up;
    if ($about->{also}) {
        subtest $name => sub { $about->{also}->($t, $f, $up) };
    }
    $t->stop;
}

finish;
