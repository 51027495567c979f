// x402_accept: one payment option, word by word.
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"

namespace x402 {

namespace {

struct AcceptKey {
    std::string_view name;
    ngx_str_t ngx_http_x402_accept_t::*peer;
};

constexpr AcceptKey kAcceptKeys[] = {
    {"network", &ngx_http_x402_accept_t::network},
    {"pay_to", &ngx_http_x402_accept_t::pay_to},
    {"price", &ngx_http_x402_accept_t::price},
    {"amount", &ngx_http_x402_accept_t::amount},
    {"asset", &ngx_http_x402_accept_t::asset},
    {"decimals", &ngx_http_x402_accept_t::decimals},
    {"scheme", &ngx_http_x402_accept_t::scheme},
    {"extra", &ngx_http_x402_accept_t::extra},
    {"facilitator", &ngx_http_x402_accept_t::facilitator},
    {"plan", &ngx_http_x402_accept_t::plan},
    {"credits", &ngx_http_x402_accept_t::credits},
    {"agent", &ngx_http_x402_accept_t::agent},
};

// One key=value of x402_accept; the sentence why not, or nothing.
std::string read_accept_word(ngx_http_x402_accept_t &accept,
                             const ngx_str_t &word)
{
    std::string_view text = view(word);
    std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        return "\"" + std::string(text) + "\" is not key=value";
    }
    std::string_view key = text.substr(0, equals);
    ngx_str_t value = {word.len - equals - 1, word.data + equals + 1};
    std::string quoted = "\"" + std::string(key) + "=\"";

    if (value.len == 0) {
        return quoted + " has no value";
    }
    if (key != "extra" && key != "price" && key != "amount" && key != "pay_to"
        && key != "credits") {
        std::string error = validate_variable(quoted, view(value));
        if (!error.empty()) {
            return error;
        }
    }
    if (key == "timeout") {
        if (accept.timeout != NGX_CONF_UNSET_UINT) {
            return quoted + " is written twice";
        }
        return read_seconds(value, accept.timeout)
                   ? ""
                   : quoted + " must be a time of at least 1s";
    }
    for (const AcceptKey &known : kAcceptKeys) {
        if (known.name == key) {
            ngx_str_t &target = accept.*known.peer;
            if (target.data != nullptr) {
                return quoted + " is written twice";
            }
            target = value;
            return {};
        }
    }
    return "unknown key " + quoted
           + "; the keys are network, pay_to, price, amount, asset, decimals, "
             "scheme, timeout, extra, facilitator, plan, credits, agent";
}

char *set_accept(ngx_conf_t *cf, void *conf)
{
    auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(conf);
    if (lcf->accepts == nullptr) {
        lcf->accepts =
            ngx_array_create(cf->pool, 2, sizeof(ngx_http_x402_accept_t));
    }
    auto *accept = lcf->accepts == nullptr
                       ? nullptr
                       : static_cast<ngx_http_x402_accept_t *>(
                           ngx_array_push(lcf->accepts));
    if (accept == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    *accept = ngx_http_x402_accept_t();
    accept->timeout = NGX_CONF_UNSET_UINT;
    record_origin(cf, accept->origin);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string why = read_accept_word(*accept, arguments(cf)[i]);
        if (!why.empty()) {
            return conf_error(cf, "x402_accept: " + why);
        }
    }
    if (accept->facilitator.data) {
        std::string why = validate_facilitator(view(accept->facilitator));
        if (!why.empty()) {
            return conf_error(cf, "x402_accept: " + why);
        }
    }
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_accept(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_accept, conf);
}
