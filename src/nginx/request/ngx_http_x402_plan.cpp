#include "nginx/request/ngx_http_x402_plan.hpp"

#include <map>
#include <memory>

#include "facilitator/credit_answers.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

namespace {

// What was heard is good for this long; a failure for less.
constexpr ngx_msec_t kGoodLifetime = 300 * 1000;
constexpr ngx_msec_t kBadLifetime = 30 * 1000;
// Requests wait for the first answer, and not longer than 2 s.
constexpr ngx_msec_t kTimeout = 1500;

}  // namespace

// Owned by the worker; its calls end with it.
class PlanCache {
public:
    ~PlanCache()
    {
        for (auto &[key, page] : pages_) {
            if (page->call) {
                page->call->cancel();
            }
        }
    }

    // nullptr: nothing is known yet, it is being asked for. What is known stays
    // in use while it is asked for again. Lifetime: until the next turn of the
    // event loop.
    const PlanKind *kind(Endpoint &endpoint, const std::string &plan)
    {
        auto &page = pages_[{&endpoint, plan}];
        if (!page) {
            page = std::make_unique<Page>();
        }
        bool due =
            page->call == nullptr
            && (!page->known
                || static_cast<ngx_msec_int_t>(ngx_current_msec - page->due)
                       >= 0);
        if (due) {
            ask(*page, endpoint, plan);
        }
        return page->known ? &page->kind : nullptr;
    }

private:
    struct Page {
        bool known = false;
        PlanKind kind;
        ngx_msec_t due = 0;
        FacilitatorCall *call = nullptr;
        std::string name;  // for the log
    };

    static void ask(Page &page, Endpoint &endpoint, const std::string &plan)
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

    static void on_reply(void *data, FacilitatorReply &reply)
    {
        auto *page = static_cast<Page *>(data);
        page->call = nullptr;
        std::optional<PlanKind> told = read_plan_answer(reply);
        if (told) {
            page->kind = std::move(*told);
        } else {
            // What was heard before is better than a guess.
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
        page->due = ngx_current_msec + (told ? kGoodLifetime : kBadLifetime);
    }

    std::map<std::pair<Endpoint *, std::string>, std::unique_ptr<Page>> pages_;
};

Result<PaymentRequirements> plan_now(ngx_http_request_t *r,
                                     const LocationTerm &term, bool &waiting)
{
    PlanTerms terms = *term.plan;
    if (!evaluate(r, term.credits, terms.credits)) {
        return Problem{"a variable could not be evaluated"};
    }
    if (term.credits && terms.credits.empty()) {
        return Problem{"the number of credits is empty: give the map a "
                       "default"};
    }
    if (!terms.is_open()) {
        return plan_requirements(terms);
    }
    Worker *worker = worker_of(main_conf(r));
    if (worker == nullptr) {
        return Problem{"this worker cannot ask for the plan"};
    }
    if (!worker->plans) {
        worker->plans = std::make_shared<PlanCache>();
    }
    const PlanKind *kind =
        worker->plans->kind(worker->endpoint_of(*term.plan_pages), terms.plan);
    waiting = kind == nullptr;
    return plan_requirements(terms, kind ? *kind : PlanKind());
}

}  // namespace x402
