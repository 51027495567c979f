// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_plan_cache.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

// An answer is used for this long; a failure is remembered for less.
constexpr ngx_msec_t kGoodLifetime = 300 * 1000;
constexpr ngx_msec_t kBadLifetime = 30 * 1000;
// Requests wait for the first answer, and not longer than 2 s.
constexpr ngx_msec_t kTimeout = 1500;

}  // namespace

PlanCache::~PlanCache()
{
    for (auto &[key, page] : pages_) {
        if (page->call) {
            page->call->cancel();
        }
    }
}

const PlanKind *PlanCache::kind(Endpoint &endpoint, const std::string &plan)
{
    auto &page = pages_[{&endpoint, plan}];
    if (!page) {
        page = std::make_unique<Page>();
    }
    bool due =
        page->call == nullptr
        && (!page->known
            || static_cast<ngx_msec_int_t>(ngx_current_msec - page->due) >= 0);
    if (due) {
        ask(*page, endpoint, plan);
    }
    return page->known ? &page->kind : nullptr;
}

void PlanCache::ask(Page &page, Endpoint &endpoint, const std::string &plan)
{
    CallTerms terms;
    terms.operation = Operation::plan;
    terms.plan = plan;
    terms.connect_timeout = kTimeout;
    terms.timeout = kTimeout;
    page.name = endpoint.conf().url.endpoint(plan);
    page.call =
        FacilitatorCall::start(endpoint, std::move(terms), on_reply, &page);
}

void PlanCache::on_reply(void *data, FacilitatorReply &reply)
{
    auto *page = static_cast<Page *>(data);
    page->call = nullptr;
    std::optional<PlanKind> kind = read_plan_answer(reply);
    if (kind) {
        page->kind = std::move(*kind);
    } else {
        // An old answer is better than a guess.
        log_line(NGX_LOG_WARN, ngx_cycle->log,
                 "the plan at \"" + page->name
                     + "\" does not say how it "
                       "is paid ("
                     + (reply.transport == Transport::answered
                            ? "status " + std::to_string(reply.status)
                            : reply.detail)
                     + "); " + page->kind.scheme + " is offered");
    }
    page->known = true;
    page->due = ngx_current_msec + (kind ? kGoodLifetime : kBadLifetime);
}

}  // namespace x402
