// The offer of this moment: variables evaluated, unless all is constant.
#include <algorithm>

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_offer.hpp"
#include "nginx/request/ngx_http_x402_offer_supported.hpp"
#include "nginx/request/ngx_http_x402_plan.hpp"
#include "nginx/request/ngx_http_x402_request_body.hpp"
#include "policy/supported_extra.hpp"

namespace x402 {

namespace {

void log_unusable(ngx_http_request_t *r, const LocationTerm &term,
                  const Problem &problem)
{
    log_line(NGX_LOG_ERR, r->connection->log,
             "no offer can be made, answered 500: " + log_excerpt(problem.text)
                 + " (from variables in " + copy(term.origin.file) + ":"
                 + std::to_string(term.origin.line) + ")");
}

// The value of a variable is checked like a constant; an empty one is refused.
// `free`: the price is the word "free", and nothing is made.
Result<PaymentRequirements>
requirements_now(ngx_http_request_t *r, const LocationTerm &term, bool &free)
{
    AcceptTerms terms = term.terms;
    if (!evaluate(r, term.price, terms.price)
        || !evaluate(r, term.amount, terms.amount)
        || !evaluate(r, term.pay_to, terms.pay_to)) {
        return Problem{"a variable could not be evaluated"};
    }
    const RequestCtx *ctx = find_ctx(r);
    if (ctx && ctx->body_missed) {
        return Problem{std::string(kBodyMissed)};
    }
    if (term.price && terms.price == "free") {
        free = true;
        return PaymentRequirements();
    }
    if (term.price && terms.price.empty()) {
        return Problem{"the price is empty: give the map a default"};
    }
    if (term.amount && terms.amount.empty()) {
        return Problem{"the amount is empty: give the map a default"};
    }
    if (term.pay_to && terms.pay_to.empty()) {
        return Problem{"pay_to is empty: give the map a default"};
    }
    return build_requirements(terms);
}

}  // namespace

namespace {

OfferState variable_offer(ngx_http_request_t *r, const LocationOffer &location,
                          std::shared_ptr<PaymentOffer> &made)
{
    made = std::make_shared<PaymentOffer>();
    for (std::size_t i = 0; i < location.terms.size(); i++) {
        const LocationTerm &term = location.terms[i];
        bool waiting = false;
        bool free = false;
        auto requirements = term.plan ? plan_now(r, term, waiting)
                                      : requirements_now(r, term, free);
        if (free) {
            return OfferState::free;
        }
        if (waiting) {
            return OfferState::waiting;
        }
        if (!requirements) {
            log_unusable(r, location.terms[i], requirements.problem());
            return OfferState::failed;
        }
        made->add(named(std::move(requirements.value())), i);
    }
    return OfferState::made;
}

bool is_supplemented(const PaymentOffer &offer)
{
    const auto &options = offer.options();
    return std::any_of(options.begin(), options.end(),
                       [](const PaymentOffer::Option &option) {
                           return takes_supported_extra(option.requirements);
                       });
}

}  // namespace

OfferState offer_now(ngx_http_request_t *r, const LocationConf &conf,
                     std::shared_ptr<const PaymentOffer> &offer)
{
    const LocationOffer &location = location_offer(conf);
    if (location.constant && !location.with_supported) {
        offer = location.constant;
        return OfferState::made;
    }
    Worker *worker = worker_of(main_conf(r));
    if (worker == nullptr) {
        return OfferState::failed;
    }
    if (location.constant) {
        offer = supplemented_constant(*worker, conf);
    } else {
        std::shared_ptr<PaymentOffer> made;
        OfferState state = variable_offer(r, location, made);
        if (state != OfferState::made) {
            return state;
        }
        bool adds = is_supplemented(*made);
        offer = adds ? with_supported(*worker, conf, *made) : std::move(made);
    }
    return offer ? OfferState::made : OfferState::unready;
}

}  // namespace x402
