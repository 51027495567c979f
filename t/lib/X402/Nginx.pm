# SPDX-License-Identifier: Apache-2.0
package X402::Nginx;

# One real nginx with the configuration that stands in the test.
#
#     my $t = X402::Nginx->new(<<'EOF', facilitator => $f, backend => $b);
#     %%GLOBALS%%
#     events { }
#     http {
#         %%HTTP%%
#         server { listen 127.0.0.1:%%PORT%%; ... }
#     }
#     EOF
#     $t->write('html/a.txt', 'content');
#     $t->start;
#
# Holes: %%GLOBALS%% (pid, log, user, module, sanitizer environment), %%HTTP%%
# (temporary paths inside the directory of the test), %%DIR%%, %%MODULE%%,
# %%PORT%% and %%PORT_name%% (from the kernel, the same for a name all through
# the test), %%ADDRESS%% (127.0.0.1, or address => '127.0.0.2' of a second machine
# at the same port => number), %%FACILITATOR%% (an URL), %%BACKEND%% (host:port), and whatever
# is given as holes => { NAME => text }.
#
# Environment: X402_MODULE ("static": NGINX has it built in), NGINX, X402_PRELOAD
# (LD_PRELOAD of nginx alone, for sanitizers), X402_SLOW (nginx is a sanitizer's
# or valgrind's: be patient), X402_VALGRIND, X402_KEEP (leave the directory behind).

use v5.36;
use Cwd ();
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp ();
use POSIX ();
use Scalar::Util qw(weaken);
use Socket qw(sockaddr_in);
use Test::More ();
use Time::HiRes qw(time sleep);
use X402::Guard;
use X402::H2;
use X402::Http;
use X402::Port;

# A sanitizer build and a loaded machine are slow; a test only waits that long when it fails.
use constant PATIENCE => $ENV{X402_SLOW} ? 120 : 60;

my $root = Cwd::abs_path(dirname(__FILE__) . '/../../..');

sub binary () { return $ENV{NGINX} // '/usr/sbin/nginx' }
sub module () { return $ENV{X402_MODULE} // "$root/build/ngx_http_x402_module.so" }

sub built () { return module() eq 'static' || -e module() }

sub new ($class, $conf, %options) {
    my $self = bless {
        temp     => File::Temp->newdir('x402-XXXXXXXX', TMPDIR => 1, CLEANUP => !$ENV{X402_KEEP}),
        ports    => defined $options{port} ? { '' => $options{port} } : {},
        address  => $options{address},
        level    => $options{level} // 'info',
        with     => $options{module} // 1,
        holes    => $options{holes} // {},
        allowed  => [],
        clients  => [],
        owner    => $$,
        facilitator => $options{facilitator},
        backend     => $options{backend},
    }, $class;
    $self->{dir} = $self->{temp}->dirname;
    chmod 0755, $self->{dir};
    mkdir "$self->{dir}/$_" for qw(logs temp);
    $self->conf($conf);
    return $self;
}

sub dir ($self)                  { return $self->{dir} }
sub port ($self, $name = '')     { return $self->{ports}{$name} //= X402::Port::reserve() }
sub pid ($self)                  { return $self->{pid} }

# Writes the configuration; a running nginx sees it at the next reload.
sub conf ($self, $text) {
    $self->write('nginx.conf', $self->filled($text));
    return $self;
}

sub write ($self, $path, $content) {
    my $full = "$self->{dir}/$path";
    make_path(dirname $full);
    open my $file, '>:raw', $full or die "$full: $!";
    print {$file} $content;
    close $file or die "$full: $!";
    return $full;
}

sub filled ($self, $text, $log = 'logs/error.log') {
    my %holes = (
        ADDRESS => $self->{address} // '127.0.0.1',
        DIR     => $self->{dir},
        MODULE  => module(),
        GLOBALS => $self->globals($log),
        HTTP    => join(' ', map {"${_}_temp_path $self->{dir}/temp/$_;"}
                qw(client_body proxy fastcgi uwsgi scgi)) . ' access_log off;',
        FACILITATOR => $self->{facilitator} ? $self->{facilitator}->url : undef,
        BACKEND     => $self->{backend} ? $self->{backend}->address : undef,
        $self->{holes}->%*,
    );
    $text =~ s/%%PORT(?:_(\w+))?%%/$self->port($1 \/\/ '')/ge;
    $text =~ s/%%(\w+)%%/$holes{$1} \/\/ die "nothing for %%$1%%"/ge;
    return $text;
}

sub globals ($self, $log) {
    my @lines = ('daemon off;', "pid $self->{dir}/nginx.pid;",
        "error_log $self->{dir}/$log $self->{level};",
        map({"env $_;"} qw(ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS)));
    push @lines, 'user root;' if $> == 0;
    push @lines, 'load_module ' . module() . ';' if $self->{with} && module() ne 'static';
    return join ' ', @lines;    # one line, as in the test: nginx names the lines of its messages
}

# --- running -----------------------------------------------------------------

# Does not wait until it serves.
sub launch ($self) {
    my $dir = $self->{dir};
    unlink "$dir/nginx.pid";    # of one that was killed
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>>', "$dir/logs/output";
        open STDERR, '>&', \*STDOUT;
        _exec('-p', $dir, '-c', "$dir/nginx.conf", '-e', "$dir/logs/error.log");
    }
    $self->{pid}   = $pid;
    $self->{guard} = X402::Guard->new($pid);
    return $self;
}

sub start ($self) {
    my ($dir, $pid) = ($self->{dir}, $self->launch->{pid});
    my $up = $self->wait_for(sub {
        die "nginx did not start:\n" . $self->output . $self->log
            if waitpid($pid, POSIX::WNOHANG()) == $pid && ($self->{pid} = undef, 1);
        return -s "$dir/nginx.pid" && $self->workers >= $self->_wanted;
    });
    die "nginx did not come up:\n" . $self->output . $self->log if !$up;
    return $self;
}

# How many workers the configuration asks for.
sub _wanted ($self) { return _slurp("$self->{dir}/nginx.conf") =~ /\bworker_processes\s+(\d+)/ ? $1 : 1 }

sub _exec (@arguments) {
    $ENV{LD_PRELOAD} = $ENV{X402_PRELOAD} if $ENV{X402_PRELOAD};
    $SIG{PIPE} = 'DEFAULT';
    # nginx takes a variable of this name for sockets it inherits.
    my $binary = binary();
    delete $ENV{NGINX};
    { no warnings 'exec'; exec $binary, @arguments }
    print STDERR "cannot run nginx: $!\n";
    POSIX::_exit(127);
}

# The process ids of the workers, or of all children of the master.
sub workers ($self, $title = 'worker process') {
    return if !$self->{pid};
    my @found;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $file, '<', $stat or next;
        my ($pid, $parent) = (<$file> // '') =~ /\A(\d+) \(.*\) \S (\d+)/s or next;
        next if $parent != $self->{pid};
        open my $line, '<', "/proc/$pid/cmdline" or next;
        # Under valgrind the titles of processes are not to be seen from outside.
        push @found, $pid
            if $ENV{X402_VALGRIND} ? $title !~ /shutting/ : (<$line> // '') =~ /\Q$title\E/;
    }
    @found = sort { $a <=> $b } @found;
    return @found;
}

# HUP; returns when new workers run. The old ones may still be at work: their
# ids are returned, see wait_exit.
sub reload ($self) {
    my %old = map { $_ => 1 } $self->workers;
    $self->signal('HUP');
    $self->wait_for(sub { $self->_wanted <= grep { !$old{$_} } $self->workers })
        or die "no new worker after a reload:\n" . $self->log;
    # An old worker closes its listening sockets when it hears QUIT and changes its title.
    $self->wait_for(sub {
        my %busy = map { $_ => 1 } $self->workers('worker process is shutting down');
        !grep { $old{$_} && !$busy{$_} } $self->workers;
    });
    return sort { $a <=> $b } keys %old;
}

# HUP with a configuration that is refused: the old workers stay.
sub reload_refused ($self, $pattern) {
    my $before = length $self->log;
    $self->allow($pattern);
    $self->signal('HUP');
    return $self->wait_for(sub { substr($self->log, $before) =~ $pattern });
}

# A zombie has ended, too.
sub wait_exit ($self, @pids) {
    return $self->wait_for(sub { !grep { _slurp("/proc/$_/stat") =~ /\) [^ZX] /s } @pids });
}

# A signal to no process would go to all that make has started.
sub signal ($self, $name) { return kill $name => $self->{pid} // die "nginx does not run\n" }

# Ends nginx; returns the exit code of the master, undef when it did not end.
sub quit ($self) { return $self->_end('QUIT') }
sub stop ($self) { return $self->_end('TERM') }

sub _end ($self, $signal) {
    $self->signal($signal);
    return $self->wait_end;
}

sub wait_end ($self, $seconds = PATIENCE) {
    my $pid  = $self->{pid} // return undef;
    my $code;
    my $ended = $self->wait_for(sub {
        my $got = waitpid $pid, POSIX::WNOHANG();
        $code = $? if $got == $pid;
        return $got == $pid || $got == -1;
    }, $seconds);
    return undef if !$ended;
    delete($self->{guard})->disarm;
    $self->{pid} = undef;
    return $code;
}

sub running ($self) { return $self->{pid} && kill 0 => $self->{pid} }

# --- asking nginx -----------------------------------------------------------

# Text of `nginx -t` for this or another configuration, and whether it passed.
sub test_config ($self, $conf) {
    my $dir  = $self->{dir};
    my $file = $self->write('tested.conf', $self->filled($conf, 'logs/tested.log'));
    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>&', $write;
        open STDERR, '>&', $write;
        _exec('-t', '-p', $dir, '-c', $file, '-e', "$dir/logs/tested.log");
    }
    close $write;
    my $text = do { local $/; <$read> };
    waitpid $pid, 0;
    return wantarray ? ($text, $? == 0) : $text;
}

# The message with which a configuration is refused; empty when it passes.
sub config_error ($self, $conf) {
    my ($text, $passed) = $self->test_config($conf);
    return $passed ? '' : $text;
}

# --- requests ----------------------------------------------------------------

sub connect ($self, %options) {
    my $port = $self->port($options{port} // '');
    $options{to} //= $self->{address};
    my $client = $options{h2} ? X402::H2->new($port, %options) : X402::Http->new($port, %options);
    push $self->{clients}->@*, $client;
    weaken($self->{clients}[-1]);
    return $client;
}

# One request on a connection of its own. The answer's raw holds everything
# that came until the connection was closed.
sub ask ($self, $method, $path, %options) {
    my $h2     = $options{h2};
    my $client = $self->connect(port => $options{port}, h2 => $h2, from => $options{from});
    my $answer = $client->request($method, $path, %options, $h2 ? () : (close => 1));
    if    ($h2)           { $client->ping }
    elsif (!$client->eof) { $client->rest(5) }
    $answer->{raw} = $h2 ? $client->raw . $client->data : $client->raw;
    $client->hang_up;
    return $answer;
}

# The client goes, by abort or by the method or sub that is given. True as soon as
# nginx has let its connection go: until then it may not know that the client left.
sub leave ($self, $client, $how = 'abort') {
    my ($server, $own) = map { _address($_) } getpeername $client->{fh}, getsockname $client->{fh};
    my ($inode, $gone) = (0, 0);
    $self->wait_for(sub {
        my $table = _slurp('/proc/net/tcp');
        $inode = $table =~ /: $server $own 01 (?:\S+ +){5}([1-9]\d*) / && $1;
        $gone  = $table =~ /: $own $server 08 /;    # nginx has closed it, as after an answer that lingered
        return $inode || $gone;
    }) or die "nginx has not accepted this client";
    ref $how ? $how->() : $client->$how;
    return $gone || $self->wait_for(sub {
        !grep { (readlink($_) // '') eq "socket:[$inode]" } map { glob "/proc/$_/fd/*" } $self->workers('nginx');
    });
}

# As /proc/net/tcp writes it.
sub _address ($name) {
    my ($port, $ip) = sockaddr_in($name);
    return sprintf '%08X:%04X', unpack('L', $ip), $port;
}

sub get ($self, $path, %options) { return $self->ask(GET => $path, %options) }

# --- the log -----------------------------------------------------------------

sub output ($self) { return _slurp("$self->{dir}/logs/output") }
sub log ($self)    { return _slurp("$self->{dir}/logs/error.log") }

sub _slurp ($path) {
    open my $file, '<:raw', $path or return '';
    local $/;
    return <$file> // '';
}

sub log_count ($self, $pattern) { return scalar(my @all = $self->log =~ /$pattern/g) }

sub log_like ($self, $pattern, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $found = $self->wait_for(sub { $self->log =~ $pattern });
    return Test::More::ok($found, $name) || Test::More::diag("no $pattern in\n" . $self->log);
}

sub log_unlike ($self, $pattern, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return Test::More::unlike($self->log, $pattern, $name);
}

# Lines that this test brings about on purpose.
sub allow ($self, $pattern) { push $self->{allowed}->@*, $pattern; return $self }

# True as soon as the condition is.
sub wait_for ($self, $condition, $seconds = PATIENCE) {
    my $end = time + $seconds;
    until ($condition->()) {
        return 0 if time > $end;
        sleep 0.01;
    }
    return 1;
}

# --- the end -----------------------------------------------------------------

# Stops nginx and adds what every test claims: no alert, no crash, no finding
# of a sanitizer.
sub finish ($self) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    # nginx waits for clients that might still be reading.
    $_->hang_up for grep { $_ } $self->{clients}->@*;
    if ($self->{pid}) {
        my $code = $self->quit;
        Test::More::ok(defined $code, 'nginx ends when asked to') || $self->destroy;
    }
    # One that was killed may have held the lock of a zone.
    my @allowed = $self->{allowed}->@*;
    push @allowed, qr/shared memory zone "\w+" was locked by/ if grep { 'exited on signal 9' =~ $_ } @allowed;
    my @lines = split /\n/, $self->log . $self->output;
    my @unexpected = grep {
        my $line = $_;
        !grep { $line =~ $_ } @allowed
    } @lines;
    my @bad = grep {/\[(?:alert|emerg)\]/} @unexpected;
    Test::More::is("@bad", '', 'no alerts');
    my @crash = grep {
        /AddressSanitizer|LeakSanitizer|runtime error|exited on signal|exited with code [1-9]/
    } @unexpected;
    Test::More::is("@crash", '', 'no crashes and no sanitizer findings');

    if (!Test::More->builder->is_passing) {
        my @tail = grep { !/\[info\]/ || /x402/ } @lines;
        splice @tail, 0, -60 if @tail > 60;
        Test::More::diag(join "\n", 'end of the error log:', map { substr $_, 0, 400 } @tail);
    }
    return;
}

# kill -9, master and workers, each by its number, at once. The master is stopped before
# it is asked for its workers: it would make another one of a worker that has just died.
sub kill_all ($self) {
    my $master = $self->{pid} // return;
    kill STOP => $master;
    $self->wait_for(sub { _slurp("/proc/$master/stat") !~ /\) [RSD] /s }, 10);
    my @pids = ($master, $self->workers('nginx'));
    kill KILL => @pids;
    waitpid $master, 0;
    delete($self->{guard})->disarm if $self->{guard};
    $self->{pid} = undef;
    $self->wait_exit(@pids);
    return;
}

# The hard end, also for tests that died.
sub destroy ($self) { return $self->{owner} == $$ ? $self->kill_all : undef }

1;
