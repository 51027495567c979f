# SPDX-License-Identifier: Apache-2.0
"""The redis-server that several machines share, and what happens to it."""

import os
import re
import signal
import socket
import subprocess
import time


class SharedStore:
    """Keeps what it acknowledges through kill -9 (appendonly), as operators are told to."""

    def __init__(self, directory):
        self.dir = f'{directory}/store'
        os.mkdir(self.dir)
        self.reserved = socket.socket()
        self.reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.reserved.bind(('127.0.0.1', 0))
        self.port = self.reserved.getsockname()[1]
        self.acknowledged = 0
        self.start()

    def start(self):
        with open(f'{self.dir}/output', 'ab') as output:
            self.process = subprocess.Popen(
                ['redis-server', '--port', str(self.port), '--bind', '127.0.0.1', '--dir', self.dir,
                 '--save', '', '--appendonly', 'yes', '--appendfsync', 'everysec'],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        end = time.monotonic() + 60
        while True:
            try:
                if self.ask('PING') == b'+PONG':
                    return
            except OSError:
                pass
            if time.monotonic() > end:
                raise SystemExit(f'redis-server did not start: {open(f"{self.dir}/output").read()[-1000:]}')
            time.sleep(0.02)

    def ask(self, *words):
        """The first line of the answer, or what is in a bulk string."""
        with socket.create_connection(('127.0.0.1', self.port), 5) as connection:
            command = f'*{len(words)}\r\n' + ''.join(f'${len(word)}\r\n{word}\r\n' for word in words)
            connection.sendall(command.encode())
            with connection.makefile('rb') as file:
                line = file.readline().rstrip()
                return file.read(int(line[1:])) if line[:1] == b'$' and line != b'$-1' else line

    def count(self):
        """Adds up the calls of scripts that were answered."""
        stats = self.ask('INFO', 'commandstats').decode()
        for calls, failed in re.findall(r'cmdstat_eval(?:sha)?:calls=(\d+).*failed_calls=(\d+)', stats):
            self.acknowledged += int(calls) - int(failed)
        self.ask('CONFIG', 'RESETSTAT')
        return self.acknowledged

    def restart(self, away):
        """kill -9, and again after a while."""
        self.count()
        self.process.kill()
        self.process.wait()
        time.sleep(away)
        self.start()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.process.kill()
        self.process.wait()
