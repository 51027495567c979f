// SPDX-License-Identifier: Apache-2.0
// A pass: what a settled payment opens for a time (x402_pass). The seller
// writes it, the client brings it back, and nothing is remembered of it but the
// requests that it is still good for, if they are counted (pass_table).
//
// On the wire it is base64 of: version, flags, issued and lifetime, id, the
// binding (scope, terms, amount asked), payer, HMAC-SHA256 over all before.
// Numbers are big-endian. A client that has the bytes has the pass, so that
// they are not logged.
#ifndef X402_SESSION_ACCESS_PASS_HPP
#define X402_SESSION_ACCESS_PASS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_memory.hpp"
#include "policy/refusal_words.hpp"
#include "session/claim_binding.hpp"

namespace x402 {

using PassId = std::array<std::uint8_t, 16>;

struct AccessPass {
    PassId id{};                // one for each payment
    std::int64_t issued = 0;    // unix seconds
    std::uint32_t seconds = 0;  // that it is good for
    bool counted = false;       // good while its counter lasts
    // `resource` is the scope that it opens; `paid` does not matter.
    ClaimBinding bought;
    std::string payer;  // at most kLongestPassPayer bytes

    std::int64_t expires() const
    {
        return issued + static_cast<std::int64_t>(seconds);
    }
};

constexpr std::size_t kLongestPassPayer = 128;
// The clock of the machine that issued it may be ahead by so much.
constexpr std::int64_t kPassClockSeconds = 60;

// In the order in which they are looked for.
enum class PassFault {
    none,
    malformed,
    forged,   // by none of the keys
    not_yet,  // issued in the future: clocks differ
    expired,
    other_scope,  // bought elsewhere
    other_price,  // for less, or in other money, than is asked for now
    unknown,      // its counter is gone
    used_up,
};

// What its client is told; nullptr for none.
const RefusalWord *pass_refusal(PassFault fault);

// The text of a pass. `key`: 32 bytes or more.
std::string write_pass(const AccessPass &pass, std::string_view key);

// The first one seals, all are accepted; each has 32 bytes or more.
using PassKeys = std::vector<std::shared_ptr<const SecretText>>;

struct ShownPass {
    PassFault fault = PassFault::none;  // malformed, forged, not_yet or expired
    // nullptr: there is a fault. Lifetime: until the next one is read.
    const AccessPass *pass = nullptr;
};

// Reads a text that a client sent, under any of the keys. A text that was good
// lately is known by its bytes.
ShownPass read_pass(std::string_view text, const PassKeys &keys,
                    std::int64_t now);

// The id of the pass that a payment buys, however often its content is
// delivered. `payment` is the key of its claim.
PassId pass_id_of(const Digest &payment);

}  // namespace x402

#endif
