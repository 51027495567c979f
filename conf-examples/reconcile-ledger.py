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
import decimal
import gzip
import json
import re
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


TEXTS = ('payment_id', 'payer', 'pay_to', 'network', 'asset', 'symbol', 'amount', 'amount_decimal', 'transaction')


def money_event(text):
    """A line about money as a dictionary; None: about something else. ValueError: not a line of a ledger."""
    line = json.loads(text)
    if not isinstance(line, dict) or not isinstance(line.get('event'), str):
        raise ValueError
    if line['event'] not in REVENUE + OPEN:
        return None
    if not all(isinstance(line.setdefault(name, None), (str, type(None))) for name in TEXTS):
        raise ValueError
    if not isinstance(line.get('time'), str) or not re.fullmatch('[0-9]{1,78}', line['amount'] or ''):
        raise ValueError
    return line


def read_ledger(paths):
    """The last word about each payment: {payment id: line}, and whether all could be read. Revenue stays revenue."""
    payments, whole = {}, True
    for path in paths:
        with gzip.open(path) if path.endswith('.gz') else open(path, 'rb') as file:
            for number, text in enumerate(file, 1):
                try:
                    line = money_event(text)
                except (ValueError, RecursionError):
                    print(f'{path}:{number}: not a line of a ledger, passed over: mend or remove it', file=sys.stderr)
                    whole = False
                    continue
                if line is None:
                    continue
                # A token of a plan has no id, and one line.
                key = line['payment_id'] or (path, number)
                if key not in payments or payments[key]['event'] not in REVENUE:
                    payments[key] = line
    return payments, whole


class Spelling:
    """Texts as they were first seen: an address 0x... is the same in any case of its letters."""

    def __init__(self):
        self.first = {}

    def __call__(self, *texts):
        return self.first.setdefault(tuple(text.lower() if text.startswith('0x') else text for text in texts), texts)


def print_sums(payments):
    sums, same = collections.defaultdict(list), Spelling()
    for line in payments:
        if line['event'] in REVENUE:
            sums[same(line['network'] or '-', line['asset'] or '-', line['symbol'] or '-')].append(line)
    if not sums:
        print('no revenue in this ledger')
    decimal.getcontext().prec = 200
    for (network, asset, symbol), lines in sorted(sums.items()):
        units = sum(int(line['amount']) for line in lines)
        amounts = [line['amount_decimal'] for line in lines]
        known = f' ({sum(map(decimal.Decimal, amounts)):f} {symbol})' if all(amounts) else ''
        print(f'{network}, token {asset}: {units} units{known}, payments: {len(lines)}')


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
    left = collections.Counter(found)
    by_transaction, by_payer = collections.defaultdict(list), collections.defaultdict(list)
    for transfer in found:
        transaction, source, units = transfer
        by_transaction[transaction, units].append(transfer)
        by_payer[source, units].append(transfer)

    def take(line, by_name):
        """Of the transfers that can be this payment one that no other payment is."""
        units, payer = int(line['amount']), (line['payer'] or '').lower()
        places = by_transaction[line['transaction'].lower(), units] if by_name else by_payer[payer, units]
        while places:
            transfer = places.pop()
            if left[transfer]:
                left[transfer] -= 1
                return True
        return False

    # What names its transaction comes first, so that nothing else takes it.
    for line in sorted(payments, key=lambda line: not line['transaction']):
        if line['event'] in REVENUE and not take(line, bool(line['transaction'])):
            only_ledger.append(line)
    for line in payments:
        if line['event'] in OPEN and take(line, False):
            learned.append(line)
    return only_ledger, learned, list(left.elements())


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
    parser.add_argument('--rpc', help='JSON-RPC URL of a node')
    parser.add_argument('--sum', action='store_true', help='prints the sums of the ledger alone, without a node')
    parser.add_argument('--from-block', type=int, help='by default that of the first transaction of the ledger')
    parser.add_argument('--to-block', type=int, help='by default the latest')
    parser.add_argument('--step', type=int, default=2000, help='blocks per request, as the node allows')
    parser.add_argument('ledger', nargs='+')
    wanted = parser.parse_args()
    if not (wanted.rpc or wanted.sum):
        parser.error('write --rpc and the URL of a node, or --sum')

    payments, whole = read_ledger(wanted.ledger)
    if wanted.sum:
        print_sums(payments.values())
        return 0 if whole else 2
    rpc = Rpc(wanted.rpc)
    network = f'eip155:{int(rpc("eth_chainId"), 16)}'
    places = collections.defaultdict(list)
    same = Spelling()
    others = collections.Counter()
    for line in payments.values():
        if line['payment_id'] and line['network'] == network and line['asset'] and line['pay_to']:
            places[same(network, line['asset'], line['pay_to'])].append(line)
        else:
            others[line['network']] += 1
    for other, count in others.items():
        print(f'{count} payments on {other} are not compared: this node is of {network}')
    if not places:
        raise Trouble(f'the ledger has no payment on {network}')
    last = wanted.to_block if wanted.to_block is not None else int(rpc('eth_blockNumber'), 16)
    agrees = True
    for place, lines in places.items():
        first = wanted.from_block if wanted.from_block is not None else first_block(rpc, lines)
        found = sorted(transfers(rpc, place[1], place[2], first, last, wanted.step))
        agrees = report(place, lines, found) and agrees
    print('everything agrees' if agrees else 'there are differences')
    if not whole:
        raise Trouble('lines of the ledger could not be read')
    return 0 if agrees else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (Trouble, OSError, EOFError, decimal.InvalidOperation) as problem:
        print(f'reconcile-ledger: {problem}', file=sys.stderr)
        sys.exit(2)
