#!/usr/bin/env python3
"""Compares a ledger of x402_ledger with the transfers on an EVM chain.

    reconcile-ledger.py --rpc https://rpc.example.com /var/log/nginx/x402.ledger*

Every payment that the ledger calls settled, resolved or unproven has to be a
transfer of its amount to its receiver in its transaction, and every transfer to
one of these receivers has to be in the ledger. Needs Python 3.8 and nothing
else. Exit status: 0 all agrees, 1 there are differences, 2 trouble.
"""

import argparse
import collections
import gzip
import json
import sys
import urllib.request

REVENUE = ('settled', 'resolved', 'unproven')
OPEN = ('unknown', 'closed')
# keccak256("Transfer(address,address,uint256)")
TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'


class Trouble(Exception):
    pass


class Rpc:
    def __init__(self, url):
        self.url = url
        self.number = 0

    def __call__(self, method, *params):
        self.number += 1
        body = json.dumps({'jsonrpc': '2.0', 'id': self.number, 'method': method, 'params': params}).encode()
        request = urllib.request.Request(self.url, body, {'Content-Type': 'application/json', 'User-Agent': 'reconcile'})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = json.load(answer)
        except (OSError, ValueError) as problem:
            raise Trouble(f'{method}: {problem}') from problem
        if 'error' in said:
            raise Trouble(f'{method}: {said["error"].get("message", said["error"])}')
        return said.get('result')


def read_ledger(paths):
    """The last word about each payment: {payment id: line}. Revenue stays revenue."""
    payments = {}
    for path in paths:
        opened = gzip.open(path, 'rt') if path.endswith('.gz') else open(path, encoding='utf-8')
        with opened as file:
            for number, text in enumerate(file, 1):
                try:
                    line = json.loads(text)
                except ValueError:
                    print(f'{path}:{number}: not JSON, passed over')
                    continue
                key = line.get('payment_id')
                if key is None or line['event'] not in REVENUE + OPEN:
                    continue
                if key not in payments or payments[key]['event'] not in REVENUE:
                    payments[key] = line
    return payments


def word_of(address):
    return '0x' + address.lower()[2:].rjust(64, '0')


def transfers(rpc, asset, pay_to, first, last, step):
    """Those to the receiver: (transaction, payer, units)."""
    for begin in range(first, last + 1, step):
        logs = rpc('eth_getLogs', {
            'address': asset, 'topics': [TRANSFER, None, word_of(pay_to)],
            'fromBlock': hex(begin), 'toBlock': hex(min(begin + step - 1, last)),
        })
        for log in logs:
            yield log['transactionHash'].lower(), '0x' + log['topics'][1][-40:].lower(), int(log['data'], 16)


def first_block(rpc, payments):
    """Of the earliest transaction that the ledger names."""
    for line in sorted(payments, key=lambda line: line['time']):
        receipt = line['transaction'] and rpc('eth_getTransactionReceipt', line['transaction'])
        if receipt:
            return int(receipt['blockNumber'], 16)
    raise Trouble('the chain knows no transaction of this ledger; write --from-block')


def compare(payments, found):
    """Takes each payment's transfer out of `found`; what is left over on both sides."""
    only_ledger, learned = [], []
    by_transaction = collections.Counter(found)

    def take(matches):
        for transfer in list(by_transaction):
            if matches(*transfer):
                by_transaction[transfer] -= 1
                if not by_transaction[transfer]:
                    del by_transaction[transfer]
                return True
        return False

    # What names its transaction comes first, so that nothing else takes it.
    for line in sorted(payments, key=lambda line: not line['transaction']):
        units, payer = int(line['amount']), (line['payer'] or '').lower()
        named = (line['transaction'] or '').lower()
        if line['event'] in REVENUE:
            if not take(lambda transaction, source, value:
                        value == units and (transaction == named if named else source == payer)):
                only_ledger.append(line)
    for line in payments:
        units, payer = int(line['amount']), (line['payer'] or '').lower()
        if line['event'] in OPEN and take(lambda _, source, value: value == units and source == payer):
            learned.append(line)
    return only_ledger, learned, list(by_transaction.elements())


def report(place, payments, found):
    network, asset, pay_to = place
    only_ledger, learned, only_chain = compare(payments, found)
    booked = sum(int(line['amount']) for line in payments if line['event'] in REVENUE)
    print(f'{network}, token {asset}, receiver {pay_to}:')
    print(f'  ledger {booked} units, chain {sum(value for _, _, value in found)} units')
    for line in only_ledger:
        print(f'  only in the ledger: payment {line["payment_id"]}, {line["amount"]} units, transaction {line["transaction"]}')
    for line in learned:
        print(f'  moved, although the ledger says {line["event"]}: payment {line["payment_id"]}, {line["amount"]} units')
    for transaction, source, value in only_chain:
        print(f'  only on the chain: transaction {transaction}, {value} units from {source}')
    return not (only_ledger or learned or only_chain)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--rpc', required=True, help='JSON-RPC URL of a node')
    parser.add_argument('--from-block', type=int, help='by default that of the first transaction of the ledger')
    parser.add_argument('--to-block', type=int, help='by default the latest')
    parser.add_argument('--step', type=int, default=2000, help='blocks per request, as the node allows')
    parser.add_argument('ledger', nargs='+')
    wanted = parser.parse_args()

    rpc = Rpc(wanted.rpc)
    network = f'eip155:{int(rpc("eth_chainId"), 16)}'
    places = collections.defaultdict(list)
    others = collections.Counter()
    for line in read_ledger(wanted.ledger).values():
        if line['network'] == network:
            places[network, line['asset'], line['pay_to']].append(line)
        else:
            others[line['network']] += 1
    for other, count in others.items():
        print(f'{count} payments on {other} are not compared: this node is of {network}')
    if not places:
        raise Trouble(f'the ledger has no payment on {network}')
    last = wanted.to_block if wanted.to_block is not None else int(rpc('eth_blockNumber'), 16)
    agrees = True
    for place, payments in places.items():
        first = wanted.from_block if wanted.from_block is not None else first_block(rpc, payments)
        found = list(transfers(rpc, place[1], place[2], first, last, wanted.step))
        agrees = report(place, payments, found) and agrees
    print('everything agrees' if agrees else 'there are differences')
    return 0 if agrees else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (Trouble, OSError) as problem:
        print(f'reconcile-ledger: {problem}', file=sys.stderr)
        sys.exit(2)
