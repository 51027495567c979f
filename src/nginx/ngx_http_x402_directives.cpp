// Directive setters: what the operator wrote, checked as far as one line can
// be checked alone. Sentences returned here are printed by nginx with file and
// line. What needs the whole location is checked in ngx_http_x402_merge.cpp.
#include "facilitator/facilitator_url.hpp"
#include "nginx/ngx_http_x402_zone.hpp"
#include "policy/network_table.hpp"
#include "policy/price_text.hpp"

namespace x402 {

namespace {

const ngx_str_t *arguments(ngx_conf_t *cf)
{
    return static_cast<const ngx_str_t *>(cf->args->elts);
}

char *refuse(ngx_conf_t *cf, const std::string &sentence)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%*s", sentence.size(),
                       sentence.data());
    return static_cast<char *>(NGX_CONF_ERROR);
}

char *config_guarded(ngx_conf_t *cf, char *(*body)(ngx_conf_t *, void *),
                     void *conf)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return body(cf, conf); });
}

void note_origin(ngx_conf_t *cf, ngx_http_x402_origin_t &origin)
{
    origin.file = cf->conf_file->file.name;
    origin.line = cf->conf_file->line;
}

// Variables in money and addresses come with a later release; until then a `$`
// that is not the dollar sign of a price is an error, not a surprise.
std::string objection_to_variable(std::string_view what, std::string_view text)
{
    if (!has_variable(text)) {
        return {};
    }
    return "variables in \"" + std::string(what)
           + "\" are not served yet; write a constant, found \""
           + std::string(text) + "\"";
}

std::string objection_to_term(std::string_view name, std::string_view value)
{
    std::string objection = objection_to_variable(name, value);
    if (!objection.empty()) {
        return objection;
    }
    if (value.empty()) {
        return "\"" + std::string(name) + "\" must not be empty";
    }
    if (name == "x402_price") {
        auto price = parse_price_text(value);
        return price ? "" : price.problem().text;
    }
    if (name == "x402_network" && !caip2_network(value)) {
        return "unknown network \"" + std::string(value)
               + "\"; write a CAIP-2 id such as \"eip155:8453\" or one of "
               + known_network_names();
    }
    return {};
}

struct AcceptKey {
    std::string_view name;
    ngx_str_t ngx_http_x402_accept_t::*member;
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
};

bool read_seconds(ngx_str_t text, ngx_uint_t &seconds)
{
    time_t value = ngx_parse_time(&text, 1);
    if (value == static_cast<time_t>(NGX_ERROR) || value < 1
        || value > 0x7fffffff) {
        return false;
    }
    seconds = static_cast<ngx_uint_t>(value);
    return true;
}

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
    if (key == "facilitator") {
        return quoted
               + " is not served yet; one x402_facilitator serves all "
                 "ways to pay of a location";
    }
    if (key != "extra") {
        std::string objection = objection_to_variable(quoted, view(value));
        if (!objection.empty()) {
            return objection;
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
    return "unknown key " + quoted
           + "; the keys are network, pay_to, price, amount, asset, decimals, "
             "scheme, timeout, extra";
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
    note_origin(cf, accept->origin);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string why = read_accept_word(*accept, arguments(cf)[i]);
        if (!why.empty()) {
            return refuse(cf, "x402_accept: " + why);
        }
    }
    return NGX_CONF_OK;
}

struct Term {
    std::string_view name;
    ngx_str_t ngx_http_x402_loc_conf_t::*member;
};

constexpr Term kTerms[] = {
    {"x402_price", &ngx_http_x402_loc_conf_t::price},
    {"x402_network", &ngx_http_x402_loc_conf_t::network},
    {"x402_pay_to", &ngx_http_x402_loc_conf_t::pay_to},
};

char *set_term(ngx_conf_t *cf, void *conf)
{
    auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(conf);
    std::string_view name = view(arguments(cf)[0]);
    ngx_str_t value = arguments(cf)[1];

    if (cf->args->nelts == 3) {
        // `x402_price 0.01 USDT` without quotes means the same as with them.
        value = pool_copy(cf->pool, copy(value) + " " + copy(arguments(cf)[2]));
        if (value.data == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    for (const Term &term : kTerms) {
        if (term.name != name) {
            continue;
        }
        if ((lcf->*term.member).data != nullptr) {
            return const_cast<char *>("is duplicate");
        }
        std::string objection = objection_to_term(name, view(value));
        if (!objection.empty()) {
            return refuse(cf, objection);
        }
        lcf->*term.member = value;
        // The price is the line an operator looks for.
        if (lcf->origin.line == 0 || name == "x402_price") {
            note_origin(cf, lcf->origin);
        }
    }
    return NGX_CONF_OK;
}

char *set_facilitator(ngx_conf_t *cf, void *conf)
{
    auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(conf);
    if (lcf->facilitator_url.data != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto url = parse_facilitator_url(view(arguments(cf)[1]));
    if (!url) {
        return refuse(cf, url.problem().text);
    }
    lcf->facilitator_url = pool_copy(cf->pool, url->base());
    return lcf->facilitator_url.data ? NGX_CONF_OK
                                     : static_cast<char *>(NGX_CONF_ERROR);
}

char *set_facilitator_timeout(ngx_conf_t *cf, void *conf)
{
    auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(conf);
    struct {
        std::string_view key;
        ngx_msec_t *target;
    } known[] = {
        {"connect=", &lcf->connect_timeout},
        {"verify=", &lcf->verify_timeout},
        {"settle=", &lcf->settle_timeout},
    };
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        bool read = false;
        for (auto &entry : known) {
            if (word.substr(0, entry.key.size()) != entry.key) {
                continue;
            }
            if (*entry.target != NGX_CONF_UNSET_MSEC) {
                return const_cast<char *>("is duplicate");
            }
            ngx_str_t value = arguments(cf)[i];
            value.data += entry.key.size();
            value.len -= entry.key.size();
            ngx_int_t time = ngx_parse_time(&value, 0);
            if (time == NGX_ERROR || time == 0) {
                return refuse(cf, "\"" + std::string(word)
                                      + "\" must be a time greater than 0");
            }
            *entry.target = static_cast<ngx_msec_t>(time);
            read = true;
        }
        if (!read) {
            return refuse(cf, "unknown parameter \"" + std::string(word)
                                  + "\"; write connect=, verify= or settle= "
                                    "and a time");
        }
    }
    return NGX_CONF_OK;
}

char *set_methods(ngx_conf_t *cf, void *conf)
{
    auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(conf);
    if (lcf->methods != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    lcf->methods =
        ngx_array_create(cf->pool, cf->args->nelts, sizeof(ngx_str_t));
    for (ngx_uint_t i = 1; lcf->methods && i < cf->args->nelts; i++) {
        std::string_view name = view(arguments(cf)[i]);
        bool capitals = name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")
                        == std::string_view::npos;
        if (name.empty() || !capitals) {
            return refuse(cf, "method \"" + std::string(name)
                                  + "\" must be written in capitals: methods "
                                    "are case-sensitive");
        }
        auto *method = static_cast<ngx_str_t *>(ngx_array_push(lcf->methods));
        if (method == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
        *method = arguments(cf)[i];
    }
    return lcf->methods ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

char *set_zone(ngx_conf_t *cf, void *)
{
    ngx_http_x402_main_conf_t *mcf = main_conf(cf);
    if (mcf->zone != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    if (cf->args->nelts > 2) {
        return refuse(cf, "\"" + copy(arguments(cf)[2])
                              + "\" is not served yet; write x402_zone "
                                "name:size");
    }
    std::string_view word = view(arguments(cf)[1]);
    std::size_t colon = word.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return refuse(cf, "\"" + std::string(word)
                              + "\" must be name:size, such as x402:10m");
    }
    ngx_str_t name = {colon, arguments(cf)[1].data};
    ngx_str_t size_text = {word.size() - colon - 1,
                           arguments(cf)[1].data + colon + 1};
    ssize_t size = ngx_parse_size(&size_text);
    if (size == NGX_ERROR || size < static_cast<ssize_t>(least_zone_bytes())) {
        return refuse(cf, "zone \"" + std::string(word)
                              + "\" is too small; "
                                "write at least "
                              + copy(name) + ":"
                              + std::to_string(least_zone_bytes() / 1024)
                              + "k");
    }
    mcf->zone = add_zone(cf, name, static_cast<std::size_t>(size));
    return mcf->zone ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_accept(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_accept, conf);
}

char *ngx_http_x402_set_term(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_term, conf);
}

char *ngx_http_x402_set_facilitator(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_facilitator, conf);
}

char *ngx_http_x402_set_facilitator_timeout(ngx_conf_t *cf, ngx_command_t *,
                                            void *conf)
{
    return config_guarded(cf, set_facilitator_timeout, conf);
}

char *ngx_http_x402_set_methods(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_methods, conf);
}

char *ngx_http_x402_set_zone(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_zone, conf);
}

char *ngx_http_x402_set_switch(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto body = [](ngx_conf_t *c, void *lcf_data) -> char * {
        auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(lcf_data);
        std::string_view word = view(arguments(c)[1]);
        if (lcf->written != NGX_CONF_UNSET) {
            return const_cast<char *>("is duplicate");
        }
        if (word == "shadow") {
            return refuse(c, "\"shadow\" is not served yet; write on or off");
        }
        if (word != "on" && word != "off") {
            return refuse(c, "unknown value \"" + std::string(word)
                                 + "\"; write on or off");
        }
        lcf->written = word == "on";
        if (lcf->origin.line == 0) {
            note_origin(c, lcf->origin);
        }
        return NGX_CONF_OK;
    };
    return config_guarded(cf, body, conf);
}

char *ngx_http_x402_set_timeout(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(conf);
    if (lcf->timeout != NGX_CONF_UNSET_UINT) {
        return const_cast<char *>("is duplicate");
    }
    if (!read_seconds(arguments(cf)[1], lcf->timeout)) {
        return const_cast<char *>("must be a time of at least 1s");
    }
    return NGX_CONF_OK;
}

char *ngx_http_x402_set_settle(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto body = [](ngx_conf_t *c, void *lcf_data) -> char * {
        auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(lcf_data);
        std::string_view word = view(arguments(c)[1]);
        if (lcf->settle != NGX_CONF_UNSET_UINT) {
            return const_cast<char *>("is duplicate");
        }
        if (word == "after") {
            lcf->settle = NGX_HTTP_X402_SETTLE_AFTER;
        } else if (word == "before") {
            lcf->settle = NGX_HTTP_X402_SETTLE_BEFORE;
        } else {
            return refuse(c, "\"" + std::string(word)
                                 + (word == "off" ? "\" is not served yet"
                                                  : "\" is unknown")
                                 + "; write after or before");
        }
        return NGX_CONF_OK;
    };
    return config_guarded(cf, body, conf);
}

char *ngx_http_x402_set_trusted_certificate(ngx_conf_t *cf, ngx_command_t *,
                                            void *conf)
{
    auto body = [](ngx_conf_t *c, void *lcf_data) -> char * {
        auto *lcf = static_cast<ngx_http_x402_loc_conf_t *>(lcf_data);
        if (lcf->trusted_certificate.data != nullptr) {
            return const_cast<char *>("is duplicate");
        }
        ngx_str_t file = arguments(c)[1];
        if (ngx_conf_full_name(c->cycle, &file, 1) != NGX_OK) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
        ngx_file_info_t info;
        if (ngx_file_info(file.data, &info) == NGX_FILE_ERROR
            || !ngx_is_file(&info)) {
            return refuse(c, "cannot read certificates from \"" + copy(file)
                                 + "\"; write the path of a PEM file");
        }
        lcf->trusted_certificate = file;
        return NGX_CONF_OK;
    };
    return config_guarded(cf, body, conf);
}
