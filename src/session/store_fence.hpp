// SPDX-License-Identifier: Apache-2.0
// Shared memory that a process may be killed in the middle of changing.
#ifndef X402_SESSION_STORE_FENCE_HPP
#define X402_SESSION_STORE_FENCE_HPP

#include <atomic>

namespace x402 {

// The compiler must not move a store over the one that says that it was made.
inline void store_fence()
{
    std::atomic_thread_fence(std::memory_order_release);
}

}  // namespace x402

#endif
