// SPDX-License-Identifier: Apache-2.0
// Where a client finds the key of a signature: a DID URL as `kid`, and the
// document of a did:web with the public keys (W3C DID Core; did:web method).
#ifndef X402_PROTOCOL_DID_DOCUMENT_HPP
#define X402_PROTOCOL_DID_DOCUMENT_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/token_signature.hpp"

namespace x402 {

struct PublishedKey {
    std::string id;  // DID URL: did:web:shop.example#key-1
    PublicKey key;
};

// Whether the text is a DID (`did:method:id`) of unreserved characters.
bool is_did(std::string_view text);
// The same with a fragment after it.
bool is_did_url(std::string_view text);
// `did:web:` of a host name; empty: the text is not the name of a host.
std::string did_of_host(std::string_view host);
// The part in front of '#'.
std::string_view did_part(std::string_view did_url);

// The document of `did`. Precondition: each key's id begins with it.
std::string did_document(std::string_view did,
                         const std::vector<PublishedKey> &keys);

}  // namespace x402

#endif
