// SPDX-License-Identifier: Apache-2.0
// Settlements of unknown outcome that no client presents again: every second
// each worker takes those that are due (5, 15, 45 s ... after the last try) and
// asks their facilitators, with the bytes of the first time.
#ifndef NGX_HTTP_X402_SETTLE_RETRY_HPP
#define NGX_HTTP_X402_SETTLE_RETRY_HPP

#include "nginx/core/ngx_http_x402_timer.hpp"
#include "nginx/worker/ngx_http_x402_settlement.hpp"

namespace x402 {

class SettleRetry {
public:
    // Begins at once. Lifetime: part of the worker; its settlements are over
    // before it is destroyed.
    SettleRetry(Worker &worker, const LocationConf &http_conf);
    SettleRetry(const SettleRetry &) = delete;
    SettleRetry &operator=(const SettleRetry &) = delete;

    // With a store, claims go through its hands first. nullptr: none.
    void use(StoreWatch *watch) { watch_ = watch; }
    bool has_room() const;
    // Asks about a claim that this worker owns. False: it cannot be asked here.
    bool ask(ClaimRef claim, std::shared_ptr<StoreHold> hold = nullptr);
    // The payment has expired, and its outcome was never learned.
    void close(ClaimRef claim);

private:
    static void on_settled(void *data, const PaymentStep &step,
                           SettlementResult &result);
    void tick();
    bool begin(const DueClaim &due);

    Worker &worker_;
    ngx_msec_t connect_timeout_;
    ngx_msec_t settle_timeout_;
    ngx_uint_t most_;         // at once
    ngx_uint_t on_wire_ = 0;  // this worker's
    StoreWatch *watch_ = nullptr;
    Timer timer_;
};

}  // namespace x402

#endif
