// SPDX-License-Identifier: Apache-2.0
// Which payments a location accepts: x402_protocol, x402_validity, and what
// single protocols need, x402_mpp, x402_nevermined and x402_token_header.
#include <algorithm>
#include <cctype>

#include "base/header_syntax.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_directive_words.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_mpp.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

namespace {

constexpr std::string_view kBlanks = " \t\r";

char *set_protocol(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->dialects != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *dialects = pool_new<Dialects>(cf->pool);
    if (dialects == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        const Dialect *dialect = find_dialect(word);
        if (dialect == nullptr) {
            return conf_error(cf, "unknown protocol \"" + std::string(word)
                                      + "\"; write one of " + dialect_names()
                                      + ", or \"v2 v1\""
                                      + near_dialect_question(word));
        }
        for (const Dialect *other : *dialects) {
            if (other == dialect) {
                return conf_error(cf, "protocol \"" + std::string(word)
                                          + "\" is written twice");
            }
            if (other->uses_bearer_tokens() || dialect->uses_bearer_tokens()) {
                return conf_error(cf, "\"nevermined\" cannot be combined with "
                                      "other protocols at one location");
            }
            if (other->payment_header() == dialect->payment_header()) {
                return conf_error(cf, "payments of \""
                                          + std::string(other->name())
                                          + "\" and \"" + std::string(word)
                                          + "\" come in the same header; write "
                                            "one of them");
            }
        }
        dialects->push_back(dialect);
    }
    // x402: if a request carries both payments, the newer version counts.
    if (dialects->size() > 1 && dialects->front() != &dialect_v2()) {
        return conf_error(cf, "write \"v2 "
                                  + std::string(dialects->front()->name())
                                  + "\": a payment of version 2 is preferred "
                                    "where both are accepted");
    }
    lcf->dialects = dialects;
    record_first_origin(cf, *lcf);
    return NGX_CONF_OK;
}

// Claims are kept that long, and the zone has to hold all of them.
constexpr ngx_uint_t kLongestSeconds = 7 * 24 * 3600;

char *set_validity(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    struct {
        std::string_view key;
        ngx_uint_t *target;
    } known[] = {
        {"min=", &lcf->validity_min},
        {"max=", &lcf->validity_max},
    };
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        ngx_str_t word = arguments(cf)[i];
        ngx_uint_t *target = nullptr;
        for (auto &entry : known) {
            if (view(word).substr(0, entry.key.size()) == entry.key) {
                target = entry.target;
            }
        }
        if (target == nullptr) {
            return conf_error(cf, "unknown parameter \"" + copy(word)
                                      + "\"; write min= or max= and a time");
        }
        if (*target != NGX_CONF_UNSET_UINT) {
            return const_cast<char *>("is duplicate");
        }
        ngx_str_t value = {word.len - 4, word.data + 4};
        time_t seconds = ngx_parse_time(&value, 1);
        if (value.len == 0 || seconds == static_cast<time_t>(NGX_ERROR)
            || static_cast<ngx_uint_t>(seconds) > kLongestSeconds) {
            return conf_error(cf, "\"" + copy(word)
                                      + "\" must be a time of at most 7d, like "
                                        "30s or 1h");
        }
        *target = static_cast<ngx_uint_t>(seconds);
    }
    if (lcf->validity_min != NGX_CONF_UNSET_UINT
        && lcf->validity_max != NGX_CONF_UNSET_UINT
        && lcf->validity_min >= lcf->validity_max) {
        return conf_error(cf, "min= must be less than max=");
    }
    return NGX_CONF_OK;
}

constexpr std::size_t kLongestKeyFile = 4096;
constexpr std::size_t kShortestKey = 32;

// A key a line, the one in use first. Empty, or what is wrong.
std::string read_keys(std::string_view file, MppConf &mpp)
{
    constexpr char kForm[] =
        "write one line of at least 32 characters, such as \"openssl rand -hex "
        "32\" makes, and the former key into a second one while it is replaced";
    while (!file.empty()) {
        std::size_t end = file.find('\n');
        std::string_view line = trimmed(file.substr(0, end), kBlanks);
        file.remove_prefix(end == std::string_view::npos ? file.size()
                                                         : end + 1);
        if (line.empty() || line.front() == '#') {
            continue;
        }
        if (line.size() < kShortestKey) {
            return std::string("has a key that is too short; ") + kForm;
        }
        SecretText &key = mpp.key.empty() ? mpp.key : mpp.previous;
        if (!key.empty()) {
            return std::string("has more than two keys; ") + kForm;
        }
        key.append(line);
    }
    return mpp.key.empty() ? std::string("has no key; ") + kForm
                           : std::string();
}

bool is_realm(std::string_view text)
{
    for (char letter : text) {
        bool fits = (letter >= 'a' && letter <= 'z')
                    || (letter >= 'A' && letter <= 'Z')
                    || (letter >= '0' && letter <= '9') || letter == '.'
                    || letter == '-' || letter == '_' || letter == ':';
        if (!fits) {
            return false;
        }
    }
    return !text.empty();
}

char *set_mpp(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->mpp_written != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *mpp = pool_new<MppConf>(cf->pool);
    if (mpp == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    ngx_str_t path{};
    auto key = [&](std::string_view value) {
        path = to_ngx_str(value);
        return read_if(!value.empty());
    };
    auto realm = [&](std::string_view value) {
        mpp->realm = value;
        return read_if(is_realm(value));
    };
    if (!read_words(cf, 1, {{"key=", key}, {"realm=", realm}},
                    "key=file, and a realm without spaces such as "
                    "realm=shop.example")) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->mpp_written = mpp;
    mpp->used = record_setting(
        cf, "x402_mpp has no effect: no location with a price that knows it "
            "accepts MPP; write x402_protocol v2 mpp there");
    if (mpp->used == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (path.data == nullptr) {
        return NGX_CONF_OK;
    }
    SecretText file;
    if (read_secret_file(cf, path, kLongestKeyFile, file, kMakeRandom)
        != NGX_CONF_OK) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    std::string error = read_keys(file.view(), *mpp);
    return error.empty() ? NGX_CONF_OK : config_file_error(cf, path, 0, error);
}

struct Environment {
    std::string_view name;
    std::string_view prefix;  // of its keys
    std::string_view backend;
    bool live;
};

constexpr Environment kEnvironments[] = {
    {"sandbox", "sandbox:", "https://api.sandbox.nevermined.app", false},
    {"live", "live:", "https://api.live.nevermined.app", true},
    {"staging_sandbox",
     "sandbox-staging:", "https://api.sandbox.nevermined.dev", false},
    {"staging_live", "live-staging:", "https://api.live.nevermined.dev", true},
};

const Environment *environment_named(std::string_view name)
{
    for (const Environment &each : kEnvironments) {
        if (each.name == name) {
            return &each;
        }
    }
    return nullptr;
}

const Environment *environment_of_key(std::string_view key)
{
    for (const Environment &each : kEnvironments) {
        if (key.substr(0, each.prefix.size()) == each.prefix) {
            return &each;
        }
    }
    return nullptr;
}

bool is_url(std::string_view text)
{
    return text.find("://") != std::string_view::npos;
}

// A key belongs to one environment and is used in that one. A URL that the
// operator wrote is used as it is.
void choose_environment(ngx_conf_t *cf, std::string_view written,
                        NeverminedConf &made)
{
    const Environment *of_key =
        environment_of_key(made.auth->key.token->view());
    const Environment *chosen = environment_named(written);
    if (chosen && of_key && of_key != chosen) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the key in \"%s\" is one of %s, which is used "
                           "instead of what is written",
                           made.auth->path.c_str(),
                           std::string(of_key->name).c_str());
        chosen = of_key;
    }
    if (chosen) {
        made.backend = chosen->backend;
        made.live = chosen->live;
        return;
    }
    made.live = of_key && of_key->live;
}

char *set_nevermined(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    constexpr std::string_view kKeyFile = "key_file=";
    if (lcf->nevermined != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    std::string_view written = view(arguments(cf)[1]);
    ngx_str_t file = arguments(cf)[2];
    if (view(file).substr(0, kKeyFile.size()) != kKeyFile) {
        return conf_error(cf, "write key_file=path after the environment");
    }
    file.data += kKeyFile.size();
    file.len -= kKeyFile.size();

    auto *made = pool_new<NeverminedConf>(cf->pool);
    if (made == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (is_url(written)) {
        auto url = parse_facilitator_url(written);
        if (!url) {
            return conf_error(cf, url.problem().text);
        }
        made->backend = url->base();
    } else if (environment_named(written) == nullptr) {
        return conf_error(cf, "unknown environment \"" + std::string(written)
                                  + "\"; write sandbox, live, staging_sandbox, "
                                    "staging_live or a URL");
    }
    made->auth = read_key_file(cf, AuthKind::bearer, file);
    if (made->auth == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    choose_environment(cf, written, *made);
    lcf->nevermined = made;
    record_first_origin(cf, *lcf);
    return NGX_CONF_OK;
}

bool is_header_name(std::string_view name)
{
    for (char byte : name) {
        bool letter = std::isalnum(static_cast<unsigned char>(byte)) != 0;
        if (!letter && byte != '-') {
            return false;
        }
    }
    return !name.empty();
}

char *set_token_header(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->token_headers != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *names = pool_new<std::vector<std::string>>(cf->pool);
    if (names == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string name = copy(arguments(cf)[i]);
        if (!is_header_name(name)) {
            return conf_error(cf, "\"" + name
                                      + "\" is not the name of a header; write "
                                        "letters, digits and hyphens");
        }
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return std::tolower(c); });
        names->push_back(std::move(name));
    }
    lcf->token_headers = names;
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_protocol(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_protocol, conf);
}

char *ngx_http_x402_set_validity(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_validity, conf);
}

char *ngx_http_x402_set_mpp(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_mpp, conf);
}

char *ngx_http_x402_set_nevermined(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_nevermined, conf);
}

char *ngx_http_x402_set_token_header(ngx_conf_t *cf, ngx_command_t *,
                                     void *conf)
{
    return config_guarded(cf, set_token_header, conf);
}
