// SPDX-License-Identifier: Apache-2.0
#include "session/slot_quota.hpp"

#include <algorithm>
#include <utility>

namespace x402 {

bool SlotQuota::acquire(const Digest &holder, std::size_t most)
{
    auto found = held_.find(holder);
    if (found == held_.end()) {
        if (spare_) {
            spare_.key() = holder;
            spare_.mapped() = 1;
            held_.insert(std::move(spare_));
        } else {
            held_.emplace(holder, 1);
        }
        return true;
    }
    if (found->second >= std::max<std::size_t>(most, 1)) {
        return false;
    }
    found->second++;
    return true;
}

void SlotQuota::release(const Digest &holder) noexcept
{
    auto found = held_.find(holder);
    if (found != held_.end() && --found->second == 0) {
        spare_ = held_.extract(found);
    }
}

}  // namespace x402
