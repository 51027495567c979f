// The official client, and the two halves of it that tests use one by one.

import './webcrypto.mjs';
import { wrapFetchWithPayment, x402Client, x402HTTPClient } from '@x402/fetch';
import { decodePaymentRequiredHeader, decodePaymentResponseHeader } from '@x402/core/http';
import { ExactEvmScheme } from '@x402/evm';

const clientOf = (account) => new x402Client().register('eip155:*', new ExactEvmScheme(account));

// fetch() that pays when it is asked to.
export const payingFetch = (account) => wrapFetchWithPayment(fetch, clientOf(account));

// The value of a PAYMENT-SIGNATURE header for an offer, so that one payment can be presented as often as a test likes.
export async function paymentFor(account, offer) {
    const http = new x402HTTPClient(clientOf(account));
    const payload = await http.createPaymentPayload(offer);
    return http.encodePaymentSignatureHeader(payload)['PAYMENT-SIGNATURE'];
}

// Asks for the price and signs it.
export async function signedFor(account, url) {
    const response = await fetch(url);
    await response.arrayBuffer();
    return paymentFor(account, offerOf(response));
}

// The header's own value, decoded by the official decoder; nothing when there is none.
export function offerOf(response) {
    const value = response.headers.get('payment-required');
    return value === null ? undefined : decodePaymentRequiredHeader(value);
}

export function receiptOf(response) {
    const value = response.headers.get('payment-response');
    return value === null ? undefined : decodePaymentResponseHeader(value);
}
