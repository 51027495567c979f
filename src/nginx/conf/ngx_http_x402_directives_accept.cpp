// SPDX-License-Identifier: Apache-2.0
// x402_accept: one payment option, word by word.
#include "base/near_name.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"

namespace x402 {

namespace {

struct AcceptKey {
    std::string_view name;
    ngx_str_t AcceptWords::*member;
};

constexpr AcceptKey kAcceptKeys[] = {
    {"network", &AcceptWords::network},
    {"pay_to", &AcceptWords::pay_to},
    {"price", &AcceptWords::price},
    {"amount", &AcceptWords::amount},
    {"asset", &AcceptWords::asset},
    {"decimals", &AcceptWords::decimals},
    {"scheme", &AcceptWords::scheme},
    {"extra", &AcceptWords::extra},
    {"facilitator", &AcceptWords::facilitator},
    {"plan", &AcceptWords::plan},
    {"credits", &AcceptWords::credits},
    {"agent", &AcceptWords::agent},
};

// One key=value of x402_accept. Returns what is wrong with it; empty: nothing.
std::string read_accept_word(AcceptWords &accept, const ngx_str_t &word)
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
        std::string error =
            validate_variable(std::string(key) + "=", view(value));
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
            ngx_str_t &target = accept.*known.member;
            if (target.data != nullptr) {
                return quoted + " is written twice";
            }
            target = value;
            return {};
        }
    }
    std::string keys;
    NearName near(key);
    near.try_name("timeout");
    for (const AcceptKey &known : kAcceptKeys) {
        keys += std::string(known.name) + ", ";
        near.try_name(known.name);
    }
    return "unknown key " + quoted + "; the keys are " + keys + "timeout"
           + near.question();
}

char *set_accept(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->accepts == nullptr) {
        lcf->accepts = pool_new<std::vector<AcceptWords>>(cf->pool);
        if (lcf->accepts == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    AcceptWords accept{};
    accept.timeout = NGX_CONF_UNSET_UINT;
    record_origin(cf, accept.origin);
    record_first_origin(cf, *lcf);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string why = read_accept_word(accept, arguments(cf)[i]);
        if (!why.empty()) {
            return conf_error(cf, "x402_accept: " + why);
        }
    }
    if (accept.facilitator.data) {
        std::string why = validate_facilitator(view(accept.facilitator));
        if (!why.empty()) {
            return conf_error(cf, "x402_accept: " + why);
        }
    }
    lcf->accepts->push_back(accept);
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_accept(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_accept, conf);
}
