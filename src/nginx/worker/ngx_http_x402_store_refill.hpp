// SPDX-License-Identifier: Apache-2.0
// What a store that has lost its data learns again from the zone of this
// machine: the content that is owed, and the payments of unknown outcome. Each
// worker repeats what it wrote in the last minute (SharedStore); this is for
// what is older, and for a machine that starts with its journal.
#ifndef NGX_HTTP_X402_STORE_REFILL_HPP
#define NGX_HTTP_X402_STORE_REFILL_HPP

#include "nginx/core/ngx_http_x402_timer.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"

namespace x402 {

class StoreRefill {
public:
    // In one of the workers. Lifetime: part of the worker, which has a store.
    explicit StoreRefill(Worker &worker);
    StoreRefill(const StoreRefill &) = delete;
    StoreRefill &operator=(const StoreRefill &) = delete;

private:
    ngx_msec_t step();
    bool write_next();
    void write(const JournalRecord &record);

    Worker &worker_;
    std::uint64_t shards_ = 0;  // that are written; 0: none
    std::size_t place_ = 0;     // in the zone
    unsigned ends_ = 0;         // how often its end is still to be reached
    Timer timer_;
};

}  // namespace x402

#endif
