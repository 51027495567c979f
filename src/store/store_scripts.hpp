// SPDX-License-Identifier: Apache-2.0
// The scripts that run inside the store (src/store/lua): each is one step of a
// claim that several machines share, and is atomic there.
//
// A script is called by EVALSHA; a store that does not know it (after a restart
// or a failover) says NOSCRIPT, and the caller repeats the call once with the
// text, by EVAL, which teaches it. Texts of two releases have other digests, so
// that both may run beside each other.
#ifndef X402_STORE_STORE_SCRIPTS_HPP
#define X402_STORE_STORE_SCRIPTS_HPP

#include <cstdint>
#include <string>

namespace x402 {

enum class StoreScript : std::uint8_t {
    take,
    settling,
    paid,
    finish,
    resume,
    takeover,
    renew,
    unproven,
    name,
    due,
    supported,
    pass,
    nonce,
    bought,
};
constexpr unsigned kStoreScripts = 14;

// Of the script, as a word for a log line.
const char *store_script_name(StoreScript script);
// The whole text: its line of flags, what all scripts share, and its own part.
// Made at the first call. Lifetime: until the process ends.
const std::string &store_script_text(StoreScript script);
// SHA-1 of the text in hex, for EVALSHA. Lifetime as above. Throws
// std::bad_alloc if OpenSSL has no memory.
const std::string &store_script_sha1(StoreScript script);

}  // namespace x402

#endif
