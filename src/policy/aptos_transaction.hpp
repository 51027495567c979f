// SPDX-License-Identifier: Apache-2.0
// The bytes of an Aptos payment: a transaction (BCS) and its sender's
// authenticator.
#ifndef X402_POLICY_APTOS_TRANSACTION_HPP
#define X402_POLICY_APTOS_TRANSACTION_HPP

#include <optional>
#include <string>
#include <string_view>

namespace x402 {

// The transaction in `text`, the decoded member `transaction` of the payload:
// JSON with exactly the members `transaction` and `senderAuthenticator`, arrays
// of bytes. Money: the transaction calls an entry function and ends where its
// fee payer ends. Readers of BCS ignore what follows, which would make
// another payment of the same one; the authenticator may differ. nullopt: it is
// not such a payment.
std::optional<std::string> aptos_transaction(std::string_view text);

}  // namespace x402

#endif
