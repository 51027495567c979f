# SPDX-License-Identifier: Apache-2.0
package X402::Hold;

# One kind of content, tried four ways: over HTTP/1.1 and HTTP/2, with a
# settlement that is paid and with one that is refused.
#
#     held($t, $f, 'gzip', '/gzip/a', body => $text, headers => [ 'Accept-Encoding' => 'gzip' ]);
#
# Paid: the expected body (or what check => sub says), one receipt, settled
# once. Refused: a complete 402, no marker among all bytes received, no header
# of the content, settled once. Options: body, check, status, method, headers,
# marker (default SECRET), send (a request body), small => 0 where the request
# itself is long; the rest is for ask.

use v5.36;
use Exporter 'import';
use Test::More;
use X402::Payer;
use X402::Test ();

our @EXPORT = qw(held);

my %ours = map { lc, 1 } qw(Server Date Content-Type Content-Length Transfer-Encoding Connection Keep-Alive
    Cache-Control Vary PAYMENT-REQUIRED PAYMENT-RESPONSE);

sub held ($t, $f, $name, $path, %options) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $method = $options{method} // 'GET';
    my $marker = $options{marker} // 'SECRET';
    my %via    = (method => $method, headers => $options{headers} // [],
        defined $options{send} ? (body => $options{send}) : ());

    for my $h2 (0, 1) {
        my $case = ($h2 ? 'HTTP/2, ' : 'HTTP/1.1, ') . $name;
        my %wire = $h2 ? (h2 => 1, port => 'h2') : ();

        $f->forget;
        $f->settle('paid');
        my $r = X402::Test::paid($t, $path, %via, %wire);
        if ($options{check}) {
            my $good = $r->status == ($options{status} // 200) && $r->complete
                && $r->header_count('PAYMENT-RESPONSE') == 1 && receipt($r)->{success}
                && $options{check}->($r);
            ok $good, "$case: paid" or diag $r->summary;
        }
        else {
            X402::Test::is_content($r, $options{body}, "$case: paid", status => $options{status});
        }
        like $r->header('Cache-Control'), qr/\bprivate\b/, "$case: private";
        is $f->order, 'verify settle', "$case: settled once";

        $f->forget;
        $f->settle(refused => 'insufficient_funds');
        $r = X402::Test::paid($t, $path, %via, %wire);
        $r->{head_only} = 1 if $method eq 'HEAD';
        X402::Test::is_refused($r, "$case: refused");
        X402::Test::no_trace($r, $marker, "$case: refused, no content");
        my @names = map { $r->{headers}[ 2 * $_ ] } 0 .. $r->{headers}->@* / 2 - 1;
        is join(' ', grep { !$ours{ lc $_ } } @names), '', "$case: refused, no header of the content";
        cmp_ok length $r->raw, '<', 8000, "$case: refused, not many bytes";
        is $f->order, 'verify settle', "$case: refused, settled once";
    }
    $f->settle('paid');
    return;
}

1;
