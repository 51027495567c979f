// SPDX-License-Identifier: Apache-2.0
// Directive setters: what the operator wrote, checked as far as one line can
// be checked alone. Sentences returned here are printed by nginx with file and
// line. What needs the whole location is checked in ngx_http_x402_merge.cpp.
#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

#include "base/near_name.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_missing_file.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

std::string validate_term(std::string_view name, std::string_view value)
{
    std::string error =
        name == "x402_network" ? validate_variable(name, value) : "";
    if (!error.empty()) {
        return error;
    }
    if (value.empty()) {
        return "\"" + std::string(name) + "\" must not be empty";
    }
    if (name == "x402_price" && !has_variable(value)) {
        auto price = parse_price_text(value);
        return price ? "" : price.problem().text;
    }
    if (name == "x402_network" && !caip2_network(value)) {
        return "unknown network \"" + std::string(value)
               + "\"; write a CAIP-2 id such as \"eip155:8453\" or one of "
               + known_network_names() + near_network_question(value);
    }
    return {};
}

struct Term {
    std::string_view name;
    ngx_str_t LocationConf::*member;
};

constexpr Term kTerms[] = {
    {"x402_price", &LocationConf::price},
    {"x402_network", &LocationConf::network},
    {"x402_pay_to", &LocationConf::pay_to},
};

char *set_term(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
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
        std::string error = validate_term(name, view(value));
        if (!error.empty()) {
            return conf_error(cf, error);
        }
        lcf->*term.member = value;
        // The price is the line an operator looks for.
        if (lcf->origin.line == 0 || name == "x402_price") {
            record_origin(cf, lcf->origin);
        }
    }
    return NGX_CONF_OK;
}

// Money: what is not listed is free, so that a slip gives the method away that
// was meant.
void warn_of_mistyped(ngx_conf_t *cf, std::string_view method)
{
    constexpr std::string_view kMethods[] = {
        "GET",     "HEAD",     "POST",      "PUT",       "DELETE", "PATCH",
        "OPTIONS", "TRACE",    "CONNECT",   "MKCOL",     "COPY",   "MOVE",
        "LOCK",    "UNLOCK",   "PROPFIND",  "PROPPATCH", "SEARCH", "REPORT",
        "PURGE",   "QUERY",    "SUBSCRIBE", "NOTIFY",    "LINK",   "UNLINK",
        "MERGE",   "CHECKOUT", "BIND",      "REBIND",    "ACL",
    };
    NearName near(method);
    for (std::string_view known : kMethods) {
        if (known == method) {
            return;
        }
        near.try_name(known);
    }
    std::string question = near.question();
    if (!question.empty()) {
        std::string warning = "method \"" + std::string(method)
                              + "\" is unknown" + question
                              + " Methods that are not listed are free";
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "%*s", warning.size(),
                           warning.data());
    }
}

char *set_methods(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->methods != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *methods = pool_new<std::vector<std::string>>(cf->pool);
    if (methods == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view name = view(arguments(cf)[i]);
        bool capitals = name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_")
                        == std::string_view::npos;
        if (name.empty() || !capitals) {
            return conf_error(cf,
                              "method \"" + std::string(name)
                                  + "\" must be written in capitals: methods "
                                    "are case-sensitive");
        }
        warn_of_mistyped(cf, name);
        methods->emplace_back(name);
    }
    lcf->methods = methods;
    return NGX_CONF_OK;
}

// The parameters of x402_zone after its name. nullptr: they are good.
char *read_journal(ngx_conf_t *cf, ngx_str_t &journal, bool &sync)
{
    constexpr std::string_view kJournal = "journal=";
    bool said = false;
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        if (word == "sync=on" || word == "sync=off") {
            if (std::exchange(said, true)) {
                return conf_error(cf, "sync= is written twice");
            }
            sync = word == "sync=on";
        } else if (word.size() > kJournal.size() && journal.len == 0
                   && word.substr(0, kJournal.size()) == kJournal) {
            journal = arguments(cf)[i];
            journal.data += kJournal.size();
            journal.len -= kJournal.size();
            if (ngx_conf_full_name(cf->cycle, &journal, 0) != NGX_OK) {
                return static_cast<char *>(NGX_CONF_ERROR);
            }
        } else {
            return conf_error(cf, "\"" + std::string(word)
                                      + "\" must be journal=path, or sync=on "
                                        "or sync=off, each once");
        }
    }
    if (said && journal.len == 0) {
        return conf_error(cf, "sync= requires journal=path before it");
    }
    return nullptr;
}

// The ledger beside it would be opened first, and complained about.
char *check_folder(ngx_conf_t *cf, const std::string &journal)
{
    std::string folder = folder_of(end_of_links(journal));
    if (journal.empty() || access(folder.c_str(), X_OK) == 0) {
        return NGX_CONF_OK;
    }
    int problem = errno;
    return conf_error(
        cf, "journal \"" + journal + "\" cannot be made: the folder \"" + folder
                + "\" cannot be used (" + std::to_string(problem) + ": "
                + std::strerror(problem) + "); make it, or write another path");
}

char *set_zone(ngx_conf_t *cf, void *)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->zone != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    ngx_str_t journal = ngx_null_string;
    bool sync = false;
    if (char *wrong = read_journal(cf, journal, sync)) {
        return wrong;
    }
    if (char *wrong = check_folder(cf, copy(journal))) {
        return wrong;
    }
    std::string_view word = view(arguments(cf)[1]);
    std::size_t colon = word.find(':');
    if (colon == std::string_view::npos || colon == 0) {
        return conf_error(cf, "\"" + std::string(word)
                                  + "\" must be name:size, such as x402:10m");
    }
    ngx_str_t name = {colon, arguments(cf)[1].data};
    ngx_str_t size_text = {word.size() - colon - 1,
                           arguments(cf)[1].data + colon + 1};
    ssize_t size = ngx_parse_size(&size_text);
    if (size == NGX_ERROR || size < static_cast<ssize_t>(least_zone_bytes())) {
        return conf_error(cf, "zone \"" + std::string(word)
                                  + "\" is too small; "
                                    "write at least "
                                  + copy(name) + ":"
                                  + std::to_string(least_zone_bytes() / 1024)
                                  + "k");
    }
    mcf->zone =
        add_zone(cf, name, static_cast<std::size_t>(size), copy(journal), sync);
    return mcf->zone ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

// nginx's own setter does not say what may be written.
char *set_word(ngx_conf_t *cf, const ngx_command_t *cmd, void *conf)
{
    auto *slot =
        reinterpret_cast<ngx_uint_t *>(static_cast<char *>(conf) + cmd->offset);
    if (*slot != NGX_CONF_UNSET_UINT) {
        return const_cast<char *>("is duplicate");
    }
    std::string_view word = view(arguments(cf)[1]);
    std::string known;
    auto *words = static_cast<const ngx_conf_enum_t *>(cmd->post);
    for (; words->name.len != 0; words++) {
        if (view(words->name) == word) {
            *slot = words->value;
            return NGX_CONF_OK;
        }
        bool last = words[1].name.len == 0;
        known += known.empty() ? "" : last ? " or " : ", ";
        known += view(words->name);
    }
    return conf_error(cf, "\"" + std::string(word) + "\" is not a value of "
                              + copy(cmd->name) + "; write " + known);
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_term(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_term, conf);
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
        auto *lcf = location_conf(lcf_data);
        std::string_view word = view(arguments(c)[1]);
        if (lcf->enabled_directive != NGX_CONF_UNSET) {
            return const_cast<char *>("is duplicate");
        }
        if (word == "shadow") {
            lcf->enabled_directive = kShadow;
        } else if (word == "on" || word == "off") {
            lcf->enabled_directive = word == "on";
        } else {
            return conf_error(c, "unknown value \"" + std::string(word)
                                     + "\"; write on, off or shadow");
        }
        record_first_origin(c, *lcf);
        return NGX_CONF_OK;
    };
    return config_guarded(cf, body, conf);
}

char *ngx_http_x402_set_timeout(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->timeout != NGX_CONF_UNSET_UINT) {
        return const_cast<char *>("is duplicate");
    }
    if (!read_seconds(arguments(cf)[1], lcf->timeout)) {
        return const_cast<char *>("must be a time of at least 1s");
    }
    record_first_origin(cf, *lcf);
    return NGX_CONF_OK;
}

char *ngx_http_x402_set_settle(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto body = [](ngx_conf_t *c, void *lcf_data) -> char * {
        auto *lcf = location_conf(lcf_data);
        std::string_view word = view(arguments(c)[1]);
        if (lcf->settle != NGX_CONF_UNSET_UINT) {
            return const_cast<char *>("is duplicate");
        }
        if (word == "after") {
            lcf->settle = NGX_HTTP_X402_SETTLE_AFTER;
        } else if (word == "before") {
            lcf->settle = NGX_HTTP_X402_SETTLE_BEFORE;
        } else if (word == "off") {
            lcf->settle = NGX_HTTP_X402_SETTLE_OFF;
        } else {
            return conf_error(
                c, "\"" + std::string(word)
                       + "\" is unknown; write after, before or off");
        }
        record_first_origin(c, *lcf);
        return NGX_CONF_OK;
    };
    return config_guarded(cf, body, conf);
}

char *ngx_http_x402_set_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return set_word(cf, cmd, conf); });
}
