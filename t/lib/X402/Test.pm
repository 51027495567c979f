# SPDX-License-Identifier: Apache-2.0
package X402::Test;

# What every t/http test begins with: Test::More, the fake peers, nginx, the
# paying client, and an end that leaves nothing behind.
#
#     use v5.36;
#     use X402::Test;
#     my ($f, $b) = (facilitator(), backend());
#     my $t = nginx(<<'EOF', facilitator => $f, backend => $b); ...
#     finish;

use v5.36;
use Test::More ();
use Time::HiRes ();
use X402::Backend;
use X402::Facilitator;
use X402::Nginx;
use X402::Payer;
use X402::Port;

my @peers;
my @servers;
my $finished;
my $owner = $$;

sub import ($class) {
    my $caller = caller;
    eval "package $caller; Test::More->import; X402::Payer->import; Time::HiRes->import(qw(time sleep)); 1" or die;
    no strict 'refs';
    *{"${caller}::$_"} = \&{$_} for qw(facilitator backend nginx dead_url finish
        paid unpaid pay_with is_content is_refused no_trace);
    return;
}

sub facilitator () { push @peers, X402::Facilitator->new; return $peers[-1] }
sub backend ()     { push @peers, X402::Backend->new;     return $peers[-1] }

sub nginx ($conf, %options) {
    if (($options{module} // 1) && !X402::Nginx::built()) {
        Test::More::plan(skip_all => 'the module is not built');
    }
    push @servers, X402::Nginx->new($conf, %options);
    return $servers[-1];
}

# An address without a listener.
sub dead_url () { return 'http://127.0.0.1:' . X402::Port::reserve() }

# --- paying ------------------------------------------------------------------

# The offer of a location, by asking without money.
sub unpaid ($t, $path, %options) {
    my $answer = $t->ask($options{method} // 'GET', $path, %options, body => undef);
    my $offer = offer($answer) // die "no offer for $path:\n" . $answer->summary;
    return $offer;
}

# One paid request: asks for the offer, pays it. Further options as for ask;
# with payment => value the given header is presented.
sub paid ($t, $path, %options) {
    my $value = delete $options{payment}
        // payment(unpaid($t, $path, %options), (delete $options{change} // {})->%*);
    my @headers = ((delete $options{headers} // [])->@*, 'PAYMENT-SIGNATURE' => $value);
    my $method  = delete $options{method} // 'GET';
    return $t->ask($method, $path, %options, headers => \@headers);
}

# Header list with a fresh payment, for tests that drive a connection themselves.
sub pay_with ($t, $path, %options) {
    return [ 'PAYMENT-SIGNATURE' => payment(unpaid($t, $path, %options)) ];
}

# --- what is said again and again ---------------------------------------------

# Content came complete and unchanged, with its receipt.
sub is_content ($answer, $body, $name, %options) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $receipt = receipt($answer) // {};
    my $good = $answer->status == ($options{status} // 200)
        && $answer->complete && $answer->body eq $body
        && $answer->header_count('PAYMENT-RESPONSE') == 1
        && $answer->header_count('PAYMENT-REQUIRED') == 0
        && $receipt->{success} && ref $receipt->{success} && $receipt->{transaction};
    return Test::More::ok($good, $name) || Test::More::diag($answer->summary);
}

# A refused settlement: 402, a receipt that says so, a fresh offer, and nothing else.
sub is_refused ($answer, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $receipt = receipt($answer) // {};
    my $good = $answer->status == 402 && $answer->complete
        && $answer->body eq ($answer->{head_only} ? '' : plain_body($answer))
        && $answer->header_count('PAYMENT-RESPONSE') == 1
        && $answer->header_count('PAYMENT-REQUIRED') == 1
        && ref offer($answer)
        && ref $receipt->{success} && !$receipt->{success}
        && ($answer->header('Cache-Control') // '') =~ /no-store/;
    return Test::More::ok($good, $name) || Test::More::diag($answer->summary);
}

# Not one byte of the content among all bytes received.
sub no_trace ($answer, $marker, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $at = index ref $answer ? $answer->raw : $answer, $marker;
    return Test::More::is($at, -1, $name);
}

# --- the end -----------------------------------------------------------------

sub finish () {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $_->finish for @servers;
    $_->stop for @peers;
    $finished = 1;
    return Test::More::done_testing();
}

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

# A test that hangs is a failed test.
$SIG{ALRM} = sub { Test::More::diag('the test hangs'); exit 1 };
alarm($ENV{X402_SLOW} ? 600 : 300);

END {
    if ($$ == $owner) {
        my $code = $?;
        if (!$finished && @servers) {
            Test::More::diag('the test ended early; end of the error log:');
            Test::More::diag(substr $_->log, -3000) for @servers;
        }
        $_->destroy for @servers;
        $_->stop for @peers;
        $? = $code;
    }
}

1;
