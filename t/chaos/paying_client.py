"""Clients: they present payments, read what comes, and leave when they like."""

import asyncio
import base64
import json
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
    def delivered(self):
        return self.complete and self.charged and self.status < 400

    def __str__(self):
        receipt = json.dumps(self.receipt) if self.receipt is not None else 'no receipt'
        return (f'{self.kind} {self.path}: {self.status} {"complete" if self.complete else "cut"}'
                f'{" aborted" if self.aborted else ""} {sorted(self.marks)} {receipt} {self.body[:90]!r}')


def header_of(payment, path, version=2, signature=None):
    payload = {'signature': signature or payment.signature, 'authorization': payment.authorization()}
    if version == 1:
        value = {'x402Version': 1, 'scheme': 'exact', 'network': 'base-sepolia', 'payload': payload}
        name = 'X-PAYMENT'
    else:
        value = {'x402Version': 2, 'resource': {'url': f'http://shop.example{path}'}, 'accepted': payment.rig.accepted.get(payment.mode, payment.rig.accepted['after']), 'payload': payload}
        name = 'PAYMENT-SIGNATURE'
    return f'{name}: {base64.b64encode(json.dumps(value).encode()).decode()}\r\n'


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


async def ask(rig, path, more='', address='127.0.0.1', kind='own', payment=None, leave=None, slow=0, rude=False):
    """One request on a connection of its own. `leave` names the moment of the
    payment at which the client goes away: by FIN, or by RST when rude."""
    answer = Answer(path, kind)
    writer = None
    try:
        reader, writer = await asyncio.open_connection('127.0.0.1', rig.port, local_addr=(address, 0))

        def go(*_):
            if answer.aborted is None and answer.ended is None:
                answer.aborted = CLOCK()
                if rude:
                    reset(writer)
                else:
                    writer.close()

        if leave and leave not in ('sent', 'half', 'body'):
            payment.on(leave, go)
        request = f'GET {path} HTTP/1.1\r\nHost: shop.example\r\n{more}Connection: close\r\n\r\n'.encode()
        writer.write(request[:len(request) // 2] if leave == 'half' else request)
        await writer.drain()
        if leave in ('sent', 'half'):
            go()
        await asyncio.wait_for(read(reader, answer, slow, go if leave == 'body' else None), 15)
    except asyncio.TimeoutError:
        (payment.complain if payment else rig.complain)(f'no answer within 15 s: {path}')
    except (ConnectionError, OSError):
        pass
    finally:
        answer.ended = CLOCK()
        if writer:
            writer.close()
    return answer


async def read(reader, answer, slow, at_content):
    data = bytearray()
    while True:
        piece = await reader.read(4096 if slow else 65536)
        if answer.aborted is not None:
            return
        data += piece
        complete = parse(answer, bytes(data))
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


async def present(payment, version=2, signature=None, path=None, kind='own', **how):
    """Presents a payment; the answer is kept with it."""
    answer = await ask(payment.rig, path or payment.path, header_of(payment, path or payment.path, version, signature),
                       payment.address, kind, payment, **how)
    payment.answers.append(answer)
    return answer
