// SPDX-License-Identifier: Apache-2.0
// The terms of all servers here: the same words in every offer, so that one
// file of payments fits all servers.
export const payTo = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
export const network = 'eip155:84532';
export const price = '$0.01';
export const amount = '10000';
export const asset = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
export const extra = { name: 'USDC', version: '2' };
export const timeout = 3600; // seconds; a payment file serves a whole run
