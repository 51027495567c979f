# SPDX-License-Identifier: Apache-2.0
# Labels, servers and locations whose names are not UTF-8, or have quotes, line
# breaks and control characters: ledger, JSON, page, metrics and OpenMetrics
# stay valid, and names that look the same are one row.

use v5.36;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Encode ();
use IPC::Open3 ();
use JSON::PP ();
use X402::Test;

# Path => label, and what is shown of it.
my $bad = "\xef\xbf\xbd";
my %labels = (
    '/latin1'    => [ "caf\xe9",                 "caf$bad" ],
    '/latin2'    => [ "caf\xea",                 "caf$bad" ],
    '/quotes'    => [ 'a "b" \\ <b>&\'',         'a "b" \\ <b>&\'' ],
    '/newline'   => [ "two\nlines",              'two lines' ],
    '/blank'     => [ 'two lines',               'two lines' ],
    '/tab'       => [ "two\tlines",              'two lines' ],
    '/return'    => [ "two\rlines",              'two lines' ],
    '/escape'    => [ "\x1b[31mred\x7f",         ' [31mred ' ],
    '/four'      => [ "\xf0\x9f\x92\xb0",        "\xf0\x9f\x92\xb0" ],
    '/cut'       => [ "euro \xe2\x82",           "euro $bad$bad" ],
    '/surrogate' => [ "\xed\xa0\x80",            $bad x 3 ],
    '/overlong'  => [ "\xc0\xaf",                $bad x 2 ],
    '/long'      => [ "\x80" x 128,              $bad x 42 ],
    '/letters'   => [ "\xe2\x82\xac" x 42,       "\xe2\x82\xac" x 42 ],
    '/nul'       => [ "nul\0here",               'nul here' ],
    '/other'     => [ 'other',                   'other' ],
    '/braces'    => [ '{le="1"} 1 # EOF',        '{le="1"} 1 # EOF' ],
);
my $locations = join "\n        ", map {
    my $label = $labels{$_}[0] =~ s/["\\]/\\$&/gr;
    qq(location = $_ { x402_label "$label"; proxy_pass http://%%BACKEND%%; });
} sort keys %labels;

my ($f, $up) = (facilitator(), backend());
my $t = nginx(<<"EOT", facilitator => $f, backend => $up);
%%GLOBALS%%
events { }
http {
    %%HTTP%%
    x402_facilitator %%FACILITATOR%%;
    x402_network base-sepolia;
    x402_pay_to 0x209693Bc6afc0C5328bA36FaF03C514EF312287C;
    x402_ledger logs/ledger;
    server {
        listen 127.0.0.1:%%PORT%%;
        x402_price \$0.01;
        $locations
        location "/r\xe9sum\xe9/" { proxy_pass http://%%BACKEND%%; }
        location ~ "^/a(?<x>b|c)\\.\\"q\\"" { proxy_pass http://%%BACKEND%%; }
        location = /lower { x402_label assets; x402_accept network=base-sepolia price=0.01 asset=0x036cbd53842c5426634e7929541ec2318f3dcf7e; proxy_pass http://%%BACKEND%%; }
        location = /upper { x402_label assets; proxy_pass http://%%BACKEND%%; }
        location = /status { x402_status; }
    }
    server {
        listen 127.0.0.1:%%PORT_named%%;
        server_name "sh\xf6p\x01.example";
        x402_price \$0.01;
        location / { x402_label "caf\xe9"; proxy_pass http://%%BACKEND%%; }
    }
}
EOT
$up->on('*', body => "CONTENT\n");
$t->start;

my @paths = (sort(keys %labels), "/r\xe9sum\xe9/a", '/ab."q"', '/lower', '/upper');
is_content paid($t, $_ =~ s/([^\x21-\x7e]|")/sprintf '%%%02x', ord $1/ger), "CONTENT\n", "paid: " . ($_ =~ s/[^\x21-\x7e]/?/gr) for @paths;
is_content paid($t, '/', port => 'named'), "CONTENT\n", 'paid at a server with an odd name';

# --- what can be read ---------------------------------------------------------------

sub is_text ($bytes, $name) {
    my $copy = $bytes;
    my $letters = eval { Encode::decode('UTF-8', $copy, Encode::FB_CROAK) };
    ok defined $letters && $letters !~ /[\x00-\x09\x0b-\x1f\x7f]/, "$name is UTF-8 without control characters";
    return;
}

# Series => value, as strictly as the text format is written down.
sub series ($text, $name) {
    my (%found, @wrong);
    for my $line (split /\n/, $text) {
        next if $line =~ /\A# (?:HELP|TYPE) nginx_x402_\w+ .+\z/ || $line eq '# EOF';
        if ($line !~ /\Anginx_x402_\w+(?:\{\w+="(?:[^"\\]|\\[\\"n])*"(?:,\w+="(?:[^"\\]|\\[\\"n])*")*\})? [0-9.e+]+\z/) {
            push @wrong, $line;
            next;
        }
        my ($series, $value) = $line =~ /\A(.*) (\S+)\z/;
        push @wrong, "twice: $series" if exists $found{$series};
        $found{$series} = $value;
    }
    is "@wrong", '', "$name: each line is one, and no series is there twice";
    return \%found;
}

sub status ($format) { return $t->get("/status?format=$format")->body }
sub settled ($server, $shown) { return sprintf 'nginx_x402_requests_total{server="%s",location="%s",state="settled"}', $server, $shown =~ s/[\\"]/\\$&/gr }
my @wanted = map { [ '', $_ ] } (map { $_->[1] } values %labels), "/r${bad}sum$bad/", '^/a(?<x>b|c)\\."q"', 'assets';
push @wanted, [ "sh${bad}p .example", "caf$bad" ];
my %times;
$times{ settled(@$_) }++ for @wanted;
$times{ settled('', 'assets') } = 2;
my $last;
ok $t->wait_for(sub {
    $last = status('prometheus');
    return !grep { index($last, "$_ $times{$_}\n") < 0 } keys %times;
}), 'each name has its row, and names that look the same have one'
    or diag join "\n", grep { index($last, "$_ $times{$_}\n") < 0 } keys %times;

my $metrics = status('prometheus');
my $open = status('openmetrics');
is_text($metrics, 'the metrics');
is_text($open, 'OpenMetrics');
my $all = series($metrics, 'metrics');
series($open, 'OpenMetrics');
is scalar(grep { /^nginx_x402_revenue_atomic_total\{.*location="assets"/ } keys %$all), 1, 'an asset in two spellings is one series';
like $metrics, qr/^nginx_x402_revenue_atomic_total\{network="eip155:84532",asset="USDC",server="",location="assets",pay_to="[^"]*"\} 20000$/m, 'with the sum of both';

SKIP: {
    skip 'promtool is not installed (package prometheus)', 2 if !grep { -x "$_/promtool" } split /:/, $ENV{PATH};
    for my $text ($metrics, $open =~ s/# EOF\n//r) {
        my $pid = IPC::Open3::open3(my $in, my $out, undef, qw(promtool check metrics));
        print {$in} $text;
        close $in;
        my $said = do { local $/; <$out> };
        waitpid $pid, 0;
        # Of counters in OpenMetrics promtool expects names of the older format.
        ok $? == 0 || $said !~ /error while linting|expected|invalid|duplicate/i, 'promtool reads them' or diag $said;
    }
}

my $page = status('html');
is_text($page, 'the page');
unlike $page, qr/"b"/, 'with nothing of a name as markup';
cmp_ok index($page, '<td>a &quot;b&quot; \\ &lt;b&gt;&amp;&#39;<td>'), '>', 0, 'but all of it as text';

my $json = status('json');
is_text($json, 'the JSON');
my $status = eval { JSON::PP->new->utf8->decode($json) };
ok $status, 'and can be read' or diag $@;
my %rows = map { Encode::encode('UTF-8', "$_->{server}\n$_->{location}") => $_->{settled} } $status->{locations}->@*;
is_deeply [ map { $rows{"$_->[0]\n$_->[1]"} } @wanted ], [ map { $times{ settled(@$_) } } @wanted ], 'with the same names and figures';

# --- the ledger ------------------------------------------------------------------------

sub ledger () {
    open my $fh, '<', $t->dir . '/logs/ledger' or return '';
    local $/;
    return <$fh> // '';
}
my $lines = @paths + 1;
ok $t->wait_for(sub { $lines == (() = ledger() =~ /"event":"delivered"/g) }), 'the ledger has a line for each delivery';
is_text(ledger(), 'the ledger');
my %booked;
for my $line (split /\n/, ledger()) {
    my $event = eval { JSON::PP->new->utf8->decode($line) } // do { fail("no JSON: $line"); next };
    $booked{ Encode::encode('UTF-8', ($event->{server} // '') . "\n" . $event->{location}) }++ if $event->{event} eq 'settled';
}
is_deeply [ map { $booked{"$_->[0]\n$_->[1]"} } @wanted ], [ map { $times{ settled(@$_) } } @wanted ], 'under the names of the metrics';

finish;
