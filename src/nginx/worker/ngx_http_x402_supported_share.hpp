// SPDX-License-Identifier: Apache-2.0
// What facilitators support, as the machines that share a store have heard it
// (x402_store): a client that got its offer at one machine pays at another,
// also while the facilitator names another fee payer to each of them.
//
// Money: a text of the store goes through the checks of a facilitator's answer,
// and is never offered. It only lets a payment be verified that was made for
// it; the facilitator says whether the payment is good.
#ifndef NGX_HTTP_X402_SUPPORTED_SHARE_HPP
#define NGX_HTTP_X402_SUPPORTED_SHARE_HPP

#include <memory>
#include <string>
#include <vector>

#include "nginx/worker/ngx_http_x402_shared_store.hpp"
#include "nginx/worker/ngx_http_x402_supported.hpp"

namespace x402 {

class SupportedShare {
public:
    using Kinds = std::vector<std::shared_ptr<const SupportedKinds>>;

    // Begins to ask. Lifetime: part of the worker, and gone before its store.
    explicit SupportedShare(Worker &worker);
    ~SupportedShare();
    SupportedShare(const SupportedShare &) = delete;
    SupportedShare &operator=(const SupportedShare &) = delete;

    // What machines have heard of this facilitator in the last ten minutes.
    const Kinds &heard(const FacilitatorConf &conf) const;
    // Changes with any of it.
    std::uint64_t generation() const { return generation_; }

private:
    struct Topic;

    void tick();
    void ask(Topic &topic);
    bool lacks_own_text(const Topic &topic, const SharedTexts &shared);
    void answered(Topic &topic, const RespReply &reply);
    static void on_answer(void *data, RedisEnd end, const RespReply &reply);

    Worker &worker_;
    std::vector<std::unique_ptr<Topic>> topics_;  // by facilitator
    std::uint64_t generation_ = 1;
    Timer tick_;
};

}  // namespace x402

#endif
