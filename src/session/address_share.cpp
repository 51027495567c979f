#include "session/address_share.hpp"

#include <algorithm>

namespace x402 {

bool AddressShare::enter(const Digest &address, std::size_t places)
{
    std::size_t share = std::max<std::size_t>(places / 4, 1);
    auto found = held_.find(address);
    if (found == held_.end()) {
        held_.emplace(address, 1);
        return true;
    }
    if (found->second >= share) {
        return false;
    }
    found->second++;
    return true;
}

void AddressShare::leave(const Digest &address) noexcept
{
    auto found = held_.find(address);
    if (found != held_.end() && --found->second == 0) {
        held_.erase(found);
    }
}

}  // namespace x402
