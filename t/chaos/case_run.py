# SPDX-License-Identifier: Apache-2.0
"""Runs one case: clients and disturbances at once, then what is left is presented again."""

import asyncio
import itertools
import signal

from chain_ledger import CLOCK, Payment
from paying_client import ask, present

FREE_LIMIT = 3.0    # seconds for a free location, on a loaded machine
PATIENCE = 60       # seconds in which machines that share a store have to say something


async def free_location(case, killed):
    """Other requests must not feel what payments go through."""
    await asyncio.sleep(case.rng.uniform(0, 0.4))
    begun = CLOCK()
    loop_at = begun
    waited = case.rig.kept_waiting()
    answer = await ask(case.rig, '/free')
    while answer.status != 200 and killed() and CLOCK() - begun < 30:
        await asyncio.sleep(0.02)
        loop_at = CLOCK()
        answer = await ask(case.rig, '/free')
    # A machine that others use, too, is slow for reasons of its own.
    ours = case.rig.lag + max(0, case.rig.kept_waiting() - waited)
    if answer.status != 200:
        if ours < 5:
            case.rig.complain(f'I6: the free location answered {answer.status}')
        return
    if answer.ended - loop_at - ours > FREE_LIMIT * case.rig.settings.patience and not killed():
        case.rig.complain(f'I6: the free location took {answer.ended - loop_at:.2f} s, {ours:.2f} s of it no doing of nginx')


async def measure_lag(rig):
    """What this process itself is late by: nginx is not to blame for that."""
    while True:
        begun = CLOCK()
        await asyncio.sleep(0.01)
        late = max(0, CLOCK() - begun - 0.015)
        rig.lag += late
        if late > 0.02:
            rig.stalls.append((begun, late))


async def unpaid(case):
    """Without a payment, and with one that nobody can take."""
    for path in (f'/g{case.group}/after/c{case.number}unpaid', f'/dead/c{case.number}'):
        more = ''
        if path.startswith('/dead'):
            payment = Payment(case.rig, f'c{case.number}dead', case.rng, 'dead', case.group)
            payment.path = path
            answer = await present(payment)
        else:
            answer = await ask(case.rig, path, more)
        if answer.status not in ((402,) if 'unpaid' in path else (502, 503)) \
                and answer.status and case.disturbance not in ('clock_large', 'memory'):
            case.rig.complain(f'unpaid {path} was answered {answer}')


async def presentation(payment, delay, how):
    await asyncio.sleep(delay)
    await present(payment, **how)


async def flood(case):
    """More payments in flight than the smallest zone has room for."""
    async def one(index):
        payment = Payment(case.rig, f'c{case.number}f{index}', case.rng, 'after', case.group)
        case.rig.by_nonce[payment.nonce] = payment
        case.rig.by_path[payment.path] = payment
        payment.idempotent = payment.naive = False
        payment.faults['verify'].append({'say': 'ok', 'how': 'ok', 'move': False, 'delay': 0.15})
        case.payments.append(payment)
        await present(payment)
    await asyncio.gather(*(one(index) for index in range(120 if case.rig.zone == '64k' else 20)))


async def disturb(case):
    """One thing happens to nginx itself, at a moment of one payment's life."""
    rig, rng, what = case.rig, case.rng, case.disturbance
    if not what:
        return
    if what == 'memory':
        rig.starve(rng.choice(rig.workers()), rng.randint(1, rng.choice((30, 300, 1500))))
        return
    reached = asyncio.Event()
    case.victim.on(case.moment, reached.set)
    try:
        await asyncio.wait_for(reached.wait(), 0.7)
    except asyncio.TimeoutError:
        pass
    case.disturbed_at = CLOCK()
    if what.startswith('store_'):
        await disturb_store(rig.store, rng, what)
        return
    rig = rng.choice(rig.machines)
    old = rig.workers()
    if what in ('kill_all', 'kill_one'):
        for pid in old if what == 'kill_all' else [rng.choice(old)]:
            rig.tell(pid, signal.SIGKILL)
        await rig.wait(lambda: len(rig.workers()) >= rig.workers_wanted, 30)
    elif what == 'reload':
        rig.tell(rig.master, signal.SIGHUP)
        await rig.workers_back(old)
    elif what == 'quit_worker':
        rig.tell(rng.choice(old), signal.SIGQUIT)
    elif what == 'upgrade':
        if not await rig.upgrade():
            rig.complain('no new master after USR2')
    elif what in ('clock_small', 'clock_large'):
        rig.set_clock(rng.choice((-20, 20)) if what == 'clock_small' else rng.choice((-3600, 3600, 400)))
    elif what == 'flood':
        await flood(case)
    elif what == 'machine':
        await rig.die()
    elif what == 'freeze':
        # Shorter than its leases, and longer: others have taken over by then.
        await rig.freeze(rng.choice((0.5, 2.5, 4, 6)))


async def disturb_store(store, rng, what):
    """One thing happens to the store that machines share."""
    if what == 'store_kill':
        await asyncio.to_thread(store.restart, rng.choice((0, 0.2, 0.8)))
    elif what == 'store_freeze':
        store.freeze()
        await asyncio.sleep(rng.choice((0.1, 0.5, 1)))
        store.thaw()
    elif what == 'store_cut':
        for _ in range(rng.randint(1, 5)):
            store.ask('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
            await asyncio.sleep(rng.uniform(0, 0.1))
    elif what == 'store_full':
        store.ask('CONFIG', 'SET', 'maxmemory', '100')
        await asyncio.sleep(rng.choice((0.1, 0.5)))
        store.ask('CONFIG', 'SET', 'maxmemory', '0')
    elif what == 'store_forgets_scripts':
        store.ask('SCRIPT', 'FLUSH')


async def last_word(case, payment):
    """Everybody is honest again: what the payment is worth in the end."""
    attempts, end = case.rig.settings.attempts, CLOCK() + PATIENCE
    for attempt in itertools.count():
        home = payment.home
        answer = await present(payment, path=home, kind='probe')
        payment.home = home_of(case, payment, home)
        if payment.home != home:
            continue    # it was settled meanwhile, for the other place where it was presented
        # Nothing is said about a payment by a store that is away, nor by a machine that has not seen it while its facilitator is
        # in trouble; of one that a facilitator has an answer for, a machine that knows it to be unknown says no more.
        silent = answer.status in (502, 504) or answer.status == 503 \
            and (b'"settlement_unknown"' not in answer.body or len(case.rig.machines) > 1 and payment.idempotent)
        if answer.status and answer.status not in (409, 502, 503, 504) or attempt > 0 and never_proven(payment) and not silent:
            break
        # Whose answers come late, as on a machine that has too much to do, is asked for longer: "come again" does not end it.
        if attempt + 1 >= attempts and (not silent or len(case.rig.machines) == 1 or CLOCK() > end):
            break
        await asyncio.sleep(min(0.05 + 0.1 * attempt, 2))
    payment.last = answer


def home_of(case, payment, default):
    """Where its claim was made."""
    asked = [call.path for call in payment.settle_calls]
    # A claim that was given up says nothing: the payment may have been taken for another place since then.
    told = [path for event, path in payment.events if event not in ('not processed', 'refused')]
    # Lines of several machines are in no order: the last of them may be of a claim that was refused, before another.
    known = asked or told if len(case.rig.machines) > 1 else told or asked
    return known[-1] if known else default


async def next_word(case, payment):
    """The payer got nothing for it, as far as it knows: it signs a new payment."""
    successor = payment.successor
    successor.path = successor.home = payment.home
    case.rig.by_nonce[successor.nonce] = successor
    case.rig.by_path[successor.path] = successor
    successor.before_last, successor.moved_before_last, successor.made_before_last = 0, False, 0
    case.payments.append(successor)
    await last_word(case, successor)


def never_proven(payment):
    """Nothing that an honest facilitator says from now on can end it before its time."""
    if payment.predecessor:
        return never_proven(payment.predecessor)
    return payment.moved_at is not None and not payment.idempotent \
        or any(answer.kind == 'forged' for answer in payment.answers)


def read_ledger(case, text):
    from nginx_rig import LEDGER, LEDGER_OF_PAYER
    for event, path in LEDGER.findall(text):
        payment = case.rig.by_path.get(path.decode())
        if payment is not None:
            payment.events.append((event.decode(), path.decode()))
    # What is learned in the background has no URL.
    for event, payer in LEDGER_OF_PAYER.findall(text):
        for payment in case.payments:
            if payment.payer.lower() == payer.decode().lower():
                payment.events.append((event.decode(), payment.events[-1][1] if payment.events else payment.path))


async def rest_of_log(case):
    """A line may be a moment behind what it is about."""
    # A killed worker has said nothing; what it settled is asked about some seconds later.
    killed = case.disturbance in ('kill_one', 'kill_all', 'machine')
    end = CLOCK() + (20 if killed and len(case.rig.machines) > 1 else 3)
    log = b''
    while True:
        await asyncio.sleep(0.01)
        text = case.rig.new_log()
        read_ledger(case, text)
        log += text
        missing = [payment for payment in case.payments
                   if payment.moved_at is not None and not payment.events
                   and not (payment.successor and (not killed or payment.successor.events))]
        if not missing or case.refused_memory or case.forgets() or CLOCK() > end:
            return log


async def run_case(case):
    rig = case.rig
    case.disturbed_at = None
    rig.lag = 0
    rig.stalls = []
    lag = asyncio.ensure_future(measure_lag(rig))
    # A socket of its own waits for each worker's successor (reuseport): what was
    # queued there is late, which the module does not cause.
    killed = lambda: case.disturbance in ('kill_all', 'kill_one', 'quit_worker', 'upgrade', 'memory', 'machine', 'freeze')
    tasks = [presentation(payment, delay, how)
             for payment, plan in zip(list(case.payments), case.plans) for delay, how in plan]
    await asyncio.gather(disturb(case), free_location(case, killed), free_location(case, killed), unpaid(case), *tasks)
    await rig.wait(lambda: rig.facilitator.open_calls == 0, 20)
    case.refused_memory = rig.starved()
    rig.was_starved = rig.was_starved or bool(case.refused_memory)
    for machine in rig.machines:
        machine.set_clock(0)
    await rig.wait(rig.all_back, 30)
    await asyncio.sleep(0.02 if not case.disturbance else 0.15)
    text = rig.new_log()
    read_ledger(case, text)
    for payment in case.payments:
        payment.faults = {'verify': [], 'settle': []}
        payment.content = {'kind': 'ok', 'size': 128}
        payment.before_last = len(payment.answers)
        payment.moved_before_last = payment.moved_at is not None
        payment.made_before_last = len(payment.executions)
        payment.home = home_of(case, payment, payment.path)
    await asyncio.gather(*(next_word(case, payment) if payment.successor else last_word(case, payment)
                           for payment in list(case.payments)))
    await rig.wait(lambda: rig.facilitator.open_calls == 0, 20)
    lag.cancel()
    case.log = text + await rest_of_log(case)
    # Full of what could still be used, the smallest zone sells nothing more.
    if case.disturbance == 'upgrade' and not rig.journal or rig.zone == '64k':
        await rig.stop()
        case.log += rig.new_log()
        await rig.run()
