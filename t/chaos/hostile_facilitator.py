# SPDX-License-Identifier: Apache-2.0
"""A facilitator that settles and lies, and the network between it and nginx.

Each call takes the next fault of its payment: `move` is what happens to the
money, `say` what the answer claims, `how` how the answer travels.
"""

import asyncio
import gzip
import json
import socket
import ssl
import struct
import subprocess
import time

from chain_ledger import CLOCK, SettleCall

BOMB = gzip.compress(b'\0' * (20 << 20))
# In the words of the token's form: EIP-3009, Permit2.
NONCE_USED = ('invalid_exact_evm_nonce_already_used', 'permit2_invalid_nonce')
SIGNATURE = ('invalid_exact_evm_payload_signature', 'invalid_permit2_signature')
EXPIRED = ('invalid_exact_evm_payload_authorization_valid_before', 'permit2_deadline_expired')
BALANCE = ('insufficient_funds', 'permit2_insufficient_balance')


def reset(writer):
    """Closes with RST."""
    raw = writer.get_extra_info('socket')
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    writer.transport.abort()


class CallReader(asyncio.StreamReader):
    """Knows when the other side has gone, which nobody may be reading for."""
    left_at = None

    def feed_eof(self):
        self.left_at = self.left_at or CLOCK()
        super().feed_eof()

    def set_exception(self, exc):
        self.left_at = self.left_at or CLOCK()
        super().set_exception(exc)


class HostileFacilitator:
    def __init__(self, rig, timeout):
        self.rig = rig
        self.timeout = timeout      # of a call, as nginx is told
        self.open_calls = 0
        self.calls = 0

    def protocol(self):
        loop = asyncio.get_running_loop()
        return asyncio.StreamReaderProtocol(CallReader(loop=loop), self.serve, loop=loop)

    async def start(self):
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self.protocol, '127.0.0.1', 0, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(*self.certificate())
        self.secure = await loop.create_server(self.protocol, '127.0.0.1', 0, backlog=512, ssl=secure)
        self.secure_port = self.secure.sockets[0].getsockname()[1]

    def certificate(self):
        """One that nginx is told to trust, and its key."""
        names = f'{self.rig.dir}/tls.pem', f'{self.rig.dir}/tls.key'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2',
                        '-out', names[0], '-keyout', names[1]], check=True, capture_output=True)
        return names

    def url_of(self, group):
        """Some groups ask over TLS, which is another transport of nginx's."""
        return f'https://127.0.0.1:{self.secure_port}' if group % 4 == 3 else f'http://127.0.0.1:{self.port}'

    async def serve(self, reader, writer):
        try:
            while await self.one_call(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.TimeoutError, OSError):
            pass
        finally:
            writer.close()

    async def one_call(self, reader, writer):
        head = await reader.readuntil(b'\r\n\r\n')
        lines = head.decode('latin-1').split('\r\n')
        path = lines[0].split(' ')[1]
        length = next((int(line[15:]) for line in lines if line.lower().startswith('content-length:')), 0)
        body = await reader.readexactly(length)
        operation = path.rsplit('/', 1)[1]
        if operation == 'supported':
            await self.send(writer, 'ok', 200, json.dumps({'kinds': [
                {'x402Version': 2, 'scheme': 'exact', 'network': 'eip155:84532'},
                {'x402Version': 1, 'scheme': 'exact', 'network': 'base-sepolia'}]}).encode())
            return True
        self.calls += 1
        self.open_calls += 1
        try:
            return await self.answer(reader, writer, path, operation, body)
        finally:
            self.open_calls -= 1

    async def answer(self, reader, writer, path, operation, body):
        payment, asked = self.identify(body)
        if payment is None:
            # A healthy answer that proves nothing: no check looks at that claim any more.
            await self.send(writer, 'ok', 200, json.dumps({
                'success': False, 'errorReason': 'nobody_knows', 'transaction': '', 'network': 'eip155:84532'}).encode())
            return True
        fault = payment.next_fault(operation)
        if operation == 'verify':
            payment.verify_calls += 1
            payment.fire('verify')
            status, answer = self.verify(payment, fault, asked)
            valid = b'"isValid": true' in answer and status == 200
            await asyncio.sleep(fault.get('delay', 0))
            if valid and payment.valid_at is None:
                payment.valid_at = CLOCK()
            return await self.travel(reader, writer, fault, status, answer, path)
        call = SettleCall(fault, reader)
        payment.settle_calls.append(call)
        call.path = self.path_of(asked)
        payment.fire('settle')
        try:
            await asyncio.sleep(fault.get('delay', 0))
            status, answer = self.settle(payment, call, asked)
            payment.fire('answered')
            return await self.travel(reader, writer, fault, status, answer, path)
        finally:
            call.ended = CLOCK()

    def identify(self, body):
        """Whose payment it is; what was never signed is a violation."""
        try:
            asked = json.loads(body)
            said = dict(asked['paymentPayload']['payload'])
            nonce = self.nonce_of(said)
            payment = self.rig.by_nonce.get(nonce)
        except (ValueError, KeyError, TypeError, AttributeError):
            self.rig.complain(f'the facilitator was asked something unreadable: {body[:200]!r}')
            return None, None
        if payment is None and nonce in self.rig.retired:
            return None, None
        said.pop('signature')
        if payment is None:
            self.rig.complain('the facilitator was asked about a nonce that nobody signed')
        elif said != payment.payload():
            payment.complain('the facilitator was asked about another authorization under this nonce')
        return payment, asked

    @staticmethod
    def nonce_of(payload):
        if 'permit2Authorization' in payload:
            return '0x%064x' % int(payload['permit2Authorization']['nonce'])
        return payload['authorization']['nonce'].lower()

    @staticmethod
    def path_of(asked):
        """Where the payment was presented."""
        resource = asked['paymentPayload'].get('resource')
        url = resource['url'] if resource else asked['paymentRequirements']['resource']
        return '/' + url.split('/', 3)[3]

    def genuine(self, payment, asked):
        return asked['paymentPayload']['payload']['signature'] == payment.signature

    # --- what is said -------------------------------------------------------------

    def verify(self, payment, fault, asked):
        say = fault['say']
        if say == 'ok':
            reason = None
            if not self.genuine(payment, asked):
                reason = SIGNATURE[payment.permit]
            elif payment.moved_at is not None and not payment.naive:
                reason = NONCE_USED[payment.permit]
            if reason:
                return 200, json.dumps({'isValid': False, 'invalidReason': reason, 'payer': payment.payer}).encode()
            return 200, json.dumps({'isValid': True, 'payer': payment.payer}).encode()
        return {
            'invalid': (200, json.dumps({'isValid': False, 'invalidReason': 'insufficient_funds',
                                         'payer': payment.payer}).encode()),
            'string': (200, b'{"isValid":"true","payer":"%s"}' % payment.payer.encode()),
            'array': (200, b'[{"isValid":true}]'),
            'html': (200, b'<html>ok</html>'),
            'empty': (200, b''),
            'e500': (500, b'{"isValid":true}'),
            'e502': (502, b'<html>Bad Gateway</html>'),
            'e429': (429, b'{}'),
            'e401': (401, b'{}'),
        }[say]

    def settle(self, payment, call, asked):
        fault = call.fault
        network = asked['paymentRequirements']['network']
        paid = {'success': True, 'transaction': payment.transaction, 'network': network,
                'payer': payment.payer}
        refused = {'success': False, 'errorReason': '', 'transaction': '', 'network': network,
                   'payer': payment.payer}
        if not self.genuine(payment, asked):
            call.answer = 'refused'
            return 200, json.dumps({**refused, 'errorReason': SIGNATURE[payment.permit]}).encode()
        if payment.moved_at is None and payment.valid_before < time.time():
            call.answer = 'refused'
            return 200, json.dumps({**refused, 'errorReason': EXPIRED[payment.permit]}).encode()
        if payment.moved_at is not None and fault['say'] in ('ok', 'refused'):
            if payment.idempotent:
                call.answer = 'paid'
                return 200, json.dumps(paid).encode()
            return 200, json.dumps({**refused, 'errorReason': NONCE_USED[payment.permit]}).encode()
        if fault['move'] and payment.moved_at is None:
            payment.move()
            call.moved = True
        return self.settle_words(fault['say'], call, paid, refused, BALANCE[payment.permit])

    @staticmethod
    def settle_words(say, call, paid, refused, balance):
        if say == 'ok':
            call.answer = 'paid'
            return 200, json.dumps(paid).encode()
        if say == 'refused':
            call.answer = 'refused'
            return 200, json.dumps({**refused, 'errorReason': balance}).encode()
        transaction = paid['transaction']
        words = {
            'false_tx': (200, {**refused, 'errorReason': 'insufficient_funds', 'transaction': transaction}),
            'unlisted': (400, {**refused, 'errorReason': 'something_went_wrong'}),
            'duplicate': (200, {**refused, 'errorReason': 'duplicate_settlement'}),
            'pending': (200, {**refused, 'errorReason': 'settlement_pending', 'transaction': transaction}),
            'other_payer': (200, {**paid, 'payer': '0x' + '1' * 40}),
            'other_network': (200, {**paid, 'network': 'eip155:8453'}),
            'other_amount': (200, {**paid, 'amount': '1'}),
            'string': (200, {**paid, 'success': 'true'}),
            'paid_500': (500, paid),
            'e502': (502, b'<html>Bad Gateway</html>'),
            'e500': (500, b'{}'),
            'empty': (200, b''),
            'html': (200, b'<html>settled</html>'),
            'twice': (200, json.dumps(paid)[:-1].encode() + b',"success":false}'),
            'deep': (200, b'{"a":' * 5000 + b'1' + b'}' * 5000),
            'e429': (429, b'{}'),
            'e401': (401, b'{}'),
            'e404': (404, b'not here'),
        }[say]
        return words[0], words[1] if isinstance(words[1], bytes) else json.dumps(words[1]).encode()

    # --- how it travels -----------------------------------------------------------

    async def travel(self, reader, writer, fault, status, body, path):
        how = fault['how']
        if how == 'reset':
            reset(writer)
            return False
        if how == 'close':
            return False
        if how == 'hang':
            await asyncio.wait_for(reader.read(1), self.timeout + 2)
            return False
        if how == 'late':
            await asyncio.sleep(self.timeout + 0.1)
        if how == 'redirect':
            here = self.url_of(3 if writer.get_extra_info('ssl_object') else 0)
            target = f'{here}/moved/{path.rsplit("/", 1)[1]}'
            return await self.send(writer, 'ok', 307, b'', [f'Location: {target}'])
        return await self.send(writer, how, status, body)

    async def send(self, writer, how, status, body, more=()):
        head = [f'HTTP/1.1 {status} Scripted', 'Content-Type: application/json', *more]
        sized = [f'Content-Length: {len(body)}']
        chunked = b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body) if body else b'0\r\n\r\n'
        if how in ('both', 'chunked', 'bad_chunk'):
            head += ['Transfer-Encoding: chunked'] + (sized if how == 'both' else [])
            body = chunked.replace(b'\r\n', b'\rX', 1) if how == 'bad_chunk' else chunked
        elif how == 'huge':
            return await self.flood(writer, head)
        elif how == 'bomb':
            body = BOMB
            head += ['Content-Encoding: gzip', f'Content-Length: {len(body)}']
        elif how == 'eof':
            head += ['Connection: close']
        else:
            head += sized
        data = '\r\n'.join(head).encode() + b'\r\n\r\n' + body
        if how == 'interim':
            data = b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' + data
        if how == 'cut':
            data = data[:-max(1, len(body) // 2)]
        if how == 'drip':
            for byte in data:
                if writer.transport.is_closing():
                    return False
                writer.write(bytes([byte]))
                await asyncio.sleep(0.0003)
        else:
            writer.write(data)
        if how == 'extra':
            writer.write(data)
        await writer.drain()
        return how not in ('cut', 'eof')

    @staticmethod
    async def flood(writer, head):
        writer.write('\r\n'.join(head).encode() + b'\r\nContent-Length: 104857600\r\n\r\n')
        block = b' ' * 65536
        for _ in range(1600):
            if writer.transport.is_closing():
                break
            writer.write(block)
            await writer.drain()
        return False
