// SPDX-License-Identifier: Apache-2.0
// Challenges of MPP (HTTP authentication scheme "Payment", method evm, intent
// charge). A challenge is bound by its id, an HMAC over all that it says and
// over the resource it was made for, so that nothing is stored for it.
#ifndef X402_PROTOCOL_MPP_CHALLENGE_HPP
#define X402_PROTOCOL_MPP_CHALLENGE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/payment_requirements.hpp"

namespace x402 {

// Lifetime: borrowed for the call.
struct MppServer {
    std::string_view key;
    std::string_view previous_key;  // empty: none
    std::string_view realm;
    // What is bought; part of the id, and never sent.
    std::string_view resource;
    // Only to make challenges: unix time in seconds, and random text that makes
    // two challenges of one second different payments.
    std::int64_t now = 0;
    std::string_view salt = {};
};

// As a credential repeats it; `request` and `opaque` are base64url.
struct MppChallenge {
    std::string_view id;
    std::string_view realm;
    std::string_view method;
    std::string_view intent;
    std::string_view request;
    std::string_view expires;
    std::string_view opaque;
};

constexpr std::string_view kMppMethod = "evm";
constexpr std::string_view kMppIntent = "charge";

// The scheme's word, in any case, alone or with a blank after it.
bool is_payment_credential(std::string_view header_value);

// EIP-3009 on a network of EVM.
bool has_mpp_words(const PaymentRequirements &option);

// One challenge as a value of WWW-Authenticate. Precondition: has_mpp_words().
std::string mpp_challenge(const MppServer &server,
                          const PaymentRequirements &option);

// Whether the id is the module's own for this resource, in time that does not
// depend on where it differs. Not whether it has expired.
bool is_own_challenge(const MppServer &server, const MppChallenge &challenge);

// "2026-11-28T08:44:52.000Z" of whole seconds; nullopt: another form.
std::optional<std::int64_t> mpp_expiry(std::string_view text);

}  // namespace x402

#endif
