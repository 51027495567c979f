# SPDX-License-Identifier: Apache-2.0
"""What happens in one case: drawn from the seed and the number of the case alone."""

import random

from chain_ledger import Payment
from nginx_rig import GROUPS, MODES

# What a settle call may come to: what is said, how it travels, whether money moves.
# Words that prove a refusal (`refused`, 401, 404, 429, a redirect, a reset before
# anything was read) are told only where nothing moved: no server can be safe
# from a facilitator that lies about those.
SETTLE = [(say, 'ok', True) for say in
          ('false_tx', 'unlisted', 'duplicate', 'pending', 'other_payer', 'other_network', 'other_amount', 'string',
           'paid_500', 'e502', 'e500', 'empty', 'html', 'twice', 'deep')]
SETTLE += [('ok', how, move) for how in
           ('reset', 'close', 'hang', 'late', 'drip', 'cut', 'both', 'bad_chunk', 'bomb', 'extra', 'interim',
            'chunked', 'eof', 'huge') for move in (True,)]
SETTLE += [(say, how, False) for say, how in
           (('refused', 'ok'), ('refused', 'drip'), ('unlisted', 'ok'), ('duplicate', 'ok'), ('pending', 'ok'),
            ('e429', 'ok'), ('e401', 'ok'), ('e404', 'ok'), ('e502', 'ok'), ('empty', 'ok'), ('refused', 'reset'),
            ('refused', 'hang'), ('refused', 'cut'), ('refused', 'both'), ('refused', 'late'), ('e404', 'redirect'))]
VERIFY = [(say, 'ok') for say in ('invalid', 'string', 'array', 'html', 'empty', 'e500', 'e502', 'e429', 'e401')]
VERIFY += [('ok', how) for how in
           ('reset', 'close', 'hang', 'late', 'drip', 'cut', 'both', 'bad_chunk', 'bomb', 'extra', 'interim',
            'chunked', 'eof', 'huge', 'redirect')]
RARE = {'huge', 'bomb', 'hang', 'late'}

CONTENT = [
    (10, {'kind': 'ok', 'size': 64}), (5, {'kind': 'ok', 'size': 20000}), (3, {'kind': 'ok', 'size': 300000}),
    (3, {'kind': 'chunked', 'size': 40000}), (2, {'kind': 'chunked', 'size': 60000, 'pause': 0.03}),
    (2, {'kind': 'eof', 'size': 5000}), (2, {'kind': 'ok', 'size': 64, 'delay': 0.15}),
    (1, {'kind': 'ok', 'size': 64, 'status': 404}), (1, {'kind': 'ok', 'size': 64, 'status': 500}),
    (1, {'kind': 'ok', 'size': 64, 'status': 302}), (1, {'kind': 'ok', 'size': 64, 'status': 304}),
    (1, {'kind': 'die_head', 'size': 64}), (1, {'kind': 'die_body', 'size': 100}),
    (1, {'kind': 'die_body', 'size': 200000}), (1, {'kind': 'chunked_die', 'size': 60000}),
    (1, {'kind': 'reset', 'size': 64}), (1, {'kind': 'ok', 'size': 64, 'delay': 0.9}),
]
MOMENTS = ('sent', 'half', 'verify', 'backend', 'settle', 'moved', 'answered', 'body', 'byte', 'byte', 'byte')
LIVES = ('verify', 'backend', 'settle', 'moved', 'answered')
DISTURBANCES = ((6, 'kill_all'), (4, 'kill_one'), (5, 'reload'), (4, 'quit_worker'), (1, 'upgrade'), (3, 'clock_small'),
                (2, 'clock_large'), (4, 'memory'), (5, 'flood'))
# With several machines: to one of them, or to the store that they share.
OF_MACHINES = ((6, 'machine'), (5, 'freeze'), (4, 'kill_all'), (3, 'kill_one'), (3, 'reload'), (2, 'quit_worker'), (2, 'clock_small'), (2, 'flood'),
               (4, 'store_kill'), (4, 'store_freeze'), (4, 'store_cut'), (2, 'store_full'), (2, 'store_forgets_scripts'))


def weighted(rng, table):
    return rng.choices([what for _, what in table], [weight for weight, _ in table])[0]


class Case:
    """The plan, and the state it is run with."""

    def __init__(self, rig, seed, number):
        self.rig = rig
        self.number = number
        self.rng = rng = random.Random(f'{seed}:{number}')
        self.injected = []
        self.group = number // 7 % GROUPS
        self.payments = []
        self.plans = []
        for index in range(rng.randint(3, 8)):
            mode = rng.choice(list(MODES) + ['after', 'both'])
            payment = Payment(rig, f'c{number}p{index}', rng, mode, self.group)
            rig.by_nonce[payment.nonce] = payment
            rig.by_path[payment.path] = payment
            self.payments.append(payment)
            self.faults(payment)
            if rng.random() < 0.2:
                payment.method = rng.choice(('POST', 'POST', 'PUT'))
                payment.body = rng.randbytes(rng.choice((0, 1, 300, 5000, 120000)))
            payment.content = weighted(rng, CONTENT) if rng.random() < 0.5 else CONTENT[0][1]
            if payment.content is not CONTENT[0][1]:
                self.injected.append(self.name_content(payment.content))
            self.plans.append(self.plan_clients(payment))
            # Copies at most: nothing may go wrong with it.
            payment.plain = payment.content is CONTENT[0][1] and not payment.faulty \
                and all(set(how) <= {'version', 'slow'} for _, how in self.plans[-1])
            if rng.random() < 0.25 and rig.zone != '64k':
                payment.replace_with(Payment(rig, f'c{number}p{index}', rng, mode, self.group))
                self.injected.append('client: signs a new payment')
        table = OF_MACHINES if rig.settings.machines > 1 else DISTURBANCES
        self.disturbance = weighted(rng, table) if rng.random() < 0.35 else None
        if self.disturbance == 'memory' and not rig.settings.memory:
            self.disturbance = 'flood'
        self.disturbance = rig.settings.disturb or self.disturbance
        if self.disturbance in ('clock_small', 'clock_large', 'memory') and not rig.settings.shim:
            self.disturbance = 'reload'
        self.victim = rng.choice(self.payments)
        self.moment = rng.choice(LIVES) if self.disturbance != 'memory' else None
        if self.forgets() or self.disturbance == 'upgrade':
            # The chain alone stands behind what was delivered, and behind copies
            # that come to both nginx at once: the facilitator tells its truth.
            for payment in self.payments:
                payment.idempotent = payment.naive = False
        if self.disturbance:
            self.injected.append(f'nginx: {self.disturbance}')

    def forgets(self):
        """What promises do not reach across: without a journal another master has
        another memory, and a clock that jumps by an hour ends every claim."""
        return self.disturbance == 'clock_large' or self.disturbance == 'upgrade' and not self.rig.journal

    @staticmethod
    def name_content(content):
        return f'backend: {content["kind"]} {content.get("status", "")}'.rstrip() \
            + (' slow' if 'delay' in content or 'pause' in content else '')

    def faults(self, payment):
        rng = self.rng
        payment.faulty = False
        for operation, chance in (('verify', 0.2), ('settle', 0.55)):
            while rng.random() < chance:
                if operation == 'settle':
                    say, how, move = rng.choice(SETTLE)
                else:
                    (say, how), move = rng.choice(VERIFY), False
                if how in RARE and rng.random() < 0.6:
                    continue
                fault = {'say': say, 'how': how, 'move': move}
                if rng.random() < 0.3:
                    fault['delay'] = rng.uniform(0, 0.1)
                payment.faults[operation].append(fault)
                payment.faulty = True
                said = '' if say == 'ok' else f' {say}'
                self.injected.append(f'{operation}:{said}{"" if how == "ok" else " " + how}'
                                     f'{" moved" if move else ""}')
                if how == 'redirect' and rng.random() < 0.5:
                    payment.faults[operation].append(dict(fault))
                chance *= 0.6

    def plan_clients(self, payment):
        """(delay, arguments of present()) for each presentation."""
        rng = self.rng
        plan = [(0, {})]
        shape = rng.random()
        if shape < 0.2:
            plan *= rng.randint(2, 10)
        elif shape < 0.3:
            other = f'/g{self.group}/{rng.choice(list(MODES))}/{payment.key}x'
            self.rig.by_path[other] = payment
            plan.append((rng.choice((0, 0.02, 0.2)), {'path': other, 'kind': 'elsewhere'}))
            rng.shuffle(plan)
        elif shape < 0.4 and payment.mode == 'both':
            plan.append((rng.choice((0, 0.02)), {'version': 1}))
            rng.shuffle(plan)
        elif shape < 0.5 or payment.permit and shape < 0.7:
            plan.append((rng.choice((0, 0.01, 0.1)), {'signature': '0x' + '5' * 130, 'kind': 'forged'}))
            rng.shuffle(plan)
            if payment.permit:
                self.injected.append('client: forged Permit2')
        elif shape < 0.65:
            # While it is settled, owed or used, and before.
            where = 'tier' if payment.mode == 'tier' else 'server'
            plan.append((rng.choice((0, 0.02, 0.1, 0.4)), {'dear': where, 'kind': 'elsewhere'}))
            rng.shuffle(plan)
            self.injected.append(f'client: at a dear {where}')
        elif shape < 0.8 and payment.body:
            other = rng.randbytes(len(payment.body))
            payment.other_bodies.append(other)
            plan.append((rng.choice((0, 0.02, 0.2)), {'body': other, 'kind': 'elsewhere'}))
            rng.shuffle(plan)
            self.injected.append('client: another body')
        if rng.random() < 0.3:
            plan += [(rng.uniform(0.05, 0.7), {})] * rng.randint(1, 2)
        if rng.random() < 0.25:
            at = rng.randrange(len(plan))
            how = {**plan[at][1], 'leave': rng.choice(MOMENTS), 'rude': rng.random() < 0.5}
            if how['leave'] == 'byte':
                how['at'] = rng.choice(((rng.random(), None), (1, rng.randint(1, 1200)), (1, rng.randint(1, 60000))))
            plan[at] = (plan[at][0], how)
            self.injected.append(f'client: leaves at {how["leave"]}')
        if rng.random() < 0.1:
            at = rng.randrange(len(plan))
            plan[at] = (plan[at][0], {**plan[at][1], 'slow': 0.002})
        # curl loses an answer that comes before it has sent a body.
        if rng.random() < 0.08 and not payment.body and payment.method == 'GET':
            payment.h2 = True
            self.injected.append('client: HTTP/2')
        if payment.body or payment.method != 'GET':
            self.injected.append(f'client: {payment.method} of {len(payment.body)} bytes')
        if len(plan) > 1:
            self.injected.append('client: presents again')
        return plan
