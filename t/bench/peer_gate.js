// SPDX-License-Identifier: Apache-2.0
// What a skilled operator would write in njs: 402, verify, content, settle, by
// subrequests. A peer in speed only: it compares six members, guards no replay
// and knows no unknown outcome.
var ACCEPT = {
    scheme: 'exact', network: 'eip155:84532', amount: '10000',
    asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
    payTo: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C', maxTimeoutSeconds: 3600,
    extra: { name: 'USDC', version: '2' }
};
var MEMBERS = ['scheme', 'network', 'amount', 'asset', 'payTo', 'maxTimeoutSeconds'];

function demand(r, error) {
    var offer = {
        x402Version: 2, error: error,
        resource: { url: r.variables.scheme + '://' + r.headersIn.Host + r.variables.request_uri,
                    description: '', mimeType: '' },
        accepts: [ACCEPT]
    };
    r.headersOut['PAYMENT-REQUIRED'] = Buffer.from(JSON.stringify(offer)).toString('base64');
    r.headersOut['Cache-Control'] = 'no-store';
    r.headersOut['Content-Type'] = 'application/json';
    r.return(402, '{}');
}

function read(header) {
    try {
        return JSON.parse(Buffer.from(header, 'base64').toString());
    } catch (e) {
        return null;
    }
}

async function sell(r) {
    var header = r.headersIn['PAYMENT-SIGNATURE'];
    if (!header) {
        return demand(r, 'Payment required');
    }
    var payment = read(header);
    if (!payment || !payment.accepted
        || !MEMBERS.every(function(name) { return payment.accepted[name] === ACCEPT[name]; })) {
        return demand(r, 'No matching payment requirements');
    }
    var body = JSON.stringify({ x402Version: 2, paymentPayload: payment, paymentRequirements: ACCEPT });
    var verified = await r.subrequest('/_verify', { method: 'POST', body: body });
    if (verified.status !== 200 || JSON.parse(verified.responseText).isValid !== true) {
        return demand(r, 'refused');
    }
    var content = await r.subrequest('/_content' + r.uri, { method: 'GET' });
    var settled = await r.subrequest('/_settle', { method: 'POST', body: body });
    var receipt = settled.status === 200 ? settled.responseText : '{}';
    if (JSON.parse(receipt).success !== true) {
        return demand(r, 'not settled');
    }
    r.headersOut['PAYMENT-RESPONSE'] = Buffer.from(receipt).toString('base64');
    r.headersOut['Cache-Control'] = 'private';
    r.headersOut['Content-Type'] = 'text/plain';
    r.return(content.status, content.responseText);
}

export default { sell };
