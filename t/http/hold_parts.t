# SPDX-License-Identifier: Apache-2.0
# A page that is made of parts (SSI, addition): where the upstream of a
# part breaks off, or the part is an error of 500 or more, the page is not
# charged, or is owed. A part that is whole never costs a sale.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use X402::Test;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<'EOF', facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_price $0.01;
    proxy_cache_path %%DIR%%/cache keys_zone=parts:1m;
    lingering_timeout 100ms;
    server {
        listen 127.0.0.1:%%PORT%%;
        location /after/  { x402_settle_wait 1s; ssi on; ssi_types *; proxy_pass http://%%BACKEND%%; }
        location /before/ { x402_settle before; ssi on; ssi_types *; proxy_pass http://%%BACKEND%%; }
        location /added/  { addition_types *; add_after_body /part/broken; proxy_pass http://%%BACKEND%%; }
        location /part/   { x402 off; proxy_pass http://%%BACKEND%%; }
        location /raw/    { x402 off; proxy_buffering off; proxy_pass http://%%BACKEND%%; }
        location /kept/   { x402 off; proxy_cache parts; proxy_cache_valid 1h; proxy_pass http://%%BACKEND%%; }
        location /other/  { x402 off; error_page 502 = /part/whole; proxy_pass http://%%BACKEND%%; }
        location /shown/  { x402 off; error_page 502 /part/whole; proxy_pass http://%%BACKEND%%; }
        location /nested/ { x402 off; ssi on; ssi_types *; proxy_pass http://%%BACKEND%%; }
    }
}
EOF
$t->start;
$t->allow(qr/upstream prematurely closed|content lacks the end of a part|content has an error/);

sub page ($part) { return "a<!--#include virtual=\"$part\" -->z" }
for my $where (qw(part raw kept nested)) {
    $up->on("/$where/whole",   body => 'WHOLE');
    $up->on("/$where/chunked", body => 'WHOLE', chunked => 1);
    $up->on("/$where/eof",     body => 'WHOLE', eof => 1);
    $up->on("/$where/broken",  body => 'WHOLE' x 100, die_after => 5);
    $up->on("/$where/cut",     body => 'WHOLE' x 1000, chunked => 1, die_after => 1000);
}
$up->on('/raw/none', body => 'WHOLE', die_after => 0);
$up->on('/part/empty', status => 204);
$up->on("/$_/dead", die => 'head') for qw(part other shown);
$up->on('/part/error',   status => 500, body => 'WRONG');
$up->on('/part/missing', status => 404, body => 'NONE');
$up->on('/nested/in', body => 'n' . page('/part/broken') . 'n');
$up->on('/nested/well', body => 'n' . page('/raw/whole') . 'n');

my $number = 0;

sub made ($mode, $part) {
    my $path = "/$mode/" . ++$number;
    $up->on($path, body => page($part));
    $_->forget for $f, $up;
    my $payment = payment(unpaid($t, $path), from => random_hex(20));
    return ($path, $payment, paid($t, $path, payment => $payment));
}

for my $part (map { my $where = $_; map {"/$where/$_"} qw(whole chunked eof whole) } qw(part raw kept)) {
    my (undef, undef, $answer) = made(after => $part);
    is_content $answer, 'aWHOLEz', "$part: whole";
    is $f->calls('settle'), 1, "$part: charged once";
}
my (undef, undef, $nested) = made(after => '/nested/well');
is_content $nested, 'anaWHOLEznz', 'a part in a part: whole';
my (undef, undef, $empty) = made(after => '/part/empty');
is_content $empty, 'az', 'a part without a body: whole';

my (undef, undef, $missing) = made(after => '/part/missing');
is_content $missing, 'aNONEz', 'a part that is not there: sold as the page has it';
my (undef, undef, $other) = made(after => '/other/dead');
is_content $other, 'aWHOLEz', 'a part that another location makes in its place: whole';
$up->on('/after/stub', body => 'a<!--#block name="one" -->STUB<!--#endblock --><!--#include virtual="/part/dead" stub="one" -->z');
is_content paid($t, '/after/stub'), 'aSTUBz', 'a part that the page itself replaces: whole';

for my $part (qw(/part/dead /part/error /shown/dead /part/broken /part/cut /raw/none /kept/broken /nested/in)) {
    my (undef, undef, $answer) = made(after => $part);
    is $answer->status . ' ' . $answer->body, '502 {"error":"content_failed","charged":false}', "after, $part: refused";
    is $f->calls('settle'), 0, "after, $part: not charged";
}
$t->log_like(qr/\[warn\] .*x402: content lacks the end of a part \(subrequest\), whose upstream broke off before it was paid for; not charged/, 'which is said');

$up->on('/added/page', body => 'page');
$_->forget for $f, $up;
is paid($t, '/added/page')->status, 502, 'what is added breaks off: refused';
is $f->calls('settle'), 0, 'and not charged';
$t->log_like(qr/\[warn\] .*x402: content has an error of 500 or more in place of a part \(subrequest\) before it was paid for; not charged/, 'as is an error');

# Of a part that is not buffered nothing more is read while it is held.
for my $case ([ before => '/part/dead' ], [ before => '/part/broken' ], [ before => '/raw/cut' ], [ after => '/raw/broken' ], [ after => '/raw/cut' ]) {
    my ($mode, $part) = @$case;
    my ($path, $payment) = made(@$case);
    is $f->calls('settle'), 1, "$mode, $part: charged";
    my $other = "$part-whole";
    $up->on($path, body => page($other));
    $up->on($other, body => 'WHOLE');
    is_content paid($t, $path, payment => $payment), 'aWHOLEz', "$mode, $part: owed, and brought by the same payment";
    is $f->calls('settle'), 1, "$mode, $part: charged once";
    is paid($t, $path, payment => $payment)->status, 402, "$mode, $part: then it is used";
}
$t->log_like(qr/\[error\].*paid content lacks the end of a part \(subrequest\), whose upstream broke off; it is owed to its payer/, 'which is said, too');

finish;
