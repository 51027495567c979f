// How many of a worker's places among the payments in flight each client
// address holds while nothing is known of its payments. Without it one client
// with garbage could hold them all. One object for each worker; counts are
// forgotten with the process, as the places are.
#ifndef X402_SESSION_ADDRESS_SHARE_HPP
#define X402_SESSION_ADDRESS_SHARE_HPP

#include <cstddef>
#include <map>

#include "base/sha256_digest.hpp"

namespace x402 {

class AddressShare {
public:
    // One place more for the address, of which it may hold a quarter of
    // `places` (at least one). False: it holds that many; nothing is counted.
    // Memory is bounded by what is held: an address without a place is
    // forgotten. Throws std::bad_alloc.
    bool enter(const Digest &address, std::size_t places);
    // The payment was verified, or is over. Precondition: enter() said true.
    void leave(const Digest &address) noexcept;

    std::size_t addresses() const { return held_.size(); }

private:
    std::map<Digest, std::size_t> held_;
};

}  // namespace x402

#endif
