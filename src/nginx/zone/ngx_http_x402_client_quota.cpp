// SPDX-License-Identifier: Apache-2.0
#include "nginx/zone/ngx_http_x402_client_quota.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

Digest name_of(const sockaddr *address)
{
    Digest name{};
    switch (address->sa_family) {
    case AF_INET: {
        auto *in = reinterpret_cast<const sockaddr_in *>(address);
        auto *bytes = reinterpret_cast<const u_char *>(&in->sin_addr);
        name[0] = 4;
        std::copy_n(bytes, 4, name.begin() + 1);
        break;
    }
#if (NGX_HAVE_INET6)
    case AF_INET6: {
        auto *in = reinterpret_cast<const sockaddr_in6 *>(address);
        const u_char *bytes = in->sin6_addr.s6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
        name[0] = mapped ? 4 : 6;
        std::copy_n(mapped ? bytes + 12 : bytes, mapped ? 4 : 8,
                    name.begin() + 1);
        break;
    }
#endif
    default:
        break;
    }
    return name;
}

}  // namespace

Digest client_name(const ngx_connection_t *c)
{
    return name_of(c->sockaddr);
}

std::uint32_t client_hash(const ngx_connection_t *c)
{
    Digest name = client_name(c);
    if (name[0] == 0) {
        return 0;
    }
    std::uint64_t hash;
    std::memcpy(&hash, name.data() + 1, sizeof(hash));
    hash = (hash ^ name[0]) * 0x9e3779b97f4a7c15ULL;
    hash = (hash ^ (hash >> 32)) * 0xbf58476d1ce4e5b9ULL;
    return static_cast<std::uint32_t>(hash >> 32);
}

QuotaSlot::QuotaSlot(SlotQuota &share, const Digest &holder, std::size_t most)
    : holder_(holder)
{
    if (share.acquire(holder_, most)) {
        share_ = &share;
    }
}

}  // namespace x402
