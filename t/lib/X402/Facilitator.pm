# SPDX-License-Identifier: Apache-2.0
package X402::Facilitator;

# A facilitator that answers what the test tells it and remembers every call.
#
#     my $f = X402::Facilitator->new;
#     $f->verify('ok');                      the standing answer (the default)
#     $f->settle(refused => 'insufficient_funds');
#     $f->settle_once(reset => 1);           for the next call only, may be queued
#     is $f->calls('settle'), 1, '...';
#
# Words that say what the answer means:
#     'ok'  invalid => reason                for verify
#     kinds => [ [ version, scheme, network, extra ], ... ]  for supported
#     'paid'  refused => reason              for settle
#     card => provider                       for the page of a plan
#     with => { key => value }               fields put over the default answer
#     without => [ keys ]                    fields left out of it
#     status => n, body => text, headers => [ name, value, ... ]
# Words that say how it travels:
#     hold => 1      until $f->release('settle')        delay => seconds
#     close => 1     request read, connection closed    reset => 1   the same by RST
#     stale => 1     close, but only on a connection that has served before
#     silent => 1    never anything                     half => n    n bytes, then close
#     chunked => 1   trickle => 1 (byte by byte)        interim => 1 (1xx heads first)
#     last => 1      Connection: close                  huge => n    n bytes of JSON padding
#     eof => 1       no length, ends with the connection
#     redirect => url (status 307 unless given)
#     raw => bytes   the answer as it stands, with %JSON%, %SIZE% and %HEX% (its size) filled in
#     more => bytes  sent a moment after the answer, unasked
#     flood => n     a body of n bytes, in chunks of 64 KB
#     except => text     a call with this text in its body is answered as if nothing were said

use v5.36;
use parent 'X402::Peer';
use Digest::SHA qw(sha256_hex);
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;

# --- the test's side ---------------------------------------------------------

sub url ($self) { return 'http://' . $self->address }

sub verify      ($self, @spec) { return $self->_script(verify => 0, @spec) }
sub settle      ($self, @spec) { return $self->_script(settle => 0, @spec) }
sub supported ($self, @spec) { return $self->_script(supported => 0, @spec) }
sub verify_once ($self, @spec) { return $self->_script(verify => 1, @spec) }
sub settle_once ($self, @spec) { return $self->_script(settle => 1, @spec) }
sub supported_once ($self, @spec) { return $self->_script(supported => 1, @spec) }

# A backend of plans and credits: verify and settle know a token when they see
# one, and this is the page about the plan with that number.
sub plan ($self, $number, @spec) { return $self->_script($number => 0, @spec) }

sub _script ($self, $key, $once, @spec) {
    my %spec = @spec % 2 ? (shift @spec => 1, @spec) : @spec;    # a first word may stand alone
    $self->ask(do => 'script', key => $key, once => $once, spec => \%spec);
    return $self;
}

# What it supports is asked in the background: no part of what a payment causes,
# unless a test asks for it by name. The same goes for the pages of plans.
sub requests ($self, $key = undef) {
    return grep { defined $key || $_->{key} !~ /\A(?:supported|\d+)\z/ } $self->SUPER::requests($key);
}

sub count ($self, $key = undef) {
    return $self->SUPER::count($key) if defined $key;
    my $counts = $self->ask(do => 'counts');    # at one moment: /supported may be asked between two
    my $pages  = 0;
    /\A(?:supported|\d+)\z/ and $pages += $counts->{requests}{$_} for keys $counts->{requests}->%*;
    return $counts->{total} - $pages;
}

sub calls      ($self, $key = undef) { return $self->count($key) }
sub wait_calls ($self, @args)        { return $self->wait_count(@args) }

# 'verify settle': what was asked, in order.
sub order ($self) { return join ' ', map { $_->{key} } $self->requests }

# The decoded body of the n-th call of a kind.
sub asked ($self, $key, $n = 0) {
    my $request = ($self->requests($key))[$n] or return undef;
    return eval { $json->decode($request->{body}) };
}

# What this facilitator says as transaction when it settles the payment with this nonce.
sub transaction ($class, $nonce) { return '0x' . sha256_hex("tx $nonce") }

# --- the child's side --------------------------------------------------------

sub command ($self, $command) {
    return $self->SUPER::command($command) if $command->{do} ne 'script';
    my ($key, $spec) = $command->@{qw(key spec)};
    if ($command->{once}) { push $self->{once}{$key}->@*, $spec }
    else                  { $self->{standing}{$key} = $spec; delete $self->{once}{$key} }
    return 1;
}

sub key ($self, $record) { return $record->{path} =~ m{([^/?]*)(?:\?.*)?\z} ? $1 : '' }

sub steps ($self, $record) {
    my $key  = $record->{key};
    my $once = $self->{once}{$key};
    my $spec = $once && $once->@* ? shift @$once : $self->{standing}{$key} // {};

    $spec = {} if defined $spec->{except} && index($record->{body}, $spec->{except}) >= 0;
    return [ hold => 'never' ] if $spec->{silent};
    my @steps;
    push @steps, [ hold => $key ] if $spec->{hold};
    push @steps, [ wait => $spec->{delay} ] if $spec->{delay};

    return @steps, ['close'] if $spec->{close} || $spec->{stale} && $record->{reused};
    return @steps, ['reset'] if $spec->{reset};

    my $bytes = $self->answer($key, $spec, $record);
    if (defined $spec->{half}) {
        return @steps, [ send => substr $bytes, 0, $spec->{half} ], ['close'];
    }
    push @steps, [ ($spec->{trickle} ? 'trickle' : 'send') => $bytes ];
    push @steps, [ fill => "10000\r\n" . ' ' x 65536 . "\r\n", $spec->{flood} ] if $spec->{flood};
    push @steps, [ wait => 0.05 ], [ send => $spec->{more} ] if $spec->{more};
    push @steps, ['close'] if $spec->{last} || $spec->{eof};
    return @steps;
}

sub answer ($self, $key, $spec, $record) {
    my $status = $spec->{status} // ($spec->{redirect} ? 307 : 200);
    my $body   = $spec->{body} // $json->encode($self->meaning($key, $spec, $record));
    $body =~ s/\}\s*\z/',"padding":"' . 'x' x $spec->{huge} . '"}'/e if $spec->{huge};

    return $self->_filled($spec->{raw}, $body) if defined $spec->{raw};
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" if $spec->{flood};

    my $head = '';
    $head .= "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        if $spec->{interim};
    $head .= "HTTP/1.1 $status Scripted\r\n";

    my @headers = ('Content-Type' => 'application/json', ($spec->{headers} // [])->@*);
    push @headers, Location => "$spec->{redirect}/$key" if $spec->{redirect};
    push @headers, Connection => 'close' if $spec->{last} || $spec->{eof};
    if ($spec->{chunked}) {
        push @headers, 'Transfer-Encoding' => 'chunked';
        $body = join('', map { sprintf "%x\r\n%s\r\n", length, $_ } $body =~ /(.{1,20})/gs)
            . "0\r\n\r\n";
    }
    elsif (!$spec->{eof}) {
        push @headers, 'Content-Length' => length $body;
    }
    while (my ($name, $value) = splice @headers, 0, 2) { $head .= "$name: $value\r\n" }
    return "$head\r\n$body";
}

sub _kind ($version, $scheme, $network, $extra = undef) {
    my %kind = (x402Version => $version, scheme => $scheme, network => $network);
    $kind{extra} = $extra if $extra;
    return \%kind;
}

sub _filled ($self, $text, $body) {
    my %holes = (JSON => $body, SIZE => length $body, HEX => sprintf '%x', length $body);
    return $text =~ s/%(JSON|SIZE|HEX)%/$holes{$1}/gr;
}

# The same two questions about a token: credits instead of money.
sub _of_token ($key, $spec, $asked) {
    my $accept = $asked->{paymentRequired}{accepts}[0];
    my %answer = (payer => '0x' . '5' x 40, network => $accept->{network});
    if ($key eq 'settle') {
        my $paid = !defined $spec->{refused};
        return (%answer, success => JSON::PP::false, errorReason => $spec->{refused}, transaction => '') if !$paid;
        return (%answer, success => JSON::PP::true, transaction => '0x' . sha256_hex($asked->{agentRequestId} // ''),
            creditsRedeemed => $asked->{maxAmount}, remainingBalance => '98');
    }
    return (%answer, isValid => JSON::PP::false, invalidReason => $spec->{invalid}) if defined $spec->{invalid};
    return (
        %answer, isValid => JSON::PP::true, agentRequestId => 'request-1', urlMatching => $asked->{paymentRequired}{resource}{url},
        agentRequest => {
            agentRequestId => 'request-1', agentName => 'An agent', agentId => $accept->{extra}{agentId},
            balance => { planId => $accept->{planId}, balance => '98', pricePerCredit => 0.01 },
        },
    );
}

sub meaning ($self, $key, $spec, $record) {
    my $asked = eval { $json->decode($record->{body}) } // {};
    my $authorization = eval {
        $asked->{paymentPayload}{payload}{authorization} // $asked->{paymentPayload}{payload}{permit2Authorization};
    } // {};
    my $network = eval { $asked->{paymentRequirements}{network} } // 'eip155:84532';
    my $payer   = $authorization->{from} // '0x' . '0' x 40;

    my %answer;
    if ($key =~ /\A\d+\z/) {
        $answer{registry}{price}{isCrypto} = defined $spec->{card} ? JSON::PP::false : JSON::PP::true;
        $answer{metadata}{plan}{fiatPaymentProvider} = $spec->{card} if $spec->{card};
    }
    elsif (defined $asked->{x402AccessToken}) {
        %answer = _of_token($key, $spec, $asked);
    }
    elsif ($key eq 'verify') {
        %answer = defined $spec->{invalid}
            ? (isValid => JSON::PP::false, invalidReason => $spec->{invalid}, payer => $payer)
            : (isValid => JSON::PP::true, payer => $payer);
    }
    elsif ($key eq 'settle') {
        %answer = (payer => $payer, network => $network);
        if (defined $spec->{refused}) {
            $answer{success}     = JSON::PP::false;
            $answer{errorReason} = $spec->{refused};
            $answer{transaction} = '';
        }
        else {
            $answer{success}     = JSON::PP::true;
            $answer{transaction} = $self->transaction($authorization->{nonce} // '');
        }
    }
    elsif ($key eq 'supported') {
        my $kinds = $spec->{kinds} // [ map { [ $_->@* ] } [ 1, 'exact', 'base-sepolia' ],
            map { [ 2, 'exact', $_ ] } qw(eip155:84532 eip155:8453 eip155:137) ];
        $answer{kinds} = [ map { _kind(@$_) } @$kinds ];
        $answer{extensions} = [];
        $answer{signers}    = {};
    }
    $answer{$_} = $spec->{with}{$_} for keys(($spec->{with} // {})->%*);
    delete @answer{ ($spec->{without} // [])->@* };
    return \%answer;
}

1;
