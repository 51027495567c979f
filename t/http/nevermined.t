# SPDX-License-Identifier: Apache-2.0
# x402_protocol nevermined: credits of a plan, paid by a token that its bearer
# may use again. The backend here answers as the one of that system does.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use X402::Names;
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64 encode_base64url);

my $names = X402::Names->new;
my ($f, $up) = (facilitator(), backend());
my $plan  = '97356912389073';
my $t = nginx(<<'EOF', facilitator => $f, backend => $up, level => 'debug', holes => { DNS => $names->port });
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    large_client_header_buffers 8 128k;
    x402_protocol nevermined;
    x402_nevermined %%FACILITATOR%% key_file=sandbox.key;
    x402_facilitator_header X-Current-Org-Id org-1;
    log_format all '$x402_state|$x402_payer|$x402_amount|$x402_asset|$x402_network|$x402_scheme|$x402_payment|'
        '$x402_payment_id|$x402_presented|$x402_transaction|$http_payment_signature|$request|$x402_reason';

    map $x402_body_max_tokens $credits { "~^(?<hundreds>[1-9]\d*)\d\d$" $hundreds; default 1; }
    map $http_priority $by_priority { high 5; default 1; }
    map $http_x_credits $as_told { default $http_x_credits; }

    server {
        listen 127.0.0.1:%%PORT%%;
        access_log %%DIR%%/access.log all;
        proxy_set_header X-Agent-Request $x402_answer_agentRequest;
        proxy_set_header X-Agent-Request-Id $x402_answer_agentRequestId;
        proxy_set_header X-Agent-Name $x402_answer_agentRequest_agentName;
        proxy_set_header X-Balance $x402_answer_agentRequest_balance_balance;
        proxy_set_header X-Price $x402_answer_agentRequest_balance_pricePerCredit;
        proxy_set_header X-Valid $x402_answer_isValid;
        proxy_set_header X-None $x402_answer_agentRequest_none;
        proxy_set_header X-Credits $x402_amount;
        proxy_intercept_errors off;

        location = /ask {
            x402_accept scheme=nvm:erc4337 plan=97356912389073 credits=3;
            proxy_pass http://%%BACKEND%%;
        }
        location = /generate {
            x402_read_body 64k;
            x402_accept scheme=nvm:erc4337 plan=97356912389073 credits=$credits;
            proxy_pass http://%%BACKEND%%;
        }
        location = /priority {
            x402_accept scheme=nvm:erc4337 plan=97356912389073 credits=$by_priority;
            proxy_pass http://%%BACKEND%%;
        }
        location ~ ^/users/[^/]+$ {
            x402_accept scheme=nvm:erc4337 plan=97356912389073 agent=did:nv:agent-1;
            x402_description "A user's page";
            x402_methods GET;
            proxy_pass http://%%BACKEND%%;
        }
        location = /card { x402_accept scheme=nvm plan=111; proxy_pass http://%%BACKEND%%; }
        location = /coin { x402_accept plan=222; proxy_pass http://%%BACKEND%%; }
        location = /lost { x402_accept plan=333; proxy_pass http://%%BACKEND%%; }
        location = /silent { x402_accept plan=444; proxy_pass http://%%BACKEND%%; }
        location = /two {
            x402_accept scheme=nvm:card-delegation plan=1 network=visa;
            x402_accept scheme=nvm:erc4337 plan=2 network=base;
            proxy_pass http://%%BACKEND%%;
        }
        location = /strict {
            x402_settle_failure reject;
            x402_accept scheme=nvm:erc4337 plan=5;
            proxy_pass http://%%BACKEND%%;
        }
        location = /proof {
            x402_settle off;
            x402_accept scheme=nvm:erc4337 plan=5;
            proxy_pass http://%%BACKEND%%;
        }
        location = /headers {
            x402_token_header X-Token Payment-Signature;
            x402_accept scheme=nvm:erc4337 plan=5;
            proxy_pass http://%%BACKEND%%;
        }
        location = /told {
            x402_accept scheme=nvm:erc4337 plan=5 credits=$as_told;
            proxy_pass http://%%BACKEND%%;
        }
        location = /free {
            x402_bypass $server_protocol;
            x402_accept scheme=nvm:erc4337 plan=5;
            proxy_pass http://%%BACKEND%%;
        }
        location = /live {
            resolver 127.0.0.1:%%DNS%% ipv6=off;
            x402_nevermined sandbox key_file=live.key;
            x402_facilitator_timeout verify=1s;
            x402_accept scheme=nvm:erc4337 plan=5;
            proxy_pass http://%%BACKEND%%;
        }
    }
}
EOF
for my $name (qw(sandbox live)) {
    chmod 0600, $t->write("$name.key", "$name:header.claims.signature-$name\n");
}
$f->plan(111, card => 'braintree')->plan(222)->plan(333, status => 500, body => 'x')->plan(444, 'silent');
$t->start;
my $json = JSON::PP->new->canonical;

# A small client: a token for what an offer says, as a wallet would mint it.
sub token (%claims) {
    return encode_base64url($json->encode({ x402Version => 2, payload => { signature => random_hex(65) }, %claims }));
}

my @tokens;

sub ask_with ($path, %options) {
    my $token  = delete $options{token} // token();
    my $header = delete $options{header} // 'payment-signature';
    push @tokens, $token;
    return $t->ask(delete $options{method} // 'POST', $path, body => '{}', %options,
        headers => [ $header => $token, (delete $options{headers} // [])->@* ]);
}

sub asked_exactly ($key, $name, $expected, $n = 0) {
    return is $json->encode($f->asked($key, $n) // {}), $json->encode($expected), $name;
}

sub forget () { $_->forget for $f, $up; $f->verify('ok')->settle('paid'); return }
sub decode ($answer) { return decode_base64(scalar $answer->header('payment-required') // '') }

# --- 1. without a token ------------------------------------------------------------

my $r = $t->ask(POST => '/ask?q=1', body => '{}');
is $r->status, 402, 'no token: 402';
my $required = {
    x402Version => 2, resource => { url => '/ask' },
    accepts => [ { scheme => 'nvm:erc4337', network => 'eip155:84532', planId => $plan,
        extra => { version => '1', httpVerb => 'POST' } } ],
    extensions => {},
};
is $json->encode(offer($r)), $json->encode({ %$required, error => 'Payment required' }), 'the offer, every member';
like decode($r), qr/"planId":"$plan"/, 'the plan is a string';
is $json->encode($json->decode($r->body)), $json->encode({ error => 'Payment Required',
    message => 'Missing x402 payment token. Send token in payment-signature header.' }), 'body';
is $f->calls, 0, 'no facilitator was asked';
ok $up->untouched, 'the backend saw nothing';

# --- 2. with a token ----------------------------------------------------------------

$up->on('/ask', body => "ANSWER\n");
my $token = token(one => '~~~???');
$r = ask_with('/ask?q=1', token => $token);
is $r->status . $r->body, "200ANSWER\n", 'a token: content';
is $f->order, 'verify settle', 'verify, then settle';
my %question = (paymentRequired => $required, x402AccessToken => $token, maxAmount => '3');
asked_exactly(verify => 'verify, its body', \%question);
asked_exactly(settle => 'settle, its body', { %question, agentRequestId => 'request-1' });
for my $key (qw(verify settle)) {
    my ($request) = $f->requests($key);
    is "$request->{method} $request->{path}", "POST /api/v1/x402/$key", "$key: path";
    my %sent = $request->{headers}->%*;
    is join('|', map { $sent{$_} // '' } qw(authorization nevermined-version accept content-type x-current-org-id)),
        'Bearer sandbox:header.claims.signature-sandbox|1.1|application/json|application/json|org-1', "$key: headers";
}
is receipt($r)->{creditsRedeemed}, '3', 'the receipt tells the credits';
is receipt($r)->{remainingBalance}, '98', 'and what is left';
like $r->header('Cache-Control'), qr/private/, 'not for shared caches';
my ($seen) = $up->requests;
ok !exists $seen->{headers}{'payment-signature'}, 'the upstream does not get the token';

# --- 3. credits from the request -----------------------------------------------------

$up->on('/generate', body => 'x');
my $long = '{"prompt":"' . 'word ' x 5000 . '","max_tokens":350}';
for my $case (
    [ '{"max_tokens":350}' => '3' ], [ '{"max_tokens":50}' => '1' ], [ '{"prompt":"a"}' => '1' ],
    [ '{"max_tokens":"12345"}' => '123' ], [ '{"max_tokens":[700]}' => '1' ], [ '' => '1' ],
    [ $long => '3' ],
) {
    my ($body, $credits) = @$case;
    my $name = substr $body, 0, 30;
    forget();
    $r = ask_with('/generate', body => $body);
    is $r->status, 200, "$name: content";
    is $f->asked($_)->{maxAmount}, $credits, "$name: $_ says $credits" for qw(verify settle);
    is receipt($r)->{creditsRedeemed}, $credits, "$name: receipt";
    my ($request) = $up->requests;
    is $request->{body}, $body, "$name: the upstream gets it whole";
    is $request->{headers}{'x-credits'}, $credits, "$name: and the credits";
}
forget();
is $t->ask(POST => '/generate', body => $long)->status, 402, 'without a token the body is read, too';
is ask_with('/priority', headers => [ Priority => 'high' ])->status, 200, 'credits from a header';
is $f->asked($_)->{maxAmount}, '5', "$_ says 5" for qw(verify settle);
is ask_with('/told', headers => [ 'X-Credits' => '0' ])->status, 200, 'no credits: who you are is enough';
for my $credits ('', '-1', '1.5', 'many', '01', '9' x 19) {
    forget();
    is ask_with('/told', headers => [ 'X-Credits' => $credits ])->status, 500, "credits \"$credits\": closed";
    is $f->calls, 0, 'and no call was made';
}

# --- 4. path parameters and agents ----------------------------------------------------

forget();
my $offer = unpaid($t, '/users/42');
is $offer->{accepts}[0]{extra}{agentId}, 'did:nv:agent-1', 'the agent is in the 402';
is $offer->{resource}{url}, '/users/42', 'so is the path';
is $offer->{resource}{description}, "A user's page", 'and the description';
is ask_with('/users/42', method => 'GET', body => undef)->status, 200, 'paid';
is $f->asked('verify')->{paymentRequired}{accepts}[0]{extra}{agentId}, 'did:nv:agent-1', 'verify names the agent';
is $f->asked('verify')->{paymentRequired}{accepts}[0]{extra}{httpVerb}, 'GET', 'and the method';
is $f->asked('settle')->{agentRequestId}, 'request-1', 'settle says which request';
($seen) = $up->requests;
is $json->decode($seen->{headers}{'x-agent-request'})->{balance}{balance}, '98', 'the upstream gets agentRequest whole';
is join('|', map { $seen->{headers}{"x-$_"} // '-' } qw(agent-request-id agent-name balance price valid none credits)),
    'request-1|An agent|98|0.01|true|-|1', 'or parts of it';
is $t->ask(POST => '/users/42', body => 'x')->status, 200, 'a method that is not listed is free';
forget();
$f->verify(with => { agentRequest => { agentName => "a\r\nX-Evil: 1<'\x{e9}" } });
is ask_with('/ask')->status, 200, 'a name with line breaks';
($seen) = $up->requests;
ok !exists $seen->{headers}{'x-evil'}, 'makes no header';
like $seen->{headers}{'x-agent-name'}, qr/\Aa X-Evil: 1\?\?\?+\z/, 'and is made fit for one';

# --- 5. failures ---------------------------------------------------------------------

for my $status (500, 404, 302, 304) {
    forget();
    $up->on('/ask', status => $status, body => $status == 304 ? '' : 'no', headers => [ Location => '/elsewhere' ]);
    $r = ask_with('/ask');
    is $r->status, $status, "content with status $status passes";
    is $f->order, 'verify', 'and is not settled';
    is $r->header_count('payment-response'), 0, 'nor has it a receipt';
}
$up->on($_, body => "ANSWER\n") for '/ask', '/ask?unsettled';
$t->allow(qr/settle at facilitator/);
for my $failure ([ status => 500, body => '{"code":"X"}' ], [ 'close' ], [ status => 402, body => '{"message":"no"}' ],
    [ body => 'no JSON' ], [ status => 401, body => '{}' ]) {
    forget();
    $f->settle(@$failure);
    $r = ask_with('/ask?unsettled');
    is $r->status . $r->body, "200ANSWER\n", "settle fails (@$failure): delivered";
    is $r->header_count('payment-response'), 0, 'without a receipt';
    is $f->calls('settle'), 1, 'and never asked again';
}
$t->log_like(qr/\[error\].*settle at facilitator .* failed/, 'the failure is logged');
$t->log_like(qr/payment not settled, delivered all the same/, 'and in the ledger');
forget();
$f->settle(refused => 'no credits left');
$r = ask_with('/ask?unsettled');
is $r->status, 200, 'settle says no: delivered';
is receipt($r)->{errorReason}, 'no credits left', 'with what it said';

forget();
$up->on('/proof', body => "PROOF\n");
$r = ask_with('/proof');
is $r->status . $r->body, "200PROOF\n", 'settle off: a token proves its plan';
is $f->order, 'verify', 'settle off: its credits stay';
ok !$r->header('payment-response'), 'settle off: no receipt';
$up->on('/proof', status => 500, body => 'no');
is ask_with('/proof')->status, 500, 'settle off: a failure is a failure';
$f->verify(invalid => 'expired');
is ask_with('/proof')->status, 402, 'settle off: a token that is not valid';
forget();
$f->settle(refused => 'no credits left');

$r = ask_with('/strict');
is $r->status, 402, 'reject: not delivered';
is offer($r)->{error}, 'no credits left', 'with the reason';
ok !receipt($r)->{success}, 'and a receipt that says so';
$f->settle('close');
$r = ask_with('/strict');
is $r->status . $r->body, '503{"error":"settlement_unknown","charged":"unknown"}', 'reject: an unknown outcome';
$f->settle('paid');
is ask_with('/strict', token => $tokens[-1])->status, 200, 'the same token is verified again';
is $f->order =~ s/.*(verify settle)\z/$1/r, 'verify settle', 'from the beginning';

forget();
$f->verify(invalid => 'Insufficient credits');
$r = ask_with('/ask');
is $r->status, 402, 'not valid: 402';
is offer($r)->{error}, 'Insufficient credits', 'with the reason';
is $json->decode($r->body)->{message}, 'Insufficient credits', 'also in the body';
$f->verify(status => 400, body => $json->encode({ code => 'BCK.1', message => 'Token expired', hint => 'mint another' }));
$r = ask_with('/ask');
like decode($r), qr/"error":"Token expired \xe2\x80\x94 mint another \(HTTP 400\)"/, 'an error of the backend';
$t->allow(qr/verify at .* failed/);
for my $down ([ 'close' ], [ status => 500, body => 'x' ], [ status => 401, body => '{"message":"who?"}' ], [ 'reset' ]) {
    $up->forget;
    $f->verify(@$down);
    $r = ask_with('/ask');
    is $r->status, 402, "the backend is down (@$down): 402";
    ok $up->untouched, 'never served';
}
$t->log_like(qr/\[crit\].*check x402_nevermined and its key/, 'a key that is not taken is for the operator');

# --- 6. what the plan says ------------------------------------------------------------

forget();
for (1 .. 3) {
    is join(' ', unpaid($t, '/card')->{accepts}[0]->@{qw(scheme network)}), 'nvm:card-delegation braintree', 'a card plan';
    is join(' ', unpaid($t, '/coin')->{accepts}[0]->@{qw(scheme network)}), 'nvm:erc4337 eip155:84532', 'a crypto plan';
    is join(' ', unpaid($t, '/lost')->{accepts}[0]->@{qw(scheme network)}), 'nvm:erc4337 eip155:84532', 'a broken page';
}
is $f->calls($_), 1, "the page of plan $_ is read once" for 111, 222;
is $f->calls($plan), 0, 'and never where the scheme is written';
my ($page) = $f->requests(111);
is "$page->{method} $page->{path}", 'GET /api/v1/protocol/plans/111', 'where it is';
ok !exists $page->{headers}{authorization}, 'without the key';
$r = $t->get('/silent');
is $r->status, 402, 'a silent page';
cmp_ok $r->seconds, '<', 10, 'is not waited for';
is offer($r)->{accepts}[0]{scheme}, 'nvm:erc4337', 'and changes nothing';
is $json->encode([ map { "$_->{planId} $_->{scheme} $_->{network}" } unpaid($t, '/two')->{accepts}->@* ]),
    '["1 nvm:card-delegation visa","2 nvm:erc4337 eip155:8453"]', 'two plans, networks as written';
is ask_with('/card')->status, 200, 'a card plan is paid';
is $f->asked('verify')->{paymentRequired}{accepts}[0]{network}, 'braintree', 'and asked about';

# --- 7. the key, and the token's secrecy ----------------------------------------------

forget();
is unpaid($t, '/live')->{accepts}[0]{network}, 'eip155:8453', 'a live key: real money, whatever is written';
is ask_with('/live')->status, 402, 'its backend is not to be had here';
$t->log_like(qr{verify at facilitator "https://api\.live\.nevermined\.app/api/v1/x402" failed}, 'and it is that of the key');

$token = token(again => 1);
for (1 .. 2) {
    is ask_with('/ask', token => $token)->status, 200, 'the same token works twice';
}
is $up->hits('/ask'), 2, 'for two contents';
is ask_with('/free', token => $token)->status, 200, 'a free request with a token';
my ($free) = grep { $_->{path} eq '/free' } $up->requests;
ok !exists $free->{headers}{'payment-signature'}, 'does not pass it on';

forget();
is ask_with('/headers', header => 'X-Token', token => $token)->status, 200, 'another header';
is $f->asked('verify')->{x402AccessToken}, $token, 'is taken';
my $other = token(other => 1);
is ask_with('/headers', header => 'X-Token', token => $token, headers => [ 'Payment-Signature' => $other ])->status, 200, 'both';
is $f->asked('verify', 1)->{x402AccessToken}, $token, 'the first one counts';
is ask_with('/headers', header => 'X-Token', token => '', headers => [ 'Payment-Signature' => $other ])->status, 200,
    'an empty one';
is $f->asked('verify', 2)->{x402AccessToken}, $other, 'does not';
push @tokens, $other;
ok !grep({ $_->{headers}{'x-token'} || $_->{headers}{'payment-signature'} } $up->requests), 'neither reaches the upstream';
like $json->decode($t->get('/headers')->body)->{message}, qr/in x-token header/, 'which is told who has none';

# Malformed tokens: a clear refusal, no call.
forget();
for my $bad (
    [ "a\x01b" => qr/characters/ ], [ "a b" => qr/characters/ ], [ "t\xf6ken" => qr/characters/ ], [ "\xff\xfe" => qr/characters/ ],
    [ "a\x7f" => qr/characters/ ], [ 'x' x 65536 => qr/too long/ ], [ 'x' x 32769 => qr/too long/ ],
) {
    my ($value, $why) = @$bad;
    my $name = sprintf '%vd', substr $value, 0, 6;
    $r = ask_with('/ask', token => $value);
    is $r->status, 402, "token $name: 402";
    like $json->decode($r->body)->{message}, $why, "token $name: says why";
    like offer($r)->{error}, $why, "token $name: also in the offer";
}
$r = $t->ask(POST => '/ask', body => '{}', headers => [ 'payment-signature' => 'a', 'Payment-Signature' => 'b' ]);
like $json->decode($r->body)->{message}, qr/More than one/, 'two tokens';
is $t->ask(POST => '/ask', body => '{}', headers => [ 'payment-signature' => '' ])->status, 402, 'an empty token';
is $f->calls, 0, 'no facilitator was asked about them';
ok $up->untouched, 'the backend did not see them';
is ask_with('/ask', token => 'x' x 32768)->status, 200, 'a long token';
for my $good ('a=b', '"quoted\\"', '{}', encode_base64('x' x 30, ''), '-_.~') {
    is ask_with('/ask', token => $good)->status, 200, "token $good is as good as any";
    is $f->asked('verify', $f->calls('verify') - 1)->{x402AccessToken}, $good, 'and told as it is';
}

# nginx itself writes every request header at level debug; no other text contains a token.
my $access = '';
$t->wait_for(sub { ($access = slurp('access.log')) =~ /x{5}.*\n.*\n.*\n.*\n.*\n/ || 1 }, 1);
my $written = join "\n", (grep { !/ http header: "/ } split /\n/, $t->log), $access;
my @found = grep { length > 40 && index($written, $_) >= 0 } @tokens;
is scalar @found, 0, 'no token in any log';
unlike $written, qr/signature-(?:sandbox|live)/, 'nor the key';
like $access, qr/^settled\|0x5{40}\|3\|$plan\|eip155:84532\|nvm:erc4337\|[^|]*\|[^|]*\|1\|0x[0-9a-f]{64}\|/m,
    'what the log can tell';
like $access, qr/^settled(?:\|[^|]*){5}\|-?\|-?\|1\|/m, 'neither $x402_payment nor $x402_payment_id';
is join(' ', map { /^(\w+)/ } grep { /POST \/ask\?unsettled/ } split /\n/, $access), join(' ', ('verified') x 6),
    'what was delivered unsettled is called verified';

sub slurp ($name) {
    open my $file, '<:raw', $t->dir . "/$name" or return '';
    local $/;
    return scalar(<$file>) // '';
}

finish;
