# SPDX-License-Identifier: Apache-2.0
"""The truth about money: which payment has moved, and what anybody saw of it.

The hostile facilitator writes here what it really did, whatever it answered;
the backend writes what it made, the client what it got. Afterwards
case_check.py holds the three against the promises.
"""

import itertools
import time

CLOCK = time.monotonic


class Execution:
    """One time the backend was asked for content."""

    _number = itertools.count(1)

    def __init__(self, method, path, headers):
        self.number = next(self._number)
        self.method = method
        self.path = path
        self.headers = headers
        self.asked = int(headers.get('x-asked', 0))     # what the location costs at this request
        self.at = CLOCK()
        self.mark = f'SECRET-{self.number:08d}-'


class SettleCall:
    def __init__(self, fault, reader):
        self.fault = fault
        self.reader = reader
        self.started = CLOCK()
        self.ended = None           # for us
        self.answer = None          # 'paid' or 'refused' when told cleanly
        self.moved = False
        self.path = None

    @property
    def left_at(self):
        """When nginx closed the connection; it may wait for no answer any more."""
        return self.reader.left_at


class Payment:
    """What one client signed once; its nonce moves money at most once."""

    def __init__(self, rig, key, rng, mode, group):
        self.rig = rig
        self.key = key
        self.mode = mode
        self.path = f'/g{group}/{mode}/{key}'
        self.nonce = '0x%064x' % rng.getrandbits(256)
        self.payer = '0x%040x' % rng.getrandbits(160)
        self.signature = '0x%0130x' % rng.getrandbits(520)
        self.address = f'127.0.{rng.randint(1, 250)}.{rng.randint(1, 250)}'
        self.valid_before = int(time.time()) + 290
        self.faults = {'verify': [], 'settle': []}
        self.idempotent = rng.random() < 0.5    # what a second settle is told
        self.naive = rng.random() < 0.3         # verify does not look at the nonce
        self.permit = mode.startswith('permit')
        self.method = 'GET'
        self.h2 = False             # on the port for HTTP/2, which is another server
        self.body = b''
        self.other_bodies = []      # sent under the same payment
        self.content = {'kind': 'ok', 'size': 100}
        self.successor = None            # what the payer signs next when this one brought nothing
        self.predecessor = None           # the payment that this one replaces
        self.hooks = {}
        self.plain = False          # nothing at all is planned to go wrong
        self.faulty = False         # the facilitator's answers are
        self.valid_at = None
        self.moved_at = None
        self.verify_calls = 0
        self.settle_calls = []
        self.executions = []
        self.answers = []
        self.events = []                        # of the module's own ledger: (event, path)
        self.complaints = []

    # Everything that may wait for a moment in the life of a payment.
    def on(self, moment, action):
        self.hooks.setdefault(moment, []).append(action)

    def fire(self, moment):
        for action in self.hooks.pop(moment, []):
            action()

    def replace_with(self, successor):
        """The same payer wants the same again, and signs a new payment."""
        self.successor = successor
        successor.predecessor = self
        successor.payer, successor.address = self.payer, self.address
        successor.method, successor.body, successor.h2, successor.other_bodies = self.method, self.body, self.h2, self.other_bodies

    @property
    def money_at(self):
        """When money moved that its content may be made for."""
        times = [one.moved_at for one in (self, self.predecessor) if one and one.moved_at is not None]
        return min(times, default=None)

    @property
    def transaction(self):
        return '0x' + self.nonce[-64:]

    def payload(self):
        """What is signed, in the form of its token."""
        if self.permit:
            return {'permit2Authorization': {
                'from': self.payer, 'permitted': {'token': self.rig.accepted[self.mode]['asset'], 'amount': self.rig.amount},
                'spender': '0x402085c248EeA27D92E8b30b2C58ed07f9E20001', 'nonce': str(int(self.nonce, 16)),
                'deadline': str(self.valid_before), 'witness': {'to': self.rig.pay_to, 'validAfter': '0'}}}
        return {'authorization': self.authorization()}

    def authorization(self):
        return {'from': self.payer, 'to': self.rig.pay_to, 'value': self.rig.amount,
                'validAfter': '0', 'validBefore': str(self.valid_before), 'nonce': self.nonce}

    def next_fault(self, operation):
        queue = self.faults[operation]
        return queue.pop(0) if queue else {'say': 'ok', 'how': 'ok', 'move': True}

    def move(self):
        """Money moves, once."""
        if self.moved_at is None:
            self.moved_at = CLOCK()
            self.fire('moved')

    def complain(self, text):
        self.complaints.append(text)
