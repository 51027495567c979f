# SPDX-License-Identifier: Apache-2.0
"""Clients: they present payments, read what comes, and leave when they like."""

import asyncio
import base64
import json
import random
import re

from chain_ledger import CLOCK
from hostile_facilitator import reset

MARK = re.compile(rb'SECRET-(\d{8})-')


class Answer:
    def __init__(self, path, kind):
        self.path = path
        self.kind = kind            # 'own', 'forged', 'elsewhere', 'probe'
        self.status = 0
        self.headers = {}
        self.body = b''
        self.complete = False
        self.aborted = None         # when the client left on purpose
        self.content_at = None      # the first byte of content
        self.started = CLOCK()
        self.ended = None

    @property
    def marks(self):
        return {int(number) for number in MARK.findall(self.body)}

    @property
    def receipt(self):
        value = self.headers.get('payment-response') or self.headers.get('x-payment-response')
        try:
            return json.loads(base64.b64decode(value)) if value else None
        except ValueError:
            return {}

    @property
    def charged(self):
        """The receipt says that money moved."""
        return bool(self.receipt and self.receipt.get('success') is True)

    @property
    def demands(self):
        """What a client reads as: pay again."""
        receipt = self.receipt
        return 'payment-required' in self.headers or self.status == 402 \
            or receipt is not None and receipt.get('success') is not True

    @property
    def error(self):
        """Of the offer that comes with a 402."""
        try:
            return json.loads(base64.b64decode(self.headers.get('payment-required', '')))['error']
        except (ValueError, KeyError):
            return ''

    @property
    def delivered(self):
        return self.complete and self.charged and self.status < 400

    def __str__(self):
        receipt = json.dumps(self.receipt) if self.receipt is not None else 'no receipt'
        return (f'{self.kind} {self.path}: {self.status} {"complete" if self.complete else "cut"}'
                f'{" aborted" if self.aborted else ""} {sorted(self.marks)} {receipt} {self.body[:90]!r}')


def header_of(payment, path, version=2, signature=None):
    payload = {'signature': signature or payment.signature, **payment.payload()}
    if version == 1:
        value = {'x402Version': 1, 'scheme': 'exact', 'network': 'base-sepolia', 'payload': payload}
        name = 'X-PAYMENT'
    else:
        value = {'x402Version': 2, 'resource': {'url': f'http://shop.example{path}'}, 'accepted': payment.rig.accepted.get(payment.mode, payment.rig.accepted['after']), 'payload': payload}
        name = 'PAYMENT-SIGNATURE'
    # Half of the payments echo the offer as JavaScript would, word for word.
    compact = (',', ':') if payment.signature[-1] in '02468ace' else None
    text = json.dumps(value, separators=compact)
    return f'{name}: {base64.b64encode(text.encode()).decode()}\r\n'


def parse(answer, data):
    """What has come so far; true when the answer is complete."""
    head, gap, body = data.partition(b'\r\n\r\n')
    if not gap:
        return False
    if not answer.status:
        lines = head.decode('latin-1').split('\r\n')
        answer.status = int(lines[0].split(' ')[1])
        for line in lines[1:]:
            name, _, value = line.partition(':')
            answer.headers[name.lower()] = value.strip()
    answer.body = body
    if answer.content_at is None and MARK.search(body):
        answer.content_at = CLOCK()
    if 'content-length' in answer.headers:
        return len(body) >= int(answer.headers['content-length'])
    if answer.headers.get('transfer-encoding') == 'chunked':
        return body.endswith(b'0\r\n\r\n')
    return answer.status in (204, 304)


async def ask(rig, path, more='', method='GET', body=b'', address='127.0.0.1', kind='own', payment=None, leave=None,
              slow=0, rude=False, h2=False, at=None, port=None):
    """One request on a connection of its own. `leave` names the moment of the
    payment at which the client goes away: by FIN, or by RST when rude; 'byte' is
    a part of the request, or a byte of the answer."""
    answer = Answer(path, kind)
    client = CurlClient(rig, address, rude, slow) if h2 else PlainClient(rig, address, rude, slow, port)
    at_request, at_byte = (at or (1, None)) if leave == 'byte' else (1, None)
    try:
        def go(*_):
            if answer.aborted is None and answer.ended is None:
                answer.aborted = CLOCK()
                client.leave()

        if leave and leave not in ('sent', 'half', 'body', 'byte'):
            payment.on(leave, go)
        if body or method != 'GET':
            more += f'Content-Length: {len(body)}\r\n'
        await client.send(method, path, more, body, 0.5 if leave == 'half' else at_request)
        if leave in ('sent', 'half') or at_request < 1:
            go()
        await asyncio.wait_for(read(client.reader, answer, slow, go if leave == 'body' else None, at_byte, go), 15)
        answer.complete = answer.complete and await client.ended_well()
    except asyncio.TimeoutError:
        # A machine that has far too much to do for all of us proves nothing.
        if rig.lag < 5:
            (payment.complain if payment else rig.complain)(f'no answer within 15 s: {path}')
    except (ConnectionError, OSError):
        pass
    finally:
        answer.ended = CLOCK()
        client.close()
    return answer


class PlainClient:
    """HTTP/1.1 on a socket."""

    def __init__(self, rig, address, rude, slow, port):
        self.port, self.address, self.rude = port or rig.port, address, rude
        self.to = random.choice(rig.machines).address
        self.writer = None
        self.left = False

    async def send(self, method, path, more, body, part):
        self.reader, self.writer = await asyncio.open_connection(self.to, self.port, local_addr=(self.address, 0))
        if self.left:
            raise ConnectionAbortedError('it left before it was connected')
        request = f'{method} {path} HTTP/1.1\r\nHost: shop.example\r\n{more}Connection: close\r\n\r\n'.encode() + body
        self.writer.write(request[:int(len(request) * part)])
        await self.writer.drain()

    def leave(self):
        """May be called before it is connected: the caller is the facilitator, which
        an exception would end before it has answered."""
        self.left = True
        if self.writer is None:
            return
        if self.rude:
            reset(self.writer)
        else:
            self.writer.close()

    async def ended_well(self):
        return True

    def close(self):
        if self.writer:
            self.writer.close()


class CurlClient:
    """HTTP/2, spoken by curl; it leaves by being killed."""

    def __init__(self, rig, address, rude, slow):
        self.port, self.address, self.to = rig.h2_port, address, random.choice(rig.machines).address
        self.rate = ['--limit-rate', '500k'] if slow else []
        self.process = None

    async def send(self, method, path, more, body, part):
        headers = [word for line in more.split('\r\n') if line and not line.startswith('Content-Length')
                   for word in ('-H', line)]
        data = ['--data-binary', '@-', '-H', 'Content-Type:'] if body or method != 'GET' else []
        self.process = await asyncio.create_subprocess_exec(
            'curl', '-q', '-s', '-i', '--http2-prior-knowledge', '--interface', self.address, *self.rate, *headers, *data,
            '-X', method, '-H', 'Host: shop.example', f'http://{self.to}:{self.port}{path}',
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
        self.reader = self.process.stdout
        self.process.stdin.write(body)
        self.process.stdin.close()

    def leave(self):
        try:
            self.process.kill()
        except (ProcessLookupError, AttributeError):
            pass

    async def ended_well(self):
        return await self.process.wait() == 0

    def close(self):
        self.leave()


async def read(reader, answer, slow, at_content, at_byte, leave):
    data = bytearray()
    while True:
        most = 4096 if slow else 65536
        piece = await reader.read(min(most, at_byte - len(data)) if at_byte else most)
        if answer.aborted is not None:
            return
        data += piece
        complete = parse(answer, bytes(data))
        if at_byte and len(data) >= at_byte:
            leave()
            return
        if at_content and answer.content_at is not None:
            at_content()
            return
        if not piece:
            answer.complete = complete or (
                answer.status > 0 and 'content-length' not in answer.headers
                and 'transfer-encoding' not in answer.headers)
            return
        if slow:
            await asyncio.sleep(slow)


async def present(payment, version=2, signature=None, path=None, kind='own', dear=None, body=None, **how):
    """Presents a payment; the answer is kept with it. `dear`: where the same path
    costs more, at another server or for who says that it is another tier."""
    path = path or payment.path
    more = header_of(payment, path, version, signature)
    how['h2'] = payment.h2
    if dear == 'server':
        how.update(port=payment.rig.dear_port, h2=False)
    elif dear == 'tier':
        more += 'X-Tier: dear\r\n'
    answer = await ask(payment.rig, path, more, payment.method, payment.body if body is None else body,
                       payment.address, kind, payment, **how)
    payment.answers.append(answer)
    return answer
