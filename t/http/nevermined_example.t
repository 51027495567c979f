# SPDX-License-Identifier: Apache-2.0
# conf-examples/nevermined.conf as it stands: each of its locations sells for
# the credits it says.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;
use JSON::PP ();

my $file = "$FindBin::Bin/../../conf-examples/nevermined.conf";
my $text = do { open my $in, '<:raw', $file or die "$file: $!"; local $/; <$in> };
for (
    [ "user  www-data;\n" => '' ], [ "error_log  /var/log/nginx/error.log notice;\n" => '' ],
    [ 'load_module  modules/ngx_http_x402_module.so;' => '%%GLOBALS%%' ], [ "\nhttp {\n" => "\nhttp {\n    %%HTTP%%\n" ],
    [ 'listen       80;' => 'listen 127.0.0.1:%%PORT%%;' ], [ '127.0.0.1:3000' => '%%BACKEND%%' ], [ '/srv/www' => '%%DIR%%/html' ],
    [ 'sandbox key_file=/etc/nginx/nevermined.key' => '%%FACILITATOR%% key_file=%%DIR%%/nevermined.key' ],
) {
    my ($from, $to) = @$_;
    ok $text =~ s/\Q$from\E/$to/g, "in the usual form: " . $from =~ s{\s+}{ }gr;
}
unlike $text =~ s/#.*//gr, qr{https?://(?!%%)}, 'nothing outside is asked';

my ($f, $up) = (facilitator(), backend());
my $t = nginx($text, facilitator => $f, backend => $up);
chmod 0600, $t->write('nevermined.key', "sandbox:example-key\n");
$t->write("html$_", "content of $_\n") for '/index.html', '/archive/a.html';
my ($said, $passes) = $t->test_config($text);
ok $passes, 'nginx -t' or diag $said;
unlike $said, qr/\[warn\]/, 'without a warning';
$t->start;
$f->plan(97356912389073, card => '');

is $t->get('/index.html')->status, 200, 'what is free';
is $t->get('/ask')->status, 200, 'a method that is not listed is free';
my @token = (headers => [ 'payment-signature' => 'a-token' ]);
for my $case (
    [ '/ask', POST => '{}', '3' ], [ '/generate', POST => '{"max_tokens":350}', '3' ], [ '/generate', POST => '{"max_tokens":50}', '1' ],
    [ '/generate', POST => '{}', '1' ], map({ [ '/generate', POST => qq({"max_tokens":$_}), '100' ] } '1e5', '100000', '-1', '"many"'),
    [ '/users/42', GET => undef, '1' ], [ '/users/42', GET => undef, '5', Priority => 'high' ],
    [ '/users/42', GET => undef, '5', Priority => 'HIGH' ], [ '/users/42', GET => undef, '1', Priority => 'low' ], [ '/archive/a.html', GET => undef, '1' ],
) {
    my ($path, $method, $body, $credits, @more) = @$case;
    $_->forget for $f, $up;
    is $t->ask($method => $path, body => $body, headers => [@more])->status, 402, "$path is for sale";
    my $r = $t->ask($method => $path, body => $body, headers => [ 'x-agent-token' => 'a-token', @more ]);
    is $r->status, 200, "$path is sold";
    is receipt($r)->{creditsRedeemed}, $credits, "$path: for $credits";
    is $f->order, 'verify settle', "$path: at the backend";
    next if $path ne '/users/42';
    my ($seen) = $up->requests;
    is $seen->{headers}{'x-agent-name'}, 'An agent', 'the upstream is told who asks';
    is $seen->{headers}{'x-credits'}, $credits, 'and what it cost';
    is $seen->{headers}{priority}, $credits == 1 ? 'low' : 'high', 'and gives what was paid for';
}
is unpaid($t, '/users/7')->{accepts}[0]{extra}{agentId}, 'did:nv:1234', 'the agent';
is offer($t->ask(POST => '/ask', body => '{}'))->{accepts}[0]{scheme}, 'nvm:card-delegation', 'as the plan says';
is offer($t->ask(POST => '/ask', body => '{}'))->{accepts}[0]{network}, 'stripe', 'by the usual provider';
$f->settle(refused => 'none left');
is $t->get('/archive/a.html', @token)->status, 402, 'not delivered unsettled';
is $t->get('/users/1', @token)->status, 200, 'elsewhere it is';

finish;
