// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_offer_now.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/request/ngx_http_x402_batch.hpp"
#include "nginx/request/ngx_http_x402_offer_supported.hpp"
#include "nginx/request/ngx_http_x402_plan_cache.hpp"
#include "nginx/request/ngx_http_x402_request_body.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"
#include "policy/supported_extra.hpp"

namespace x402 {

namespace {

// A price may be made from $x402_offer, which is made from the price. nginx
// would end that at its hundredth round: too late where each round has several
// prices.
class NestedOffer {
public:
    NestedOffer() : is_inner_(running_)
    {
        running_ = true;
        is_circular_ = is_inner_;
    }
    ~NestedOffer() { running_ = is_inner_; }
    NestedOffer(const NestedOffer &) = delete;
    NestedOffer &operator=(const NestedOffer &) = delete;

    bool is_inner() const { return is_inner_; }
    static bool is_circular() { return is_circular_; }

private:
    static inline bool running_ = false;
    static inline bool is_circular_ = false;
    bool is_inner_;
};

constexpr char kMadeFromItself[] =
    "it is made from $x402_offer, which is made from it";

// The requirement of a term with a plan, variables evaluated. `waiting`: the
// plan's page was requested and its answer is expected; nothing is made then.
// Problem: the credits are not a number.
Result<PaymentRequirements> plan_now(ngx_http_request_t *r,
                                     const LocationTerm &term, bool &waiting)
{
    PlanTerms terms = *term.plan;
    if (!evaluate(r, term.credits, terms.credits)) {
        return Problem{"a variable could not be evaluated"};
    }
    if (NestedOffer::is_circular()) {
        return Problem{kMadeFromItself};
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

void log_unusable(ngx_http_request_t *r, const LocationTerm &term,
                  const Problem &problem)
{
    log_line(NGX_LOG_ERR, r->connection->log,
             "no offer can be made, answered 500: " + log_excerpt(problem.text)
                 + " (from variables in " + copy(term.origin.file) + ":"
                 + std::to_string(term.origin.line) + ")");
}

// The words of one term, its variables evaluated. Lifetime: the request.
struct TermValues {
    std::string_view price;
    std::string_view amount;
    std::string_view pay_to;
};

// An empty value is refused; `free`: the price is the word "free".
std::optional<Problem> evaluate_term(ngx_http_request_t *r,
                                     const LocationTerm &term,
                                     TermValues &values, bool &free)
{
    if (!evaluate(r, term.price, values.price)
        || !evaluate(r, term.amount, values.amount)
        || !evaluate(r, term.pay_to, values.pay_to)) {
        return Problem{"a variable could not be evaluated"};
    }
    const RequestCtx *ctx = find_ctx(r);
    if (ctx && ctx->body_missed) {
        return Problem{std::string(kBodyMissed)};
    }
    if (NestedOffer::is_circular()) {
        return Problem{kMadeFromItself};
    }
    if (term.price && values.price == "free") {
        free = true;
        return std::nullopt;
    }
    if (term.price && values.price.empty()) {
        return Problem{"the price is empty: give the map a default"};
    }
    if (term.amount && values.amount.empty()) {
        return Problem{"the amount is empty: give the map a default"};
    }
    if (term.pay_to && values.pay_to.empty()) {
        return Problem{"pay_to is empty: give the map a default"};
    }
    return std::nullopt;
}

// The values are checked like constants.
Result<PaymentRequirements> requirements_of(const LocationTerm &term,
                                            const TermValues &values)
{
    AcceptTerms terms = term.terms;
    if (term.price) {
        terms.price = values.price;
    }
    if (term.amount) {
        terms.amount = values.amount;
    }
    if (term.pay_to) {
        terms.pay_to = values.pay_to;
    }
    return build_requirements(terms);
}

// No two rows of values have the same text.
void append_values(std::string &text, const TermValues &values)
{
    for (std::string_view value :
         {values.price, values.amount, values.pay_to}) {
        text.append(std::to_string(value.size())).push_back(':');
        text.append(value);
    }
}

// Evaluated one after the other: a term that is free ends it.
OfferState evaluate_terms(ngx_http_request_t *r, const LocationOffer &location,
                          std::vector<TermValues> &values, std::string &text)
{
    for (const LocationTerm &term : location.terms) {
        bool free = false;
        TermValues &own = values.emplace_back();
        if (term.plan) {
            continue;
        }
        if (auto problem = evaluate_term(r, term, own, free)) {
            log_unusable(r, term, *problem);
            return OfferState::failed;
        }
        if (free) {
            return OfferState::free;
        }
        append_values(text, own);
    }
    return OfferState::made;
}

OfferState make_offer(ngx_http_request_t *r, const LocationOffer &location,
                      const std::vector<TermValues> &values, PaymentOffer &made)
{
    for (std::size_t i = 0; i < location.terms.size(); i++) {
        const LocationTerm &term = location.terms[i];
        bool waiting = false;
        auto requirements = term.plan ? plan_now(r, term, waiting)
                                      : requirements_of(term, values[i]);
        if (waiting) {
            return OfferState::waiting;
        }
        if (!requirements) {
            log_unusable(r, term, requirements.problem());
            return OfferState::failed;
        }
        made.add(named(std::move(requirements.value())), i);
    }
    return OfferState::made;
}

MadeOffers &made_offers(Worker &worker)
{
    if (!worker.made) {
        worker.made = std::make_shared<MadeOffers>();
    }
    return *worker.made;
}

// What a plan says can change by itself: its offers are not kept.
bool has_plan(const LocationOffer &location)
{
    return std::any_of(
        location.terms.begin(), location.terms.end(),
        [](const LocationTerm &term) { return term.plan != nullptr; });
}

bool is_supplemented(const PaymentOffer &offer)
{
    const auto &options = offer.options();
    return std::any_of(options.begin(), options.end(),
                       [](const PaymentOffer::Option &option) {
                           return takes_supported_extra(option.requirements);
                       });
}

// An offer that comes a second time will come again.
void prepare_again(const LocationConf &conf, MadeOffers::Made &made)
{
    if (made.prepared_for != &conf) {
        made.prepared_for = &conf;
        made.prepared = is_supplemented(*made.offer)
                            ? nullptr
                            : prepare_answer(conf, *made.offer);
    }
}

OfferState variable_offer(ngx_http_request_t *r, Worker &worker,
                          const LocationConf &conf, OfferNow &now)
{
    const LocationOffer &location = location_offer(conf);
    std::vector<TermValues> values;
    std::string text;
    OfferState state = evaluate_terms(r, location, values, text);
    if (state != OfferState::made) {
        return state;
    }
    bool keeps = !has_plan(location);
    MadeOffers::Made *known =
        keeps ? made_offers(worker).find(location, text) : nullptr;
    if (known) {
        prepare_again(conf, *known);
        now = {known->offer, known->prepared};
        return OfferState::made;
    }
    auto made = std::make_shared<PaymentOffer>();
    state = make_offer(r, location, values, *made);
    if (state == OfferState::made) {
        now.offer = std::move(made);
    }
    if (now.offer && keeps) {
        made_offers(worker).keep(location, std::move(text), now.offer);
    }
    return state;
}

// Of a body that is an array: each element has its price, and the sum of them
// is asked for.
OfferState batch_offer(RequestCtx &ctx, Worker &worker,
                       const LocationConf &conf,
                       std::shared_ptr<const PaymentOffer> &made)
{
    const LocationOffer &location = location_offer(conf);
    OfferState state = OfferState::free;
    each_batch_element(ctx, [&] {
        OfferNow own;
        OfferState here = OfferState::made;
        if (!location.constant) {
            here = variable_offer(ctx.r, worker, conf, own);
        }
        if (here == OfferState::free) {
            return true;
        }
        state = here;
        if (here != OfferState::made) {
            return false;  // and nothing is sold
        }
        if (!add_prices(own.offer ? *own.offer : *location.constant, made)) {
            log_line(NGX_LOG_ERR, ctx.r->connection->log,
                     "no offer can be made for a batch, answered 500: its "
                     "elements are paid to different receivers, or their sum "
                     "exceeds the largest amount");
            state = OfferState::failed;
        }
        return state == OfferState::made;
    });
    return state;
}

}  // namespace

OfferState offer_now(ngx_http_request_t *r, const LocationConf &conf,
                     OfferNow &now)
{
    const LocationOffer &location = location_offer(conf);
    NestedOffer nesting;
    if (nesting.is_inner()) {
        return OfferState::failed;
    }
    RequestCtx *ctx =
        conf.batch == NGX_HTTP_X402_BATCH_SUM ? find_ctx(r) : nullptr;
    bool is_batch = ctx && has_batch(*ctx) && !location.terms.empty();
    if (location.constant && !location.with_supported && !is_batch) {
        now.offer = location.constant;
        return OfferState::made;
    }
    Worker *worker = worker_of(main_conf(r));
    if (worker == nullptr) {
        return OfferState::failed;
    }
    if (location.constant && !is_batch) {
        const Worker::SupportedOffer &kept =
            supplemented_constant(*worker, conf);
        now = {kept.offer, kept.prepared};
    } else {
        OfferState state = is_batch
                               ? batch_offer(*ctx, *worker, conf, now.offer)
                               : variable_offer(r, *worker, conf, now);
        if (state != OfferState::made) {
            return state;
        }
        if (!now.prepared && is_supplemented(*now.offer)) {
            now.offer = with_supported(*worker, conf, *now.offer);
        }
    }
    return now.offer ? OfferState::made : OfferState::unready;
}

OfferState offer_now(ngx_http_request_t *r, const LocationConf &conf,
                     std::shared_ptr<const PaymentOffer> &offer)
{
    OfferNow now;
    OfferState state = offer_now(r, conf, now);
    offer = std::move(now.offer);
    return state;
}

std::size_t MadeOffers::place_of(const LocationOffer &location,
                                 std::string_view values)
{
    std::size_t hash =
        std::hash<std::string_view>()(values)
        ^ std::hash<const void *>()(&location) / sizeof(location);
    return hash % kPlaces;
}

MadeOffers::Made *MadeOffers::find(const LocationOffer &location,
                                   std::string_view values)
{
    Made &made = places_[place_of(location, values)];
    return made.location == &location && made.values == values ? &made
                                                               : nullptr;
}

void MadeOffers::keep(const LocationOffer &location, std::string values,
                      std::shared_ptr<const PaymentOffer> offer)
{
    Made &made = places_[place_of(location, values)];
    made = Made();
    made.location = &location;
    made.values = std::move(values);
    made.offer = std::move(offer);
}

}  // namespace x402
