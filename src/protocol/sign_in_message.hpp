// SPDX-License-Identifier: Apache-2.0
// The extension sign-in-with-x (x402 v2): what an offer declares, what a wallet
// signs, and what comes back in the header SIGN-IN-WITH-X. The message is
// CAIP-122 (for EVM accounts EIP-4361).
//
// A message is written from what the server says, never from what a client
// sent: of the client's text only address and chain are in it.
#ifndef X402_PROTOCOL_SIGN_IN_MESSAGE_HPP
#define X402_PROTOCOL_SIGN_IN_MESSAGE_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace x402 {

constexpr std::string_view kSignInExtension = "sign-in-with-x";

// Accounts of a chain by its CAIP-2 id: eip191 or ed25519. nullptr: accounts of
// that family cannot sign in.
const char *sign_in_type(std::string_view chain);

struct SignInTerms {
    std::string domain;     // host, and port unless it is the scheme's own
    std::string uri;        // of the resource
    std::string statement;  // empty: none
    std::string nonce;      // letters and digits
    std::string issued_at;  // RFC 3339
    std::string expires_at;
};

// {"info":{...},"supportedChains":[...],"schema":{...}}. `chains`: CAIP-2 ids
// that have a type.
std::string sign_in_declaration(const SignInTerms &terms,
                                const std::vector<std::string_view> &chains);

// The text to be signed. Precondition: `chain` has a type.
std::string sign_in_text(const SignInTerms &terms, std::string_view address,
                         std::string_view chain);

// What a client sent.
struct SignInProof {
    SignInTerms terms;
    std::string version;
    std::string address;
    std::string chain;  // CAIP-2
    std::string type;
    std::string signature;
};

// Reads the header's value. Problem: not base64, not a JSON object, a member
// that is missing or no text, a member that this server never offers
// (notBefore, requestId), more than 4 KB.
Result<SignInProof> parse_sign_in(std::string_view header);

}  // namespace x402

#endif
