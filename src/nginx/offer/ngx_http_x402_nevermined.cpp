// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_nevermined.hpp"

namespace x402 {

namespace {

std::string validate_accept(const AcceptWords &accept, const AcceptWords &first)
{
    if (accept.plan.data == nullptr) {
        return "an x402_accept of x402_protocol nevermined needs plan=";
    }
    if (accept.price.data || accept.amount.data || accept.asset.data
        || accept.decimals.data || accept.pay_to.data || accept.extra.data
        || accept.facilitator.data) {
        return "an x402_accept with plan= takes credits, agent, scheme and "
               "network in addition; the plan determines the rest";
    }
    if (view(accept.credits) != view(first.credits)) {
        return "every x402_accept of a location asks for the same credits=, "
               "because a token does not name its plan";
    }
    return {};
}

std::string validate_accepts(const LocationConf &conf, bool tokens)
{
    if (conf.accepts == nullptr) {
        return tokens ? "x402_protocol nevermined sells by x402_accept plan=, "
                        "which is missing"
                      : "";
    }
    for (const AcceptWords &accept : *conf.accepts) {
        if (tokens) {
            std::string why = validate_accept(accept, conf.accepts->front());
            if (!why.empty()) {
                return why;
            }
        } else if (accept.plan.data || accept.credits.data
                   || accept.agent.data) {
            return "plan=, credits= and agent= of x402_accept need "
                   "\"x402_protocol nevermined\"";
        }
    }
    return {};
}

}  // namespace

bool uses_bearer_tokens(const LocationConf &conf)
{
    return conf.dialects && conf.dialects->front()->uses_bearer_tokens();
}

bool delivers_unsettled(const LocationConf &conf)
{
    return uses_bearer_tokens(conf)
           && conf.settle_failure != NGX_HTTP_X402_FAILURE_REJECT;
}

std::vector<std::string_view> token_headers(const LocationConf &conf)
{
    std::vector<std::string_view> names;
    if (!uses_bearer_tokens(conf)) {
        return names;
    }
    if (conf.token_headers == nullptr) {
        names.push_back(conf.dialects->front()->payment_header());
        return names;
    }
    names.assign(conf.token_headers->begin(), conf.token_headers->end());
    return names;
}

std::string validate_tokens(const LocationConf &conf)
{
    bool tokens = uses_bearer_tokens(conf);
    std::string why = validate_accepts(conf, tokens);
    if (!why.empty()) {
        return why;
    }
    if (!tokens) {
        return conf.settle_failure == NGX_HTTP_X402_FAILURE_DELIVER
                   ? "\"x402_settle_failure deliver\" gives content away for "
                     "payments that were not settled; it is supported with "
                     "x402_protocol nevermined only"
                   : "";
    }
    if (conf.nevermined == nullptr) {
        return "x402_protocol nevermined needs x402_nevermined, with the "
               "environment and the file of the key";
    }
    if (conf.settle == NGX_HTTP_X402_SETTLE_BEFORE) {
        return "credits are settled after the content; leave out x402_settle, "
               "or write \"x402_settle after\" or \"x402_settle off\"";
    }
    return {};
}

PlanTerms plan_words(const LocationConf &conf, const AcceptWords &accept)
{
    PlanTerms plan;
    plan.plan = copy(accept.plan);
    plan.credits = copy(accept.credits);
    plan.agent = copy(accept.agent);
    plan.scheme = copy(accept.scheme);
    plan.network = copy(accept.network);
    plan.live = conf.nevermined->live;
    return plan;
}

FacilitatorConf *add_backend(ngx_conf_t *cf, const LocationConf &conf)
{
    FacilitatorTerms terms(conf, conf.nevermined->backend + "/api/v1/x402");
    if (conf.facilitator_headers) {
        terms.headers = *conf.facilitator_headers;
    }
    terms.headers.push_back({"", "Nevermined-Version", "1.1"});
    terms.auth = conf.nevermined->auth;
    return find_or_add_facilitator(cf, std::move(terms));
}

FacilitatorConf *add_plan_pages(ngx_conf_t *cf, const LocationConf &conf)
{
    return find_or_add_facilitator(
        cf, FacilitatorTerms(conf, conf.nevermined->backend
                                       + "/api/v1/protocol/plans"));
}

}  // namespace x402
