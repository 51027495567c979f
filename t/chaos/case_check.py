# SPDX-License-Identifier: Apache-2.0
"""Holds what was seen in a case against the promises.

Each complaint opens with the invariant it is about: I1 to I9, or M3 to M5 of
docs/design.md.
"""

import re

from nginx_rig import BAD

# The second is nginx's own: it frees the zone's lock of a worker that was killed with it.
KILL_SIGNAL = re.compile(rb'exited on signal 9|shared memory zone "x402(?::books)?" was locked by')
OF_OPENSSL = re.compile(rb'\[alert\].*(?:SSL_\w+\(\) failed|stale global SSL error)')
TRACE = re.compile(rb'^(?:memory is refused|crashed) at\n(?:.+\n){1,24}', re.M)


def was_slow(case):
    """The facilitator of ours may have answered after nginx had given up."""
    return case.rig.lag > case.rig.settle_timeout * 0.4


def stalled(case, begin, end):
    """Seconds in which this process stood still, of those between the two moments."""
    return sum(late for moment, late in case.rig.stalls if moment < end and moment + late > begin)


def check_case(case):
    """All violations of a case, as lines of text."""
    wrong = [f'{text}' for text in case.rig.complaints]
    case.rig.complaints.clear()
    for payment in case.payments:
        complaints = payment.complaints[:]
        for check in (unpaid_work, worth, forgeries, content_first, asked_again, delivered_twice, settled_again, ledger_line, ending,
                      clean_copies):
            complaints += check(case, payment) or []
        if complaints:
            wrong += [f'{payment.path}: {text}' for text in complaints]
            wrong.append(story(payment))
    return wrong + log_lines(case)


def story(payment):
    base = min([answer.started for answer in payment.answers] or [0])
    at = lambda moment: '-' if moment is None else f'{moment - base:.3f}'
    lines = [f'    {payment.path} moved {at(payment.moved_at)}, valid {at(payment.valid_at)}, '
             f'{"idempotent" if payment.idempotent else "nonce_used"}, {"naive" if payment.naive else "strict"}, '
             f'events {[event for event, _ in payment.events]}']
    lines += [f'      settle {at(call.started)}..{at(call.ended)} at {call.path} left {at(call.left_at)} {call.fault} told {call.answer}'
              for call in payment.settle_calls]
    lines += [f'      made {at(execution.at)} number {execution.number} at {execution.path}' for execution in payment.executions]
    lines += [f'      {at(answer.started)}..{at(answer.ended)} {answer}' for answer in payment.answers]
    return '\n'.join(lines)


def mode_at(path):
    return path.split('/')[2]


def unpaid_work(case, payment):
    """I1: the backend is never asked before a payment was found good."""
    for execution in payment.executions:
        times = [moment for moment in (payment.valid_at, payment.money_at) if moment is not None]
        if not times or execution.at < min(times):
            return [f'I1: execution {execution.number} before the payment was good']
        # A new payment is for the place where the one before it was settled.
        if 'before' in mode_at(execution.path) and execution.path == payment.path \
                and (payment.money_at is None or execution.at < payment.money_at):
            return [f'I1: execution {execution.number} before settlement, in mode before']


def worth(case, payment):
    """I8: nothing is made for less than what it costs where it is asked for."""
    for execution in payment.executions:
        if not execution.asked:
            return ['I8: the upstream was not told what its content costs']
        if execution.asked > int(case.rig.amount):
            return [f'I8: execution {execution.number} costs {execution.asked}, and {case.rig.amount} was signed']


def forgeries(case, payment):
    """I9: what a facilitator refuses before it sends anything is never in doubt."""
    if payment.faulty or case.disturbance or case.rig.zone == '64k' or was_slow(case):
        return None
    for answer in payment.answers:
        if answer.kind == 'forged' and b'settlement_unknown' in answer.body:
            return [f'I9: a forgery of unknown outcome: {answer}']


def content_first(case, payment):
    """I2: no byte of content before money moved; never one of somebody else's."""
    own = {execution.number for execution in payment.executions}
    for answer in payment.answers:
        if answer.marks - own:
            return [f'I2: content of another payment in {answer}']
        if answer.content_at is None or answer.status >= 300:
            continue
        if payment.money_at is None or answer.content_at < payment.money_at:
            return [f'I2: content before money moved in {answer}']
        if not answer.charged:
            return [f'I2: content without a receipt in {answer}']


def maybe_delivered(case, payment, answers):
    """Whether nginx may rightly believe that content has left: somebody got a
    part of it, or left while it came."""
    for answer in answers:
        if answer.charged or answer.marks:
            return True
        if answer.status == 0 and payment.moved_at is not None and answer.ended >= payment.moved_at:
            return True
        if answer.aborted is not None and payment.moved_at is not None:
            return True
    return False


def asked_again(case, payment):
    """M5: nobody is asked to pay again for what moved money and was not delivered."""
    if case.forgets() or payment.moved_at is None:
        return None
    if maybe_delivered(case, payment, payment.answers[:payment.before_last]):
        return None
    for answer in payment.answers[:payment.before_last]:
        if answer.kind == 'own' and answer.path == payment.home and answer.demands \
                and answer.started > payment.moved_at and not needs_new_payment(payment, answer):
            return [f'M5: asked to pay again after money moved: {answer}']


def needs_new_payment(payment, answer):
    """The same payment brings what is owed to requests without a body only; of
    others it is said to be used, and a new one brings it."""
    return payment.method != 'GET' and answer.error == 'payment_already_used'


def unrecorded(case, answers):
    """A delivery whose worker, or whole machine, died before it could say so."""
    return case.disturbance in ('kill_all', 'kill_one') or case.disturbance == 'machine' and case.disturbed_at is not None \
        and any(answer.delivered and abs(answer.ended - case.disturbed_at) < 0.1 for answer in answers)


def delivered_twice(case, payment):
    """M3: one payment, one delivery."""
    delivered = [answer for answer in payment.answers if answer.delivered]
    allowed = 1 + unrecorded(case, delivered)
    if len(delivered) > allowed and not case.refused_memory:
        return [f'M3: delivered {len(delivered)} times']
    if case.forgets() or allowed > 1 or case.refused_memory or not delivered:
        return None
    first = min(delivered, key=lambda answer: answer.ended)
    # A copy that comes to the other nginx before that has read of the delivery is
    # made, and not settled: docs/operating.md, binary upgrades.
    known = first.ended + (0.1 if case.disturbance == 'upgrade' else 0)
    late = [execution for execution in payment.executions if execution.at > known]
    if late:
        return [f'M3: execution {late[0].number} after delivery']
    after = [execution for execution in payment.executions if payment.money_at and execution.at > payment.money_at]
    if len(after) > 3:
        return [f'M3: {len(after)} executions after money moved']


def settled_again(case, payment):
    """I3: another settle call only after one that left the outcome open, or was refused."""
    if case.forgets() or case.rig.zone == '64k':
        return None
    calls = payment.settle_calls
    for before, call in zip(calls, calls[1:]):
        # nginx has long gone when an answer comes late; a redirect takes of the same time.
        if before is calls[0] or moved.fault['how'] != 'redirect':
            begun = before.started
        moved = before
        # Its own time began when it sent the call, and we may have read that late.
        left = before.left_at or call.started + 1
        ended = min(before.ended or call.started, begun + case.rig.settle_timeout, left)
        # What this process read late it cannot put in order.
        if call.started < ended - 0.02 - stalled(case, before.started - 1, ended):
            if case.disturbance not in ('kill_all', 'kill_one'):
                return ['I3: two settle calls at once']
        clean = before.answer == 'paid' and before.fault['how'] == 'ok' and before.fault['say'] == 'ok' \
            and before.ended - before.started < case.rig.settle_timeout * 0.5 and not was_slow(case) \
            and not any('extra' in fault for fault in case.injected)    # may come to the next call of a connection
        if clean and case.disturbance is None:
            return ['I3: settled again after a clean answer']


def ledger_line(case, payment):
    """I4: money that moved leaves a line, whatever became of nginx's client."""
    events = payment.events + (payment.successor.events if payment.successor else [])     # late ones go there
    if payment.moved_at is not None and not events and not case.forgets() and not case.refused_memory:
        return ['I4: money moved and no line says so']


def ending(case, payment):
    """I5: nothing stays locked, and what was paid for is delivered in the end."""
    if payment.successor:
        return None     # the answer to that one says it
    last = payment.last
    # The smallest zone may have no room, not even for the bytes that were sent:
    # then those of the presenter have to be the same, of the same version.
    if last.status == 503 and case.rig.zone == '64k':
        return None
    if case.forgets():
        return ['I5: still no answer'] if last.status == 0 else None
    if payment.predecessor:
        return replacement(case, payment, payment.predecessor, last)
    if payment.moved_before_last:
        return ending_of_moved(case, payment, last)
    if last.status == 200 and last.complete and last.charged:
        return None
    if payment.made_before_last >= 3 and last.status in (402, 409, 503):
        return None
    # A client that knew the nonce came first with another signature, and what it
    # sent has an unknown outcome: those bytes are tried again until they expire.
    if last.status == 503 and any(answer.kind == 'forged' for answer in payment.answers):
        return None
    # It was settled in the background, after the death of its machine, while this
    # was on its way: owed, as if it had been so before.
    if payment.moved_at is not None and needs_new_payment(payment, last) \
            and any(event == 'paid, content owed' for event, _ in payment.events):
        return None
    # The answer that it is paid came too late, and is not given twice.
    if last.status in (409, 503) and payment.moved_at is not None and not payment.idempotent and was_slow(case):
        return None
    return [f'I5: a good payment ends with {last}']


def ending_of_moved(case, payment, last):
    answers = payment.answers[:payment.before_last]
    if any(answer.delivered for answer in answers):
        if last.status == 402 or payment.mode == 'before' and last.status in (402, 503):
            return None
        if unrecorded(case, answers) or case.refused_memory:
            return None
        return [f'I5: a delivered payment ends with {last}']
    if last.status == 200 and last.complete and last.charged:
        return None
    if maybe_delivered(case, payment, answers) and last.status == 402:
        return None
    # Only a nonce that is used proves nothing by itself: see x402_unproven.
    if not payment.idempotent and last.status in (409, 503):
        return None
    if payment.made_before_last >= 3 and last.status != 402 or needs_new_payment(payment, last):
        return None
    return [f'I5: money moved, nothing was delivered, and it ends with {last}']


def replacement(case, successor, predecessor, last):
    """A new payment by the same payer: under the old receipt while it is owed
    something, else for its own money; never for both."""
    open_for_good = not predecessor.idempotent or any(answer.kind == 'forged' for answer in predecessor.answers) \
        or successor.moved_before_last and not successor.idempotent
    if last.status in (409, 503) and open_for_good:
        return None
    # Of itself, as in ending(): the answer came too late and is not given twice, or
    # its content failed after it was paid, and is for another payment.
    late = last.status in (409, 503) and not successor.idempotent and was_slow(case)
    owed = any('owed' in event for event, _ in successor.events) and needs_new_payment(successor, last)
    if successor.moved_at is not None and (late or owed):
        return None
    if not (last.status == 200 and last.complete and last.charged):
        return [f'I5: a new payment of the same payer ends with {last}', story(predecessor)]
    told = last.receipt['transaction']
    # Of its own as well if it was delivered on the word that its nonce is used.
    if told == successor.transaction or told == '' and predecessor.moved_at is None:
        # An unproven payment is an older payment of no payer, since anyone can put
        # its name on one. After a refusal its payments are settled unverified.
        events = {event for event, _ in predecessor.events}
        # nor are they if nginx has not waited for the only answer to verify, which was asked for by another request.
        own = [answer for answer in predecessor.answers if answer.kind == 'own']
        unheard = own and all(b'facilitator_timeout' in answer.body for answer in own) \
            and not any(execution.at < predecessor.moved_at for execution in predecessor.executions if predecessor.moved_at)
        # Where settle comes first, no request asks whether the payment is valid: one at another place has.
        verified = predecessor.valid_at is not None and 'before' not in predecessor.mode and 'refused' not in events and not unheard
        proven = verified or 'paid' in events
        # Until the lease of a machine is over, the others do not know that it died while it settled: what comes to them
        # by then is another purchase.
        if len(case.rig.machines) > 1 and case.disturbance in ('kill_one', 'kill_all', 'machine') and 'paid' not in events:
            proven = False
        owed = proven and predecessor.moved_before_last and predecessor.made_before_last < 3 and not case.refused_memory \
            and not maybe_delivered(case, predecessor, predecessor.answers)
        return ['M4: charged again for what was owed', story(predecessor)] if owed or successor.moved_at is None else None
    if successor.moved_at is not None:
        return ['M4: both payments of one payer moved for one delivery', story(predecessor)]
    if told not in (predecessor.transaction, '') or predecessor.moved_at is None:
        return [f'I5: a new payment of the same payer brings {last}', story(predecessor)]


def clean_copies(case, payment):
    """M3: copies of one payment where nothing goes wrong: one execution, one settle."""
    if not payment.plain or case.disturbance or case.rig.zone == '64k' or was_slow(case):
        return None
    if payment.successor and all(b'"error":"busy"' in answer.body for answer in payment.answers):
        return None     # the facilitator was in trouble by other payments, and the payer signed a new one
    if len(payment.executions) != 1 or len(payment.settle_calls) != 1:
        return [f'M3: {len(payment.executions)} executions and {len(payment.settle_calls)} settle calls of copies']


def log_lines(case):
    """I7: no crash, no alert."""
    wrong = []
    for line in case.log.split(b'\n'):
        if not BAD.search(line):
            continue
        if KILL_SIGNAL.search(line) and case.disturbance in ('kill_all', 'kill_one'):
            continue
        if case.refused_memory and b'[emerg]' in line and b'alloc' in line:
            continue
        # What OpenSSL leaves behind without memory nginx tells when it comes
        # across it, maybe in a later case; t/http/no_memory.t looks at ours.
        if case.rig.was_starved and OF_OPENSSL.search(line):
            continue
        wrong.append('I7: ' + line.decode('latin-1')[:300])
    if wrong:
        wrong += ['\n' + trace.decode('latin-1') for trace in TRACE.findall(case.log)]
    return wrong
