# SPDX-License-Identifier: Apache-2.0
"""The books: the sum of the module's ledger is the sum of what moved, to the unit.

What moved is what the hostile facilitator did, whatever it answered. A payment
whose outcome the ledger calls unknown to the end may have moved: those are
counted by themselves, so that the sums still have to agree.
"""

import collections
import json

from case_check import story

REVENUE = ('settled', 'resolved', 'unproven')
OPEN = ('unknown', 'closed')


class ChainBooks:
    def __init__(self, amount):
        self.amount = int(amount)
        self.moved = collections.Counter()      # payments that moved, by payer
        self.stories = {}                       # how it went, by payer
        self.silent = collections.Counter()     # payments that may have no line, by payer
        self.excused = set()                    # payers: a master took its memory along, or memory was refused

    def add(self, case):
        """A case is over: nothing of it moves any more."""
        lost = case.forgets() or bool(case.refused_memory)
        for payment in case.payments:
            payer = payment.payer.lower()
            self.moved[payer] += payment.moved_at is not None
            self.stories[payer] = self.stories.get(payer, '') + story(payment) + '\n'
            # Where the zone had no room for what was sent, it is not asked about again after a kill.
            if case.rig.zone == '64k' and case.disturbance in ('kill_all', 'kill_one'):
                self.silent[payer] += 1
            if case.disturbance:
                self.stories[payer] += f'      {case.disturbance}\n'
            if lost:
                self.excused.add(payer)

    def compare(self, lines):
        """What is wrong, as lines of text; and the three sums."""
        told = collections.defaultdict(dict)    # payer: {payment id: (event, amount)}
        wrong = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                wrong.append(f'books: a line of the ledger is no JSON: {line[:200]!r}')
                continue
            if event['event'] not in REVENUE + OPEN:
                continue
            payments = told[(event['payer'] or '').lower()]
            known = payments.get(event['payment_id'])
            # Money that moved stays moved, whatever is said afterwards.
            if known is None or known[0] not in REVENUE:
                payments[event['payment_id']] = (event['event'], int(event['amount']))
        sums = collections.Counter()
        for payer, count in self.moved.items():
            if payer in self.excused:
                continue
            booked = [amount for event, amount in told[payer].values() if event in REVENUE]
            open_ones = sum(event in OPEN for event, _ in told[payer].values())
            missing = count * self.amount - sum(booked)
            sums.update(chain=count * self.amount, ledger=sum(booked), open=max(0, missing))
            if not 0 <= missing <= (open_ones + self.silent[payer]) * self.amount:
                wrong.append(f'books: {count} payments of {payer} moved {count * self.amount}, the ledger has '
                             f'{sum(booked)} and {open_ones} open ones: {told[payer]}')
                wrong.append(self.stories[payer])
        strangers = {payer: told[payer] for payer in told if told[payer] and payer not in self.moved}
        if strangers:
            wrong.append(f'books: lines of payers that never signed: {strangers}')
        return wrong, dict(sums)
