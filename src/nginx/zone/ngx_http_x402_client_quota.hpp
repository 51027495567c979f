// SPDX-License-Identifier: Apache-2.0
// A payment's place in a share of the slots: of its client's address while
// nothing of it is proven, of address and payer while its content is made. See
// session/slot_quota.hpp.
#ifndef NGX_HTTP_X402_CLIENT_QUOTA_HPP
#define NGX_HTTP_X402_CLIENT_QUOTA_HPP

#include <utility>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/slot_quota.hpp"

namespace x402 {

// The client that an address stands for: all of an IPv4 address; of IPv6 the
// network of 64 bits, which one customer has at least; for other families one
// client for all. No payer has this digest: it is not a SHA-256.
Digest client_name(const ngx_connection_t *c);

// A hash of the client's address (of its /64 network for IPv6), the same in all
// workers; 0: it has none.
std::uint32_t client_hash(const ngx_connection_t *c);

class QuotaSlot {
public:
    QuotaSlot() = default;
    // A place for the holder, which may have `most`. Empty when it has as many.
    // Lifetime: `share` outlives the place.
    QuotaSlot(SlotQuota &share, const Digest &holder, std::size_t most);
    // In the share of unproven payments: a quarter of `slots` for each client.
    QuotaSlot(SlotQuota &share, const ngx_connection_t *c, ngx_uint_t slots)
        : QuotaSlot(share, client_name(c), slots / 4)
    {
    }
    QuotaSlot(QuotaSlot &&other) noexcept { *this = std::move(other); }
    QuotaSlot &operator=(QuotaSlot &&other) noexcept
    {
        std::swap(share_, other.share_);
        std::swap(holder_, other.holder_);
        return *this;
    }
    ~QuotaSlot()
    {
        if (share_) {
            share_->release(holder_);
        }
    }
    explicit operator bool() const { return share_ != nullptr; }

private:
    SlotQuota *share_ = nullptr;
    Digest holder_{};
};

}  // namespace x402

#endif
