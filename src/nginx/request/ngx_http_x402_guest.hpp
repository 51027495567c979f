// SPDX-License-Identifier: Apache-2.0
// A client that comes back after it has paid, and what it has to show for it.
#ifndef NGX_HTTP_X402_GUEST_HPP
#define NGX_HTTP_X402_GUEST_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "session/access_pass.hpp"

namespace x402 {

enum class GuestKind {
    buyer,      // this very request paid, and got a pass
    pass,       // let in by a pass
    signed_in,  // let in by a signature, for what was bought before
};

struct Guest {
    GuestKind kind = GuestKind::pass;
    std::string payer;                  // as $x402_payer has it; may be empty
    ClaimBinding bought;                // what was paid for
    std::int64_t expires = 0;           // unix seconds
    std::optional<std::uint32_t> left;  // of a counted pass
};

// Money: content leaves, money has moved for it, and a transaction proves that.
// What is not delivered is owed; what is unproven has none.
bool is_proven_sale(const RequestCtx &ctx);

// What was paid for with this payment. Precondition: is_proven_sale().
const ClaimBinding &sold_binding(const Payment &payment);

// When it was paid, unix seconds: a repeated delivery sells nothing.
// Precondition: is_proven_sale().
std::int64_t settled_at(const RequestCtx &ctx);

// Its payer in one spelling, as $x402_payer has it.
std::string proven_payer(const RequestCtx &ctx);

}  // namespace x402

#endif
