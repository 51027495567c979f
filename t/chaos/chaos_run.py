# SPDX-License-Identifier: Apache-2.0
"""make chaos CASES=n SEED=s: thousands of payments under every fault we know.

Each rig (an nginx with its facilitator and backend) is a process of its own
and runs every n-th case; this one deals them out, adds up and prints one table.
"""

import argparse
import asyncio
import collections
import ctypes
import base64
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LANES = 8


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cases', type=int, default=2000)
    parser.add_argument('--seed', default='')
    parser.add_argument('--case', type=int, default=None, help='this one alone')
    parser.add_argument('--module', required=True, help='the module, or "static" when nginx has it built in')
    parser.add_argument('--nginx', default=os.environ.get('NGINX') or '/usr/sbin/nginx')
    parser.add_argument('--preload', default=os.environ.get('X402_PRELOAD', ''))
    parser.add_argument('--shim', default='')
    parser.add_argument('--slow', action='store_true', help='for sanitizers: longer deadlines')
    parser.add_argument('--keep', action='store_true', default=bool(os.environ.get('X402_KEEP')))
    parser.add_argument('--quiet', action='store_true', help='no list of faults')
    parser.add_argument('--verbose', action='store_true', help='name the cases that take long')
    parser.add_argument('--limit', type=float, default=1800, help='seconds for all of it')
    parser.add_argument('--memory', action='store_true', help='some cases refuse a worker memory')
    parser.add_argument('--disturb', default='', help='this happens to nginx in every case')
    parser.add_argument('--machines', type=int, default=1, help='so many nginx, which share a store')
    parser.add_argument('--lane', type=int, default=None, help=argparse.SUPPRESS)
    settings = parser.parse_args()
    settings.attempts = 9 if settings.machines == 1 else 14
    # Each rig has as many nginx then.
    settings.lanes = LANES if settings.machines == 1 else LANES // 2
    # A machine with much else to do answers late, which this does not look for.
    settings.slow = settings.slow or os.getloadavg()[0] > 3 * os.cpu_count()
    settings.patience = 5 if settings.slow else 1
    settings.seed = settings.seed or str(random.SystemRandom().randrange(1 << 32))
    return settings


# --- one rig ----------------------------------------------------------------------


async def run_lane(settings, numbers):
    logging.getLogger('asyncio').setLevel(logging.CRITICAL)     # connections break here all the time
    from case_check import check_case
    from case_plan import Case
    from case_run import run_case
    from chain_books import ChainBooks
    from nginx_rig import MODES, NginxRig
    rig = NginxRig(settings.lane, settings)
    books = ChainBooks(rig.amount)
    try:
        await rig.start()
        from paying_client import ask
        # What is settled first says so in its offer.
        rig.accepted = {mode: json.loads(base64.b64decode(
            (await ask(rig, f'/g0/{mode}/offer')).headers['payment-required']))['accepts'][0]
            for mode in MODES}
        for number in numbers:
            case = Case(rig, settings.seed, number)
            begun = time.monotonic()
            await asyncio.wait_for(run_case(case), 120)
            wrong = check_case(case)
            report(case, wrong, time.monotonic() - begun)
            books.add(case)
            for payment in case.payments:
                del rig.by_nonce[payment.nonce]
                rig.retired.add(payment.nonce)
            rig.by_path.clear()
        # A line may be a moment behind what it is about; after a kill it is that of the next question, some seconds later.
        for _ in range(150):
            wrong, sums = books.compare(rig.ledger())
            if not wrong:
                break
            await asyncio.sleep(0.1)
        acknowledged = rig.store.count() if rig.store else 0
    finally:
        await rig.close()
    wrong += rig.complaints
    print(json.dumps({'end': settings.lane, 'violations': wrong, 'sums': sums, 'acknowledged': acknowledged}), flush=True)


def report(case, wrong, seconds):
    print(json.dumps({
        'case': case.number, 'violations': wrong, 'seconds': seconds, 'injected': case.injected,
        'memory': case.refused_memory,
        'payments': len(case.payments),
        'presented': sum(len(payment.answers) for payment in case.payments),
        'verify': sum(payment.verify_calls for payment in case.payments),
        'settle': sum(len(payment.settle_calls) for payment in case.payments),
        'moved': sum(payment.moved_at is not None for payment in case.payments),
        'executions': sum(len(payment.executions) for payment in case.payments),
        'delivered': sum(any(answer.delivered for answer in payment.answers) for payment in case.payments),
    }), flush=True)


def cases_of(settings, lane):
    if settings.case is not None:
        return [settings.case]
    return range(lane, settings.cases, settings.lanes)


# --- all of them --------------------------------------------------------------------


def start_lane(settings, lane):
    command = [sys.executable, os.path.abspath(__file__), '--lane', str(lane), *sys.argv[1:], '--seed', settings.seed]
    libc = ctypes.CDLL(None)
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                            preexec_fn=lambda: libc.prctl(1, signal.SIGTERM))


def collect(settings):
    lanes = [settings.case % settings.lanes] if settings.case is not None else range(min(settings.lanes, settings.cases))
    running = {lane: start_lane(settings, lane) for lane in lanes}
    total, faults, violations = collections.Counter(), collections.Counter(), []
    end = time.monotonic() + settings.limit

    async def follow(lane, process):
        finished = False
        while line := await asyncio.to_thread(process.stdout.readline):
            record = json.loads(line)
            finished |= 'end' in record
            where = f'CASE={record["case"]}' if 'case' in record else f'rig {lane}'
            for text in record['violations']:
                violations.append(f'{where}: {text}')
                print(f'not ok {where} SEED={settings.seed}: {text}', flush=True)
            total.update({f'units in the {name}': units for name, units in record.get('sums', {}).items()})
            total['acknowledged'] += record.get('acknowledged', 0)
            if 'case' in record:
                total['cases'] += 1
                total['milliseconds'] += int(1000 * record['seconds'])
                if record['seconds'] > 2 and settings.verbose:
                    print(f'{where} took {record["seconds"]:.1f} s: {", ".join(record["injected"])}')
                faults.update(record['injected'])
                for key in ('payments', 'presented', 'verify', 'settle', 'moved', 'executions', 'delivered', 'memory'):
                    total[key] += record[key]
        if process.wait() != 0 or not finished:
            violations.append(f'rig {lane} broke down')
            print(f'not ok rig {lane} broke down', flush=True)

    async def everybody():
        tasks = [follow(lane, process) for lane, process in running.items()]
        try:
            await asyncio.wait_for(asyncio.gather(*tasks), end - time.monotonic())
        except asyncio.TimeoutError:
            violations.append(f'not finished within {settings.limit} s')
            print(violations[-1])
            for process in running.values():
                process.terminate()

    asyncio.run(everybody())
    if settings.machines > 1 and not total['acknowledged']:
        violations.append('the store acknowledged nothing: this run proves nothing')
    return total, faults, violations


def table(settings, total, faults, violations, seconds):
    rows = [('seed', settings.seed), ('cases run', total['cases']), ('payments', total['payments']),
            ('presentations', total['presented']), ('verify calls', total['verify']), ('settle calls', total['settle']),
            ('settled on the chain', total['moved']), ('executions of the backend', total['executions']),
            ('payments delivered', total['delivered']), ('faults injected', sum(faults.values()))]
    rows += [(f'  {name}', count) for name, count in sorted(faults.items()) if not settings.quiet]
    rows += [(name, total[f'units in the {key}']) for name, key in
             (('moved on the chain, in units', 'chain'), ('of these in the ledger', 'ledger'),
              ('of these unknown to the end', 'open'))]
    if settings.machines > 1:
        rows += [('machines', settings.machines), ('calls acknowledged by their store', total['acknowledged'])]
    rows += [('allocations refused', total['memory']), ('seconds', f'{seconds:.0f}'),
             ('seconds for a case, on its rig', f'{total["milliseconds"] / 1000 / max(1, total["cases"]):.2f}'),
             ('violations', sum(not text.lstrip().startswith(' ') and '\n' not in text for text in violations))]
    print('\n'.join(f'{name:42} {value}' for name, value in rows))
    more = f' SEED={settings.seed}' + (f' MACHINES={settings.machines}' if settings.machines > 1 else '') \
        + (' MEMORY=1' if settings.memory else '')
    print(f'\nagain: make chaos CASES={settings.cases}{more}      one alone: make chaos CASE=n{more}')


def main():
    settings = arguments()
    if settings.lane is not None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        asyncio.run(run_lane(settings, cases_of(settings, settings.lane)))
        return 0
    begun = time.monotonic()
    total, faults, violations = collect(settings)
    table(settings, total, faults, violations, time.monotonic() - begun)
    return 1 if violations else 0


if __name__ == '__main__':
    sys.exit(main())
