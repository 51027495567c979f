# SPDX-License-Identifier: Apache-2.0
package X402::StoreProxy;

# Stands between nginx and a redis-server, knows the scripts of the store by
# their digests, and cuts what a test says:
#
#     my $cut = X402::StoreProxy->new($redis->port);
#     $cut->url;                        # redis://127.0.0.1:port
#     $cut->on(settling => 'before');   # the next SETTLING; the connection is closed in front of it
#     $cut->on(settling => 'after');    # it is carried out, and the connection closed before its answer
#     $cut->on(settling => 'silent');   # it is carried out, and nothing is answered any more
#     $cut->on(settling => 'swallow');  # it is not carried out, and nothing is answered any more
#     $cut->on(settling => 'garbage');  # it is carried out, and the answer is not RESP
#     $cut->on(settling => 0.5);        # its answer, and those behind it, come half a second late
#     $cut->on(take => '6 -MOVED 1 127.0.0.1:6379');    # is answered with this error, six seconds late
#     $cut->on(INFO => "redis_version:6.2.0\r\n");    # is answered with these bytes
#     $cut->always(settling => ...);    # the same, each time, until ->clear
#     $cut->close; $cut->open;          # no connection is possible, and again
#     $cut->answered('settling');       # answers that nginx got, of one script or command, or of all
#     $cut->asked('settling');          # calls that came
#     $cut->order;                      # the scripts, in their order

use v5.36;
use Digest::SHA qw(sha1_hex);
use IO::Handle;
use IO::Select;
use JSON::PP ();
use POSIX ();
use Socket qw(:DEFAULT IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time sleep);
use X402::Port;

my $json = JSON::PP->new->canonical;
my $lua  = __FILE__ =~ s{[^/]+\z}{../../../src/store/lua}r;

# --- the test's side ---------------------------------------------------------

sub new ($class, $store) {
    my $port = X402::Port::reserve();
    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!";
    $_->autoflush(1) for $ours, $theirs;
    my $self = bless { port => $port, store => $store, control => $ours, owner => $$, scripts => _scripts() }, $class;
    my $pid  = fork // die "fork: $!";
    if (!$pid) {
        close $ours;
        $self->_serve($theirs);
        POSIX::_exit(0);
    }
    close $theirs;
    $self->{pid} = $pid;
    $self->asked;    # it listens as soon as it answers
    return $self;
}

sub url ($self) { return "redis://127.0.0.1:$self->{port}" . (($ENV{X402_STORE} // '') eq 'cluster' ? ' cluster' : '') }

sub on ($self, $word, $what)     { return $self->_ask(do => 'rule', word => $word, what => $what) }
sub always ($self, $word, $what) { return $self->_ask(do => 'rule', word => $word, what => $what, always => 1) }
sub clear ($self)                { return $self->_ask(do => 'clear') }
sub close ($self)                { return $self->_ask(do => 'close') }
sub open ($self)                 { return $self->_ask(do => 'open') }
sub forget ($self)               { return $self->_ask(do => 'forget') }
sub order ($self)                { return join ' ', grep { !/\A(?:due|renew)\z/ } $self->_ask(do => 'order')->@* }

sub answered ($self, $word = undef) { return _sum($self->_ask(do => 'answered'), $word) }
sub asked ($self, $word = undef)    { return _sum($self->_ask(do => 'asked'), $word) }

sub _sum ($counts, $word) {
    return $counts->{$word} // 0 if defined $word;
    my $sum = 0;
    $sum += $_ for values %$counts;
    return $sum;
}

sub _ask ($self, %command) {
    my $control = $self->{control};
    print {$control} $json->encode(\%command), "\n" or die "the proxy is gone: $!";
    my $line = <$control> // die 'the proxy is gone';
    return $json->decode($line)->{answer};
}

sub DESTROY ($self) {
    return if $self->{owner} != $$ || !$self->{pid};
    local $?;
    CORE::close $self->{control};
    kill KILL => $self->{pid};
    waitpid delete $self->{pid}, 0;
    return;
}

# Texts as src/store/lua/embed and store_scripts.cpp make them.
sub _scripts () {
    my %text;
    for my $path (glob "$lua/*.lua") {
        CORE::open my $file, '<', $path or die "$path: $!";
        my ($name) = $path =~ m{(\w+)\.lua\z};
        $text{$name} = join '', grep { !/\A--/ && !/\A\n/ } map {s/\A +//r} <$file>;
    }
    my $common = delete $text{common} // die "no scripts in $lua";
    return { map { sha1_hex((/\A(?:take|nonce)\z/ ? "#!lua\n" : "#!lua flags=allow-oom\n") . $common . $text{$_}) => $_ } keys %text };
}

# --- the child's side --------------------------------------------------------

sub _serve ($self, $control) {
    @SIG{qw(TERM INT HUP PIPE)} = ('DEFAULT', 'DEFAULT', 'DEFAULT', 'IGNORE');
    $self->@{qw(rules links answered asked order)} = ({}, [], {}, {}, []);
    $self->_open;
    while (1) {
        my @watched = ($control, $self->{listener} // (), map { ($_->{client}, $_->{server}) } $self->{links}->@*);
        my ($soonest) = sort { $a <=> $b } map { map { $_->[0] } $_->{late}->@* } $self->{links}->@*;
        my $left = defined $soonest ? $soonest - time : 10;
        for my $ready (IO::Select->new(@watched)->can_read($left > 0 ? $left : 0)) {
            if ($ready == $control) {
                my $line = <$control> // return;
                my $command = $json->decode($line);
                print {$control} $json->encode({ answer => $self->_obey($command) }), "\n";
            }
            elsif ($self->{listener} && $ready == $self->{listener}) { $self->_accept }
            else                                                     { $self->_read($ready) }
        }
        for my $link ($self->{links}->@*) {
            while ($link->{late}->@* && $link->{late}[0][0] <= time) {
                _write($link->{client}, (shift $link->{late}->@*)->[1]);
            }
        }
    }
}

sub _open ($self) {
    my $listener = X402::Port::socket_on($self->{port});
    listen $listener, 64 or die "listen: $!";
    return $self->{listener} = $listener;
}

sub _obey ($self, $command) {
    my $do = $command->{do};
    if ($do eq 'rule') { $self->{rules}{ $command->{word} } = $command }
    elsif ($do eq 'clear')  { $self->{rules} = {} }
    elsif ($do eq 'forget') { $self->@{qw(answered asked order)} = ({}, {}, []) }
    elsif ($do eq 'open')   { $self->{listener} // $self->_open }
    elsif ($do eq 'close') {
        delete $self->{listener};
        $self->_cut($_) for $self->{links}->@*;
    }
    else { return $self->{$do} }
    return 1;
}

sub _accept ($self) {
    accept(my $client, $self->{listener}) or return;
    socket(my $server, AF_INET, SOCK_STREAM, 0) or die "socket: $!";
    return if !connect $server, sockaddr_in($self->{store}, INADDR_LOOPBACK);
    setsockopt $_, IPPROTO_TCP, TCP_NODELAY, 1 for $client, $server;
    push $self->{links}->@*,
        { client => $client, server => $server, said => '', answers => '', waiting => [], late => [], delay => 0 };
    return;
}

sub _cut ($self, $link) {
    CORE::close $_ for $link->@{qw(client server)};
    $self->{links} = [ grep { $_ != $link } $self->{links}->@* ];
    return;
}

sub _read ($self, $ready) {
    my ($link) = grep { $_->{client} == $ready || $_->{server} == $ready } $self->{links}->@*;
    return if !$link;
    my $from = $link->{client} == $ready ? 'said' : 'answers';
    my $count = sysread $ready, $link->{$from}, 65536, length $link->{$from};
    return $self->_cut($link) if !$count;
    return $from eq 'said' ? $self->_commands($link) : $self->_answers($link);
}

sub _commands ($self, $link) {
    while (defined(my $size = _size($link->{said}, 0))) {
        my $bytes = substr $link->{said}, 0, $size, '';
        my @words = _words($bytes);
        my $name  = uc $words[0];
        $name = $self->{scripts}{ lc $words[1] } // $words[1] if $name eq 'EVALSHA';
        $name = $self->{scripts}{ sha1_hex($words[1]) } // 'EVAL' if $name eq 'EVAL';
        $self->{asked}{$name}++;
        push $self->{order}->@*, $name if lc $name eq $name;
        my $rule = $self->{rules}{$name};
        delete $self->{rules}{$name} if $rule && !$rule->{always};
        my $what = $rule ? $rule->{what} : '';
        return $self->_cut($link) if $what eq 'before';
        $link->{swallows} = 1 if $what eq 'swallow';
        next if $link->{swallows};
        push $link->{waiting}->@*, [ $name, $what ];
        _write($link->{server}, $bytes);
    }
    return;
}

sub _answers ($self, $link) {
    while (defined(my $size = _size($link->{answers}, 0))) {
        my $bytes = substr $link->{answers}, 0, $size, '';
        my ($name, $what) = (shift $link->{waiting}->@*)->@*;
        # The call is made again, with the text.
        if ($bytes =~ /\A-NOSCRIPT/ && $what ne '') { $self->{rules}{$name} //= { what => $what } }
        elsif ($what eq 'after')   { return $self->_cut($link) }
        elsif ($what eq 'silent')  { $link->{silent} = 1 }
        elsif ($what eq 'garbage') { $bytes = "HTTP/1.1 200 OK\r\n\r\n" }
        elsif ($what =~ /\A[0-9.]+\z/) { $link->{delay} = $what }
        elsif ($what =~ /\A(?:([0-9.]+) )?(-.+)\z/) { ($link->{delay}, $bytes) = ($1 // 0, "$2\r\n") }
        elsif ($what ne '') { $bytes = '$' . length($what) . "\r\n$what\r\n" }
        next if $link->{silent};
        $self->{answered}{$name}++ if $bytes !~ /\A-/;
        if ($link->{delay}) { push $link->{late}->@*, [ time + $link->{delay}, $bytes ] }
        else                { _write($link->{client}, $bytes) }
    }
    return;
}

sub _write ($to, $bytes) {
    while (length $bytes) {
        my $count = syswrite $to, $bytes;
        return if !defined $count;
        substr $bytes, 0, $count, '';
    }
    return;
}

# Bytes of the RESP value at $at; nothing if it is not complete.
sub _size ($bytes, $at) {
    my $end = index $bytes, "\r\n", $at;
    return if $end < 0;
    my ($kind, $number) = (substr($bytes, $at, 1), substr $bytes, $at + 1, $end - $at - 1);
    my $next = $end + 2;
    if ($kind eq '$' && $number >= 0) {
        $next += $number + 2;
        return if $next > length $bytes;
    }
    elsif ($kind eq '*') {
        for (1 .. $number) {
            my $size = _size($bytes, $next) // return;
            $next += $size;
        }
    }
    return $next - $at;
}

sub _words ($bytes) {
    my @words;
    my $at = index($bytes, "\r\n") + 2;
    while ($at < length $bytes) {
        my $end  = index $bytes, "\r\n", $at;
        my $size = substr $bytes, $at + 1, $end - $at - 1;
        push @words, substr $bytes, $end + 2, $size;
        $at = $end + 2 + $size + 2;
    }
    return @words;
}

1;
