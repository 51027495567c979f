# SPDX-License-Identifier: Apache-2.0
"""The upstream: every content it makes carries a number of its own in each line."""

import asyncio

from chain_ledger import Execution
from hostile_facilitator import reset


class CountingBackend:
    def __init__(self, rig):
        self.rig = rig
        self.executions = 0

    async def start(self):
        self.server = await asyncio.start_server(self.serve, '127.0.0.1', 0, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
            lines = head.split('\r\n')
            method, path = lines[0].split(' ')[:2]
            headers = {name.lower(): value.strip() for name, _, value in
                       (line.partition(':') for line in lines[1:] if line)}
            body = await reader.readexactly(int(headers.get('content-length', 0)))
            if path == '/free':
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfree')
                await writer.drain()
            else:
                await self.execute(writer, method, path, headers, body)
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def execute(self, writer, method, path, headers, body):
        payment = self.rig.by_path.get(path)
        if payment is None:
            self.rig.complain(f'the backend was asked for {path}, which nobody paid')
            return
        self.executions += 1
        execution = Execution(method, path, headers)
        payment.executions.append(execution)
        if 'payment-signature' in headers or 'x-payment' in headers:
            payment.complain('the backend saw the payment')
        if method != payment.method or body not in [payment.body, *payment.other_bodies]:
            payment.complain(f'the backend got {method} with {len(body)} bytes for {payment.method} with {len(payment.body)}')
        payment.fire('backend')
        content = payment.content
        kind = content['kind']
        if content.get('delay'):
            await asyncio.sleep(content['delay'])
        if kind == 'die_head':
            return
        if kind == 'reset':
            reset(writer)
            return
        await self.send(writer, kind, content, execution)

    async def send(self, writer, kind, content, execution):
        line = (execution.mark + 'x' * (63 - len(execution.mark)) + '\n').encode()
        body = line * max(1, content['size'] // len(line))
        status = content.get('status', 200)
        head = f'HTTP/1.1 {status} Made\r\nContent-Type: text/plain\r\nConnection: close\r\n'
        if status in (301, 302):
            head += 'Location: /elsewhere\r\n'
        if status == 304:
            body = b''
        elif kind.startswith('chunked'):
            head += 'Transfer-Encoding: chunked\r\n'
        elif kind != 'eof':
            head += f'Content-Length: {len(body)}\r\n'
        writer.write(head.encode() + b'\r\n')
        if kind.startswith('chunked'):
            pieces = [body[at:at + 8192] for at in range(0, len(body), 8192)]
            if kind == 'chunked_die':
                pieces = pieces[:max(1, len(pieces) // 2)]
            for piece in pieces:
                writer.write(b'%x\r\n%s\r\n' % (len(piece), piece))
                await writer.drain()
                if content.get('pause'):
                    await asyncio.sleep(content['pause'])
            if kind != 'chunked_die':
                writer.write(b'0\r\n\r\n')
        else:
            if kind == 'die_body':
                body = body[:len(body) // 2]
            writer.write(body)
        await writer.drain()
