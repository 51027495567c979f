// SPDX-License-Identifier: Apache-2.0
// The official clients, and the halves of them that tests use one by one.

import './webcrypto.mjs';
import axios from 'axios';
import { wrapAxiosWithPayment, x402Client as axiosClient } from '@x402/axios';
import { wrapFetchWithPayment, x402Client, x402HTTPClient } from '@x402/fetch';
import { decodePaymentRequiredHeader, decodePaymentResponseHeader } from '@x402/core/http';
import { ExactEvmScheme } from '@x402/evm';
import { ExactEvmSchemeV1 } from '@x402/evm/v1';
import { decodeXPaymentResponse, wrapFetchWithPayment as wrapFetchV1 } from 'x402-fetch';

const clientOf = (account) => new x402Client().register('eip155:*', new ExactEvmScheme(account));

// fetch() that pays when it is asked to.
export const payingFetch = (account) => wrapFetchWithPayment(fetch, clientOf(account));

// The same for any scheme of the official interface.
export const payingFetchBy = (network, scheme) =>
    wrapFetchWithPayment(fetch, new x402Client().register(network, scheme));

// The same for a client that has been told of one network only.
export const payingFetchOn = (chain, account) => payingFetchBy(chain.network, new ExactEvmScheme(account));

// The present client in the words of version 1.
export const payingFetchAsV1 = (chain, account) =>
    wrapFetchWithPayment(fetch, new x402Client().registerV1(chain.name, new ExactEvmSchemeV1(account)));

// axios that pays when it is asked to.
export const payingAxios = (account) => wrapAxiosWithPayment(
    axios.create({ proxy: false }),
    new axiosClient().register('eip155:*', new ExactEvmScheme(account)),
);

// The client of version 1. It pays on the network its wallet is on.
export const payingFetchV1 = (chain, account, through = fetch) => wrapFetchV1(through, chain.writer(account));

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

// The same in version 1, whose client does not show what it signed: the value of X-PAYMENT, caught on its way out.
export async function signedForV1(chain, account, url) {
    let header;
    const catching = async (input, init) => {
        header = init?.headers?.['X-PAYMENT'];
        return header ? new Response() : fetch(input, init);
    };
    await payingFetchV1(chain, account, catching)(url);
    return header;
}

// The header's own value, decoded by the official decoder; nothing when there is none.
export const offerOf = (response) => decoded(response, 'payment-required', decodePaymentRequiredHeader);
export const receiptOf = (response) => decoded(response, 'payment-response', decodePaymentResponseHeader);
export const receiptOfV1 = (response) => decoded(response, 'x-payment-response', decodeXPaymentResponse);

function decoded(response, name, decode) {
    const value = response.headers.get(name);
    return value === null ? undefined : decode(value);
}

// What is in a payment header, and a payment header with that in it.
export const openedPayment = (header) => JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
export const sealedPayment = (payment) => Buffer.from(JSON.stringify(payment)).toString('base64');
