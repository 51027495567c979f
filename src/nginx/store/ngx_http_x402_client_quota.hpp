// A payment's place in its client's share of the slots, for as long as nothing
// of it is proven. See session/address_share.hpp.
#ifndef NGX_HTTP_X402_CLIENT_QUOTA_HPP
#define NGX_HTTP_X402_CLIENT_QUOTA_HPP

#include <utility>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/address_share.hpp"

namespace x402 {

// A hash of the client's address (of its /64 network for IPv6), the same in all
// workers; 0: it has none.
std::uint32_t client_hash(const ngx_connection_t *c);

class AddressPlace {
public:
    AddressPlace() = default;
    // A place among `slots` for the client at the other end. Empty when it
    // holds its share already. Lifetime: `share` outlives the place.
    AddressPlace(AddressShare &share, const ngx_connection_t *c,
                 ngx_uint_t slots);
    AddressPlace(AddressPlace &&other) noexcept { *this = std::move(other); }
    AddressPlace &operator=(AddressPlace &&other) noexcept
    {
        std::swap(share_, other.share_);
        std::swap(address_, other.address_);
        return *this;
    }
    ~AddressPlace()
    {
        if (share_) {
            share_->leave(address_);
        }
    }
    explicit operator bool() const { return share_ != nullptr; }

private:
    AddressShare *share_ = nullptr;
    Digest address_{};
};

}  // namespace x402

#endif
