# SPDX-License-Identifier: Apache-2.0
# x402_status with 10,000 locations and 1,000 labels: within 2 ms of the
# processor, correct in the middle of reloads, and what has no room is counted
# together.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use X402::Test;

my ($f, $up) = (facilitator(), backend());
sub configuration ($labels) {
    my $locations = join "\n", map {
        my $label = $_ % $labels;
        "location /l$_/ { x402_label \"label \\\"$label\\\" \x{e4}\\\\\"; proxy_pass http://%%BACKEND%%; }"
    } 0 .. 9999;
    utf8::encode($locations);
    return <<"EOT";
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_price \$0.01;
        $locations
        location = /status { x402_status; }
    }
}
EOT
}
my $t = nginx(configuration(1000), facilitator => $f, backend => $up);
$up->on('*', body => "CONTENT\n");
$t->start;
is_content paid($t, '/l7777/x'), "CONTENT\n", 'one of ten thousand locations sells';

sub status ($format) { return $t->get("/status?format=$format") }
sub series ($text) { return $text =~ /^(nginx_x402_requests_total\{[^}]*state="settled"\}) 1$/m ? $1 : '' }
ok $t->wait_for(sub { series(status('prometheus')->body) }), 'and is counted';
is series(status('prometheus')->body) =~ s/server="[^"]*",//r,
    "nginx_x402_requests_total{location=\"label \\\"777\\\" \xc3\xa4\\\\\",state=\"settled\"}", 'under its label, escaped';
my @labels = status('prometheus')->body =~ /^nginx_x402_requests_total\{[^}]*state="settled"\}/mg;
is scalar @labels, 1001, 'with all the others, and the server itself';

# --- the time it takes -------------------------------------------------------------

sub processor_ms ($pid) {
    open my $file, '<', "/proc/$pid/stat" or die;
    my $line = <$file>;
    my @fields = split ' ', $line =~ s/\A.*\) //r;
    return 1000 * ($fields[11] + $fields[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}
SKIP: {
    skip 'a sanitizer or valgrind takes its time', 3 if $ENV{X402_SLOW};
    for my $format (qw(html json prometheus)) {
        my ($worker) = $t->workers;
        my $before = processor_ms($worker);
        status($format) for 1 .. 100;
        my $each = (processor_ms($worker) - $before) / 100;
        # All of it: making the text, and sending what is up to 2 MB to a socket,
        # on a machine that others use.
        note sprintf '%s: %.2f ms, %d KB', $format, $each, length(status($format)->body) / 1024;
        my $most = { html => 2, json => 4, prometheus => 10 }->{$format};
        cmp_ok $each, '<', $most, "$format with its transport";
    }
}

# --- in the middle of reloads ---------------------------------------------------------

my ($scrapes, $whole) = (0, 0);
for (1 .. 3) {
    my %old = map { $_ => 1 } $t->workers;
    $t->signal('HUP');
    do {
        my $answer = status('openmetrics');
        $scrapes++;
        $whole += $answer->status == 200 && $answer->complete && $answer->body =~ /# EOF\n\z/
            && series($answer->body) ne '';
    } until !grep { $old{$_} } $t->workers;
}
cmp_ok $scrapes, '>', 2, 'scrapes while nginx is reloaded';
is $whole, $scrapes, 'all of them whole, with what was counted before';

# --- more labels than there is room for ---------------------------------------------------

my $text = $t->test_config(configuration(5000));
like $text, qr/500\d locations have a price and a label of their own, and x402_status counts 1023: give .* the same x402_label/,
    'a warning at nginx -t';
$t->conf(configuration(5000));
$t->reload;
is_content paid($t, '/l4999/x'), "CONTENT\n", 'a location beyond sells as well';
ok $t->wait_for(sub { status('prometheus')->body =~ /^nginx_x402_requests_total\{server="",location="",state="settled"\} 1$|location="other",state="settled"\} 1$/m }),
    'and is counted with the others'
    or diag join "\n", status('prometheus')->body =~ /^(nginx_x402_requests_total\S*settled\S* [1-9]\d*)$/mg;

finish;
