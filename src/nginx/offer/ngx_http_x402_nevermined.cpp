#include "nginx/offer/ngx_http_x402_nevermined.hpp"

namespace x402 {

namespace {

std::string validate_accept(const ngx_http_x402_accept_t &accept,
                            const ngx_http_x402_accept_t &first)
{
    if (accept.plan.data == nullptr) {
        return "an x402_accept of x402_protocol nevermined needs plan=";
    }
    if (accept.price.data || accept.amount.data || accept.asset.data
        || accept.decimals.data || accept.pay_to.data || accept.extra.data
        || accept.facilitator.data) {
        return "an x402_accept with plan= takes credits, agent, scheme and "
               "network besides, for the plan says the rest";
    }
    if (view(accept.credits) != view(first.credits)) {
        return "every x402_accept of a location asks for the same credits=, "
               "for a token does not say which plan it is of";
    }
    return {};
}

std::string validate_accepts(const ngx_http_x402_loc_conf_t &conf, bool tokens)
{
    if (conf.accepts == nullptr) {
        return tokens ? "x402_protocol nevermined sells by x402_accept plan=, "
                        "which is missing"
                      : "";
    }
    auto *accepts = static_cast<ngx_http_x402_accept_t *>(conf.accepts->elts);
    for (ngx_uint_t i = 0; i < conf.accepts->nelts; i++) {
        const ngx_http_x402_accept_t &accept = accepts[i];
        if (tokens) {
            std::string why = validate_accept(accept, accepts[0]);
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

// The words of a backend's own, on top of what the operator adds.
ngx_http_x402_loc_conf_t asked_at(const ngx_http_x402_loc_conf_t &conf,
                                  ngx_str_t url)
{
    ngx_http_x402_loc_conf_t asked = conf;
    asked.facilitator_url = url;
    asked.facilitator_auth = nullptr;
    asked.facilitator_headers = nullptr;
    return asked;
}

const NeverminedConf &nevermined_of(const ngx_http_x402_loc_conf_t &conf)
{
    return *static_cast<const NeverminedConf *>(conf.nevermined);
}

}  // namespace

bool uses_bearer_tokens(const ngx_http_x402_loc_conf_t &conf)
{
    return conf.dialects
           && static_cast<const Dialects *>(conf.dialects)
                  ->front()
                  ->uses_bearer_tokens();
}

bool delivers_unsettled(const ngx_http_x402_loc_conf_t &conf)
{
    return uses_bearer_tokens(conf)
           && conf.settle_failure != NGX_HTTP_X402_FAILURE_REJECT;
}

std::vector<std::string_view>
token_headers(const ngx_http_x402_loc_conf_t &conf)
{
    std::vector<std::string_view> names;
    if (!uses_bearer_tokens(conf)) {
        return names;
    }
    if (conf.token_headers == nullptr) {
        names.push_back(static_cast<const Dialects *>(conf.dialects)
                            ->front()
                            ->payment_header());
        return names;
    }
    auto *written = static_cast<ngx_str_t *>(conf.token_headers->elts);
    for (ngx_uint_t i = 0; i < conf.token_headers->nelts; i++) {
        names.push_back(view(written[i]));
    }
    return names;
}

std::string validate_tokens(const ngx_http_x402_loc_conf_t &conf)
{
    bool tokens = uses_bearer_tokens(conf);
    std::string why = validate_accepts(conf, tokens);
    if (!why.empty()) {
        return why;
    }
    if (!tokens) {
        return conf.settle_failure == NGX_HTTP_X402_FAILURE_DELIVER
                   ? "\"x402_settle_failure deliver\" gives content away for "
                     "payments that were not settled; it is served with "
                     "x402_protocol nevermined alone"
                   : "";
    }
    if (conf.nevermined == nullptr) {
        return "x402_protocol nevermined needs x402_nevermined, with the "
               "environment and the file of the key";
    }
    if (conf.settle != NGX_HTTP_X402_SETTLE_AFTER
        && conf.settle != NGX_CONF_UNSET_UINT) {
        return "credits are settled after the content; leave out x402_settle, "
               "or write \"x402_settle after\"";
    }
    return {};
}

PlanTerms plan_words(const ngx_http_x402_loc_conf_t &conf,
                     const ngx_http_x402_accept_t &accept)
{
    PlanTerms plan;
    plan.plan = copy(accept.plan);
    plan.credits = copy(accept.credits);
    plan.agent = copy(accept.agent);
    plan.scheme = copy(accept.scheme);
    plan.network = copy(accept.network);
    plan.live = nevermined_of(conf).live;
    return plan;
}

FacilitatorConf *add_backend(ngx_conf_t *cf,
                             const ngx_http_x402_loc_conf_t &conf)
{
    const NeverminedConf &nevermined = nevermined_of(conf);
    ngx_str_t url = pool_copy(cf->pool, nevermined.backend + "/api/v1/x402");
    if (url.data == nullptr) {
        return nullptr;
    }
    ngx_http_x402_loc_conf_t asked = asked_at(conf, url);
    RequestHeaders headers;
    if (conf.facilitator_headers) {
        headers = *static_cast<RequestHeaders *>(conf.facilitator_headers);
    }
    headers.push_back({"", "Nevermined-Version", "1.1"});
    asked.facilitator_headers = &headers;
    asked.facilitator_auth = nevermined.auth;
    return find_or_add_facilitator(cf, asked, HealthTerms());
}

FacilitatorConf *add_plan_pages(ngx_conf_t *cf,
                                const ngx_http_x402_loc_conf_t &conf)
{
    ngx_str_t url = pool_copy(cf->pool, nevermined_of(conf).backend
                                            + "/api/v1/protocol/plans");
    if (url.data == nullptr) {
        return nullptr;
    }
    return find_or_add_facilitator(cf, asked_at(conf, url), HealthTerms());
}

}  // namespace x402
