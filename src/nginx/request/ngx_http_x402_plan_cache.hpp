// SPDX-License-Identifier: Apache-2.0
// The plans whose own pages say how they are paid, as one worker knows them.
#ifndef NGX_HTTP_X402_PLAN_CACHE_HPP
#define NGX_HTTP_X402_PLAN_CACHE_HPP

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "facilitator/credit_answers.hpp"
#include "nginx/call/ngx_http_x402_facilitator_call.hpp"

namespace x402 {

// Owned by the worker; its calls end with it.
class PlanCache {
public:
    ~PlanCache();

    // nullptr: nothing is known yet, and a request is on its way. An old answer
    // stays in use while a new one is requested. Lifetime: until the next turn
    // of the event loop.
    const PlanKind *kind(Endpoint &endpoint, const std::string &plan);

private:
    struct Page {
        bool known = false;
        PlanKind kind;
        ngx_msec_t due = 0;
        FacilitatorCall *call = nullptr;
        std::string name;  // for the log
    };

    static void ask(Page &page, Endpoint &endpoint, const std::string &plan);
    static void on_reply(void *data, FacilitatorReply &reply);

    std::map<std::pair<Endpoint *, std::string>, std::unique_ptr<Page>> pages_;
};

}  // namespace x402

#endif
