# SPDX-License-Identifier: Apache-2.0
"""A real nginx with the module, between a hostile facilitator and a backend."""

import asyncio
import copy
import ctypes
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from counting_backend import CountingBackend
from hostile_facilitator import HostileFacilitator
from shared_store import SharedStore

PERMIT2 = """x402_accept price=0.01 'extra={"assetTransferMethod":"permit2"}';"""
MODES = {
    'after': '',
    'before': 'x402_settle before;',
    'both': 'x402_protocol v2 v1;',
    'stream': 'proxy_buffering off;',
    'refuse': 'x402_unproven refuse;',
    'tier': 'x402_price $price;',       # dear for who says so
    'permit': PERMIT2,
    'permit_before': f'{PERMIT2} x402_settle before;',
}
# The bench goes round these groups of locations, each with a facilitator of its
# own name, so that what one case did to it has no say in the next.
GROUPS = 32
# Workers, zone, what is written behind the zone.
RIGS = ((2, '1m', ''), (4, '1m', ''), (3, '1m', 'journal'), (2, '64k', ''), (2, '1m', 'journal sync=on'))

LEDGER = re.compile(rb'x402: payment ([a-z][^"]*?), (?:network|payer|resource): .*resource: "https?://[^/]*(/[^"]*)"')
LEDGER_OF_PAYER = re.compile(rb'x402: payment ([a-z][^"]*?), network: "[^"]*", payer: "([^"]*)"(?!.*resource: )')
BAD = re.compile(rb'\[(?:alert|emerg)\]|Sanitizer|runtime error|exited on signal|exited with code [1-9]|header already sent')

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36


def guard(directory):
    """A small process that ends nginx when we were killed before we could."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.closerange(0, read)
            os.closerange(read + 1, 256)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if os.read(read, 1) == b'':
                with open(f'{directory}/nginx.pid') as file:
                    os.kill(int(file.read()), signal.SIGTERM)
        finally:
            os._exit(0)
    os.close(read)
    return pid, write


class NginxRig:
    def __init__(self, number, settings):
        self.number = number
        self.workers_wanted, self.zone, self.journal = RIGS[number % len(RIGS)]
        self.settings = settings
        self.address = '127.0.0.1'
        self.machines = [self]      # that share a store; they are copies of the first
        self.store = None
        if settings.machines > 1:
            self.workers_wanted, self.zone = 2, '1m'
        self.by_nonce = {}
        self.was_starved = False    # memory was refused, once
        self.retired = set()        # of cases that are over; asked about again in the background
        self.by_path = {}
        self.complaints = []
        self.pay_to = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C'
        self.amount, self.dear_amount = '10000', '5000000'
        self.accepted = None
        self.master = None
        self.guard = None           # of a master that runs
        self.dir = None
        self.verify_timeout, self.settle_timeout = (0.3, 0.4) if not settings.slow else (2, 3)

    def complain(self, text):
        self.complaints.append(text)

    # --- configuration --------------------------------------------------------

    def configuration(self):
        places = ''.join(
            f'location /g{group}/{mode}/ {{ {"" if " price" in words or "_price" in words else "x402_price $0.01;"} {words}'
            f' x402_facilitator {self.facilitator.url_of(group)}/g{group}; {self.patience(group)}'
            f' proxy_pass http://127.0.0.1:{self.backend.port}; }}\n'
            for group in range(GROUPS) for mode, words in MODES.items())
        journal = ' ' + self.journal.replace('journal', f'journal={self.dir}/journal')
        store = f'x402_store redis://127.0.0.1:{self.store.port} timeout=300ms lease=3s;' if self.store else ''
        ms = lambda seconds: f'{int(seconds * 1000)}ms'
        return f'''
daemon on; pid {self.dir}/nginx.pid; error_log {self.dir}/error.log notice;
{"user root;" if os.getuid() == 0 else ""} worker_processes {self.workers_wanted};
{"".join(f"env {name}; " for name in ("LD_PRELOAD", "CHAOS_CONTROL", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"))}
{f"load_module {self.settings.module};" if self.settings.module != "static" else ""}
events {{ worker_connections 2048; }}
http {{
    {" ".join(f"{kind}_temp_path {self.dir}/temp_{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))}
    access_log off;
    x402_zone x402:{self.zone}{journal}; {store}
    x402_ledger {self.dir}/books;
    x402_facilitator_timeout connect=200ms verify={ms(self.verify_timeout)} settle={ms(self.settle_timeout)};
    x402_facilitator_max_calls 256; x402_facilitator_ssl_trusted_certificate {self.dir}/tls.pem;
    x402_settle_wait 200ms; x402_settle_buffer 16k;
    x402_network base-sepolia; x402_pay_to {self.pay_to};
    proxy_http_version 1.1; proxy_read_timeout {ms(self.settle_timeout + 0.2)};
    map $http_x_tier $price {{ dear 5.00; default 0.01; }}
    map $http_x_tier $asked {{ dear {self.dear_amount}; default {self.amount}; }}
    # Another server, with the paths of the first one.
    server {{
        listen {self.address}:{self.dear_port} reuseport;
        proxy_set_header X-Asked {self.dear_amount};
        location / {{ x402_price $5; x402_facilitator {self.facilitator.url_of(0)}/dear; proxy_pass http://127.0.0.1:{self.backend.port}; }}
    }}
    server {{
        proxy_set_header X-Asked $asked;
        listen {self.address}:{self.port} reuseport;
        listen {self.address}:{self.h2_port} reuseport http2;
        location = /free {{ proxy_read_timeout 10s; proxy_connect_timeout 10s; proxy_pass http://127.0.0.1:{self.backend.port}; }}
        location /dead/ {{ x402_price $0.01; x402_facilitator http://127.0.0.1:{self.dead_port};
            proxy_pass http://127.0.0.1:{self.backend.port}; }}
        {places}
    }}
}}
'''

    def patience(self, group):
        """Handshakes take our time, not nginx's."""
        if not self.facilitator.url_of(group).startswith('https'):
            return ''
        return f'x402_facilitator_timeout connect=1s verify={int(3000 * self.verify_timeout)}ms settle={int(3000 * self.settle_timeout)}ms;'

    def ledger(self):
        lines = []
        for machine in self.machines:
            with open(f'{machine.dir}/books', encoding='utf-8') as file:
                lines += file.readlines()
        return lines

    # --- life -----------------------------------------------------------------

    async def start(self):
        self.dir = tempfile.mkdtemp(prefix='x402-chaos-')
        self.reserved = [socket.socket() for _ in range(4)]
        for one in self.reserved:
            # Bound, not listening: ours until the end, and nginx can still listen there.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(('127.0.0.1', 0))
        self.port, self.h2_port, self.dead_port, self.dear_port = (one.getsockname()[1] for one in self.reserved)
        self.facilitator = HostileFacilitator(self, self.settle_timeout)
        self.backend = CountingBackend(self)
        await self.facilitator.start()
        await self.backend.start()
        if self.settings.machines > 1:
            self.store = SharedStore(self.dir)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
        for index in range(1, self.settings.machines):
            machine = copy.copy(self)
            machine.address = f'127.0.0.{index + 1}'
            machine.dir = f'{self.dir}/machine{index + 1}'
            os.mkdir(machine.dir)
            self.machines.append(machine)
        for machine in self.machines:
            machine.set_up()
            await machine.run()

    def set_up(self):
        for name in ('tls.pem', 'tls.key'):
            if not os.path.exists(f'{self.dir}/{name}'):
                shutil.copy(f'{os.path.dirname(self.dir)}/{name}', self.dir)
        with open(f'{self.dir}/nginx.conf', 'w') as file:
            file.write(self.configuration())
        with open(f'{self.dir}/control', 'wb') as file:
            file.write(bytes(32))
        with open(f'{self.dir}/control', 'r+b') as file:
            self.control = mmap.mmap(file.fileno(), 32)
        self.log_at = 0
        self.quitting = None        # the master before this one, after an upgrade

    async def run(self):
        environment = {**os.environ, 'CHAOS_CONTROL': f'{self.dir}/control'}
        environment.pop('NGINX', None)
        preload = [one for one in (self.settings.preload, self.settings.shim) if one]
        if preload:
            environment['LD_PRELOAD'] = ' '.join(preload)
        with open(f'{self.dir}/output', 'ab') as output:
            # A daemon: a master that is still its parent's child refuses USR2.
            rc = subprocess.call(
                [self.settings.nginx, '-p', self.dir, '-c', f'{self.dir}/nginx.conf', '-e', f'{self.dir}/error.log'],
                env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.master = self.pid_file() if await self.wait(lambda: rc or self.pid_file()) else None
        if self.master:
            self.guard = guard(self.dir)
        if rc or not await self.wait(lambda: len(self.workers()) >= self.workers_wanted, 30):
            raise SystemExit(f'nginx did not start: {open(f"{self.dir}/error.log").read()[-2000:]}'
                             f'{open(f"{self.dir}/output").read()[-2000:]}')

    def pid_file(self):
        try:
            with open(f'{self.dir}/nginx.pid') as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    async def wait(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.005)
        return True

    def children(self, pid):
        try:
            with open(f'/proc/{pid}/task/{pid}/children') as file:
                return [int(word) for word in file.read().split()]
        except OSError:
            return []

    def kept_waiting(self):
        """Seconds that our processes were ready to run and had no processor."""
        waited = 0
        for pid in [pid for machine in self.machines for pid in machine.workers()]:
            try:
                with open(f'/proc/{pid}/schedstat') as file:
                    waited = max(waited, int(file.read().split()[1]) / 1e9)
            except (OSError, IndexError, ValueError):
                pass
        return waited

    def titled(self, pid, title):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as file:
                return title in file.read()
        except OSError:
            return False

    def workers(self):
        """Those that serve; the ones that are shutting down have another title."""
        return [pid for pid in self.children(self.master)
                if self.titled(pid, b'worker process') and not self.titled(pid, b'shutting down')]

    def tell(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    async def workers_back(self, old):
        return await self.wait(lambda: len([pid for pid in self.workers() if pid not in old]) > 0
                               and len(self.workers()) >= self.workers_wanted, 30)

    async def stop(self):
        """Ends nginx, whoever is its master by now, and all that is left of it."""
        self.tell(self.master, signal.SIGQUIT)
        ours = lambda: [pid for pid in self.children(os.getpid()) if self.titled(pid, b'nginx: ')]
        gone = await self.wait(lambda: not [pid for pid in ours() if self.reap(pid)], self.time_to_end() * self.settings.patience)
        for pid in ours():
            for child in self.children(pid):
                self.tell(child, signal.SIGKILL)
            self.tell(pid, signal.SIGKILL)
            self.reap(pid, wait=True)
        self.end_guard()
        return gone

    def end_guard(self):
        pid, pipe = self.guard
        os.write(pipe, b'x')
        os.close(pipe)
        os.waitpid(pid, 0)
        self.guard = None

    def time_to_end(self):
        """A worker tells a store that is away for half a minute what it knows."""
        return 40 if self.store else 10

    def reap(self, pid, wait=False):
        """True while the process is there."""
        try:
            return os.waitpid(pid, 0 if wait else os.WNOHANG) == (0, 0)
        except ChildProcessError:
            return False

    async def close(self):
        """Also of a rig that did not come up whole."""
        up = [machine for machine in self.machines if machine.guard]
        for machine in up:
            self.tell(machine.master, signal.SIGQUIT)
        for machine in reversed(up):
            if not await machine.stop():
                self.complain(f'nginx did not end within {self.time_to_end()} s of QUIT')
        if self.store:
            self.store.stop()
        if self.dir and not self.settings.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    async def die(self):
        """All of the machine at once, and it comes back without its memory, or with its journal."""
        gone = [self.master, *self.children(self.master)]
        for pid in gone:
            self.tell(pid, signal.SIGKILL)
        await self.wait(lambda: not [pid for pid in gone if self.reap(pid)], 10)
        self.end_guard()
        os.unlink(f'{self.dir}/nginx.pid')
        await self.run()

    async def freeze(self, seconds):
        """All workers of the machine stand still, and go on as if nothing had happened."""
        workers = self.workers()
        for pid in workers:
            self.tell(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        for pid in workers:
            self.tell(pid, signal.SIGCONT)

    def all_back(self):
        return all(len(machine.workers()) >= machine.workers_wanted for machine in self.machines)

    # --- what can be done to it -----------------------------------------------

    def set_clock(self, seconds):
        struct.pack_into('q', self.control, 0, seconds)

    def starve(self, pid, allowed):
        struct.pack_into('qq', self.control, 8, pid, allowed)

    def starved(self):
        """How often memory was refused since last asked."""
        count, = struct.unpack_from('q', self.control, 24)
        struct.pack_into('qq', self.control, 8, 0, 0)
        struct.pack_into('q', self.control, 24, 0)
        return count

    async def upgrade(self):
        """USR2: another master beside this one, which then quits. False: it gave up."""
        old = self.master
        # nginx ignores USR2 while the master of the upgrade before still ends.
        if self.quitting and not await self.wait(lambda: not self.titled(self.quitting, b'nginx'), 30):
            return False
        self.tell(old, signal.SIGUSR2)
        # Only its pid file tells the new master: until it runs its program it bears
        # the old one's title, and then none for a while.
        if not await self.wait(lambda: self.pid_file() not in (None, old), 30):
            return False
        new = self.pid_file()
        await self.wait(lambda: len(self.children(new)) >= self.workers_wanted, 30)
        self.tell(old, signal.SIGQUIT)
        self.quitting = old
        self.master = new
        self.burial = asyncio.ensure_future(self.bury(old))
        return True

    async def bury(self, pid):
        """A process lives, for others, until its parent knows that it has ended."""
        while self.reap(pid):
            await asyncio.sleep(0.01)

    def new_log(self):
        return b''.join(machine.own_log() for machine in self.machines)

    def own_log(self):
        with open(f'{self.dir}/error.log', 'rb') as file:
            file.seek(self.log_at)
            text = file.read()
        self.log_at += len(text)
        return text
