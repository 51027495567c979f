// SPDX-License-Identifier: Apache-2.0
// What content costs: x402_accept, one payment option word by word, and what an
// answer says it has cost, x402_charge and x402_stream.
#include "base/decimal_amount.hpp"
#include "base/near_name.hpp"
#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_directive_words.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "policy/usage_charge.hpp"
#include "session/payer_records.hpp"

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

constexpr std::string_view kUnreadable = "unreadable=";

std::string validate_factor(std::string_view word, std::string_view factor)
{
    if (has_variable(factor) || is_usage_factor(factor)) {
        return {};
    }
    return "\"" + std::string(factor) + "\" in \"" + std::string(word)
           + "\" is not a number; write atomic units for each, such as "
             "$x402_reply_usage_total_tokens*2 or *0.25";
}

// value or value*factor. False: an error was printed.
bool add_term(ngx_conf_t *cf, UsageTerms &charge, std::string_view word)
{
    std::size_t star = word.rfind('*');
    std::string_view value = word.substr(0, star);
    if (!has_variable(value)) {
        conf_error(cf, "\"" + std::string(word)
                           + "\" is the same for every answer; write a value "
                             "with a variable, such as "
                             "$x402_reply_usage_total_tokens*2");
        return false;
    }
    if (value.find('*') != std::string_view::npos) {
        conf_error(cf, "\"" + std::string(word)
                           + "\" has two factors; multiply them yourself, and "
                             "write a value and one factor, such as "
                             "$x402_reply_usage_total_tokens*6");
        return false;
    }
    std::string client = client_variable(word);
    if (!client.empty()) {
        log_conf(cf, NGX_LOG_WARN,
                 "the client writes $" + client
                     + " itself, and so chooses what it pays; "
                       "take what the answer says, such as "
                       "$x402_reply_usage_total_tokens",
                 charge.origin);
    }
    UsageTerms::Term term;
    if (star != std::string_view::npos) {
        std::string_view factor = word.substr(star + 1);
        std::string error = validate_factor(word, factor);
        if (!error.empty()) {
            conf_error(cf, error);
            return false;
        }
        term.has_factor = true;
        if (!compile_value(cf, to_ngx_str(factor), term.factor)) {
            return false;
        }
    }
    if (!compile_value(cf, to_ngx_str(value), term.value)) {
        return false;
    }
    charge.terms.push_back(term);
    return true;
}

char *set_charge(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->charge != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *charge = pool_new<UsageTerms>(cf->pool);
    if (charge == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    record_origin(cf, charge->origin);
    lcf->charge = charge;
    if (cf->args->nelts == 2 && view(arguments(cf)[1]) == "off") {
        return NGX_CONF_OK;
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        // Lifetime: as long as the configuration, with a NUL after it.
        ngx_str_t kept = pool_copy(cf->pool, view(arguments(cf)[i]));
        std::string_view word = view(kept);
        if (word.substr(0, kUnreadable.size()) != kUnreadable) {
            if (kept.data == nullptr || !add_term(cf, *charge, word)) {
                return static_cast<char *>(NGX_CONF_ERROR);
            }
            continue;
        }
        std::string_view what = word.substr(kUnreadable.size());
        if (what != "nothing" && what != "maximum") {
            return conf_error(cf, "\"" + std::string(word)
                                      + "\" is unknown; write "
                                        "unreadable=nothing or "
                                        "unreadable=maximum");
        }
        charge->unreadable_is_maximum = what == "maximum";
    }
    if (charge->terms.empty()) {
        return conf_error(cf, "\"x402_charge\" has no value; write one such "
                              "as $x402_reply_usage_total_tokens*2");
    }
    return NGX_CONF_OK;
}

bool read_trust(std::string_view text, StreamRules &rules)
{
    ngx_str_t digits = to_ngx_str(text);
    ngx_int_t count =
        text.empty() ? NGX_ERROR : ngx_atoi(digits.data, digits.len);
    if (count < 1 || count > static_cast<ngx_int_t>(kBestRecord)) {
        return false;
    }
    rules.trust = static_cast<unsigned>(count);
    return true;
}

bool read_most(std::string_view text, StreamRules &rules)
{
    constexpr unsigned kMostDecimals = 18;
    text.remove_prefix(!text.empty() && text.front() == '$' ? 1 : 0);
    rules.most = text;
    return bool(to_atomic_amount(text, kMostDecimals));
}

bool read_cut(std::string_view text, StreamRules &rules)
{
    rules.cut_is_read = text == "read";
    return text == "read" || text == "maximum";
}

char *set_stream(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->stream != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *rules = pool_new<StreamRules>(cf->pool);
    if (rules == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->stream = rules;
    if (cf->args->nelts == 2 && view(arguments(cf)[1]) == "off") {
        return NGX_CONF_OK;
    }
    bool good = read_words(
        cf, 1,
        {{"trust=", [&](auto v) { return read_if(read_trust(v, *rules)); }},
         {"most=", [&](auto v) { return read_if(read_most(v, *rules)); }},
         {"cut=", [&](auto v) { return read_if(read_cut(v, *rules)); }}},
        "trust=10 (from 1 to 34), most=0.05, cut=maximum or read, or off");
    if (good && rules->trust == 0) {
        return conf_error(cf, "\"x402_stream\" needs a number of settlements "
                              "after which a payer is trusted; write one, such "
                              "as trust=10");
    }
    rules->used = record_setting(
        cf, "x402_stream has no effect: no location that it is written for has "
            "a price and x402_charge; write x402_charge there, or remove it");
    return good && rules->used ? NGX_CONF_OK
                               : static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_accept(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_accept, conf);
}

char *ngx_http_x402_set_charge(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_charge, conf);
}

char *ngx_http_x402_set_stream(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_stream, conf);
}
