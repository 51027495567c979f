// SPDX-License-Identifier: Apache-2.0
#include "policy/paywall_script.hpp"

namespace x402 {

const std::string_view kWalletStyle = R"(
.pay{margin:.9rem 0 0;display:flex;flex-wrap:wrap;gap:.5rem}
button{font:inherit;font-weight:600;padding:.5rem .9rem;border:1px solid var(--blue);border-radius:.5rem;background:var(--blue);color:var(--card);cursor:pointer}
button:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
button:disabled{opacity:.55;cursor:default}
.said{margin:1rem 0;padding:.6rem .8rem;background:var(--note);color:var(--noteink);border-radius:.4rem;overflow-wrap:anywhere}
.said:empty{display:none}
.content{margin:1rem 0}
.content pre{max-height:70vh;overflow:auto;margin:0 0 .8rem;padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:.7rem;white-space:pre-wrap;overflow-wrap:anywhere}
.content img{max-width:100%;display:block;margin:0 0 .8rem}
.content iframe{width:100%;height:75vh;margin:0 0 .8rem;background:#fff;border:1px solid var(--line);border-radius:.7rem}
)";

// The parts, in order: words, bytes, wallets, the offer, one payment, the
// content, the buttons. Money: a payment that was sent is kept until its answer
// is known to be final, and is sent again instead of signing another one.
const std::string_view kWalletScript = R"JS(
'use strict';
(function () {
var SAID = {
  insufficient_funds: 'The wallet has too little of the token on this network. Nothing was charged.',
  insufficient_balance: 'The wallet has too little of the token on this network. Nothing was charged.',
  simulation_failed: 'The transfer would fail; most often the wallet has too little of the token. Nothing was charged.',
  valid_before: 'The payment has expired; check the clock of this device. Nothing was charged.',
  validity: 'The payment is valid for too short or too long a time; check the clock of this device. Nothing was charged.',
  signature: 'The signature was not accepted. Nothing was charged.',
  payment_already_used: 'This payment has been used already.',
  'No matching': 'The price has changed. Load the page again. Nothing was charged.'
};
var main = document.querySelector('main');
var list = document.querySelectorAll('main > ul > li');
var said = document.createElement('p');
said.className = 'said';
said.setAttribute('role', 'status');
said.setAttribute('dir', 'auto');
var wallets = [];
var offer = null;
var pending = null;
var busy = false;
var done = false;

function say(text) { said.textContent = text; }

function inWords(reason) {
  reason = String(reason || '');
  for (var key in SAID) if (reason.indexOf(key) >= 0) return SAID[key];
  return 'The payment was refused' + (reason ? ': ' + reason : '') + '.';
}

function fromBase64(text) {
  var bytes = Uint8Array.from(atob(text), function (c) { return c.charCodeAt(0); });
  return JSON.parse(new TextDecoder().decode(bytes));
}

function toBase64(value) {
  var text = '';
  new TextEncoder().encode(JSON.stringify(value)).forEach(function (byte) { text += String.fromCharCode(byte); });
  return btoa(text);
}

function header(response, name) {
  var value = response.headers.get(name);
  if (!value) return null;
  try { return fromBase64(value); } catch (problem) { return null; }
}

function payable(way) {
  var extra = way.extra || {};
  return way.scheme === 'exact' && /^eip155:[1-9][0-9]{0,15}$/.test(way.network)
    && (!extra.assetTransferMethod || extra.assetTransferMethod === 'eip3009')
    && typeof extra.name === 'string' && typeof extra.version === 'string'
    && /^0x[0-9a-fA-F]{40}$/.test(way.asset) && /^0x[0-9a-fA-F]{40}$/.test(way.payTo)
    && /^[0-9]{1,78}$/.test(way.amount);
}

function typed(way, from) {
  var random = crypto.getRandomValues(new Uint8Array(32));
  var nonce = '0x';
  random.forEach(function (byte) { nonce += (byte + 256).toString(16).slice(1); });
  return {
    domain: {
      name: way.extra.name, version: way.extra.version,
      chainId: Number(way.network.slice(7)), verifyingContract: way.asset
    },
    primaryType: 'TransferWithAuthorization',
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' }, { name: 'version', type: 'string' },
        { name: 'chainId', type: 'uint256' }, { name: 'verifyingContract', type: 'address' }
      ],
      TransferWithAuthorization: [
        { name: 'from', type: 'address' }, { name: 'to', type: 'address' }, { name: 'value', type: 'uint256' },
        { name: 'validAfter', type: 'uint256' }, { name: 'validBefore', type: 'uint256' }, { name: 'nonce', type: 'bytes32' }
      ]
    },
    message: {
      from: from, to: way.payTo, value: way.amount, validAfter: '0',
      validBefore: String(Math.floor(Date.now() / 1000) + way.maxTimeoutSeconds), nonce: nonce
    }
  };
}

async function askOffer() {
  var response = await fetch(location.href, { headers: { Accept: 'application/json' }, cache: 'no-store' });
  if (response.status !== 402) return { response: response };
  return { offer: header(response, 'PAYMENT-REQUIRED') };
}

async function useNetwork(wallet, way) {
  var wanted = Number(way.network.slice(7));
  var now = await wallet.request({ method: 'eth_chainId' });
  if (Number(now) === wanted) return;
  say('Please allow the wallet to change its network.');
  await wallet.request({ method: 'wallet_switchEthereumChain', params: [{ chainId: '0x' + wanted.toString(16) }] });
}

async function sign(wallet, way) {
  say('Please choose an account in the wallet.');
  var accounts = await wallet.request({ method: 'eth_requestAccounts' });
  if (!accounts || !accounts.length) throw new Error('the wallet has no account');
  await useNetwork(wallet, way);
  say('Please sign the payment in the wallet. A signature costs no fee.');
  var data = typed(way, accounts[0]);
  var signature = await wallet.request({
    method: 'eth_signTypedData_v4', params: [accounts[0], JSON.stringify(data)]
  });
  var payment = {
    x402Version: 2, resource: offer.resource, accepted: way,
    payload: { signature: signature, authorization: data.message }
  };
  if (offer.extensions) payment.extensions = offer.extensions;
  return { header: toBase64(payment), validBefore: Number(data.message.validBefore) };
}

// Sent as it was signed until it is known what became of it.
async function send(payment) {
  pending = payment;
  say('Paying.');
  var response;
  try {
    response = await fetch(location.href, {
      headers: { 'PAYMENT-SIGNATURE': payment.header, Accept: 'text/html,*/*;q=0.8' }, cache: 'no-store'
    });
  } catch (problem) {
    say('The connection broke. The payment may have been made: press the button again, it will not be charged twice.');
    return;
  }
  if (response.status === 409 || response.status === 503 || response.status === 504) {
    say('The server is not ready (' + response.status
      + '). The payment may have been made: wait a moment and press the button again, it will not be charged twice.');
    return;
  }
  pending = null;
  if (response.status === 402 || response.status === 403 || response.status === 412) {
    var fresh = header(response, 'PAYMENT-REQUIRED');
    var reason = fresh && fresh.error;
    if (!reason) try { reason = (await response.json()).error; } catch (problem) { reason = ''; }
    offer = fresh || offer;
    say(inWords(reason));
    return;
  }
  if (!response.ok && !header(response, 'PAYMENT-RESPONSE')) {
    say('The content failed (' + response.status + '). Nothing was charged.');
    return;
  }
  await show(response);
}

function fileName(response) {
  var match = /filename="?([^";]+)"?/i.exec(response.headers.get('Content-Disposition') || '');
  return match ? match[1] : decodeURIComponent(location.pathname.split('/').pop()) || 'content';
}

async function show(response) {
  done = true;
  var receipt = header(response, 'PAYMENT-RESPONSE');
  say('Paid. Receiving the content.');
  var blob = await response.blob();
  var type = (response.headers.get('Content-Type') || '').split(';')[0].trim().toLowerCase();
  var box = document.createElement('section');
  box.className = 'content';
  if (type === 'text/html') {
    var frame = document.createElement('iframe');
    frame.setAttribute('sandbox', '');
    frame.title = 'The content';
    frame.srcdoc = await blob.text();
    box.appendChild(frame);
  } else if (/^image\/(png|jpeg|gif|webp|avif)$/.test(type)) {
    var image = document.createElement('img');
    image.alt = 'The content';
    image.src = URL.createObjectURL(blob);
    box.appendChild(image);
  } else if (/^text\/|[\/+](json|xml)$/.test(type)) {
    var text = document.createElement('pre');
    text.setAttribute('dir', 'auto');
    text.textContent = await blob.slice(0, 1048576).text();
    box.appendChild(text);
  }
  var save = document.createElement('a');
  save.href = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  save.download = fileName(response);
  save.textContent = 'Save the content (' + blob.size + ' bytes)';
  box.appendChild(save);
  said.after(box);
  while (box.nextSibling) box.nextSibling.remove();
  document.querySelectorAll('.status, .reason').forEach(function (part) { part.remove(); });
  document.title = document.querySelector('h1').textContent = 'Paid';
  say('Paid' + (receipt && receipt.transaction ? '. Transaction: ' + receipt.transaction : '') + '.');
}

async function pay(wallet, index) {
  if (busy || done) return;
  busy = true;
  draw();
  try {
    if (pending && pending.validBefore * 1000 > Date.now()) {
      await send(pending);
    } else {
      pending = null;
      await send(await sign(wallet, offer.accepts[index]));
    }
  } catch (problem) {
    var code = problem && problem.code;
    if (code === 4001) say('You declined in the wallet. Nothing was charged.');
    else if (code === 4902) say('The wallet does not know this network. Add it there, then press the button again.');
    else if (code === -32002) say('The wallet waits for you: open it.');
    else say('The wallet could not sign: ' + ((problem && problem.message) || problem) + '. Nothing was charged.');
  }
  busy = false;
  draw();
}

function button(text, act) {
  var made = document.createElement('button');
  made.type = 'button';
  made.disabled = busy;
  made.textContent = text;
  made.addEventListener('click', act);
  return made;
}

function draw() {
  if (done || !offer || offer.accepts.length !== list.length) return;
  offer.accepts.forEach(function (way, index) {
    var old = list[index].querySelector('.pay');
    if (old) old.remove();
    if (!payable(way)) return;
    var row = document.createElement('p');
    row.className = 'pay';
    wallets.forEach(function (wallet) {
      var price = list[index].querySelector('strong').textContent;
      row.appendChild(button('Pay ' + price + ' with ' + wallet.name, function () { pay(wallet.provider, index); }));
    });
    list[index].appendChild(row);
  });
}

function add(name, provider) {
  if (!provider || typeof provider.request !== 'function') return;
  if (wallets.some(function (known) { return known.provider === provider; })) return;
  wallets.push({ name: String(name).slice(0, 40), provider: provider });
  draw();
}

async function start() {
  main.querySelector('h2').before(said);
  window.addEventListener('eip6963:announceProvider', function (event) {
    if (event.detail && event.detail.info) add(event.detail.info.name, event.detail.provider);
  });
  window.dispatchEvent(new Event('eip6963:requestProvider'));
  var asked = await askOffer();
  if (asked.response) { if (asked.response.ok) await show(asked.response); return; }
  offer = asked.offer;
  if (!offer || !Array.isArray(offer.accepts)) return;
  setTimeout(function () {
    if (!wallets.length) add('your wallet', window.ethereum);
    if (!offer.accepts.some(payable)) say('None of these ways to pay can be used from a browser.');
    else if (!wallets.length) say('To pay here, install a wallet in this browser, and load the page again.');
  }, 300);
  draw();
}

start().catch(function (problem) { say('This page cannot pay: ' + problem.message); });
})();
)JS";

}  // namespace x402
