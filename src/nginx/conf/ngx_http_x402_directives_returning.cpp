// SPDX-License-Identifier: Apache-2.0
// How clients that have paid come back: x402_pass, x402_sign_in and
// x402_seal_key.
#include <memory>
#include <optional>

#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_directive_words.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/zone/ngx_http_x402_bought_zone.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"
#include "policy/network_table.hpp"
#include "protocol/sign_in_message.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestKeyFile = 4096;
constexpr ngx_int_t kMostRequests = 1000000000;
// Of a pass that is counted, and has no time=.
constexpr std::uint32_t kCountedSeconds = 30 * 24 * 3600;

bool read_token(std::string_view text, PassRules &rules)
{
    rules.header = text != "cookie";
    rules.cookie = text != "header";
    return text == "header" || text == "cookie" || text == "both";
}

bool read_requests(std::string_view text, PassRules &rules)
{
    ngx_str_t digits = to_ngx_str(text);
    ngx_int_t count =
        text.empty() ? NGX_ERROR : ngx_atoi(digits.data, digits.len);
    if (count < 1 || count > kMostRequests) {
        return false;
    }
    rules.requests = static_cast<std::uint32_t>(count);
    return true;
}

// Without the end of its line, which an editor may add.
std::string_view key_in(std::string_view text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

// One more key of `keys`. False: an error was printed.
bool read_seal_key(ngx_conf_t *cf, ngx_str_t path, SealKeys &keys)
{
    SecretText file;
    if (read_secret_file(cf, path, kLongestKeyFile, file, kMakeRandom)
        != NGX_CONF_OK) {
        return false;
    }
    std::string_view key = key_in(file.view());
    if (key.size() < kLeastSealKey) {
        config_file_error(cf, path, 0,
                          "is too short for a key: it needs at least 32 random "
                          "bytes, such as \"openssl rand -hex 32\" makes");
        return false;
    }
    keys.keys.push_back(std::make_shared<const SecretText>(key));
    return true;
}

// False: an error was printed, or no memory.
bool read_key_file(ngx_conf_t *cf, std::string_view path, PassRules &rules)
{
    if (rules.keys == nullptr) {
        rules.keys = pool_new<SealKeys>(cf->pool);
    }
    ngx_str_t file = pool_copy(cf->pool, path);
    return rules.keys && file.data && read_seal_key(cf, file, *rules.keys);
}

// False: an error was printed.
bool read_pass_words(ngx_conf_t *cf, PassRules &rules,
                     std::optional<std::string_view> &zone)
{
    auto read_zone = [&](std::string_view value) {
        zone = value;
        return WordRead::good;
    };
    return read_words(
        cf, 1,
        {{"time=",
          [&](auto v) { return read_if(read_lifetime(v, rules.seconds)); }},
         {"requests=",
          [&](auto v) { return read_if(read_requests(v, rules)); }},
         {"scope=", [&](auto v) { return read_if(read_scope(v, rules)); }},
         {"token=", [&](auto v) { return read_if(read_token(v, rules)); }},
         {"key=",
          [&](auto v) { return read_if(read_client_key(cf, v, rules)); }},
         // One that signs and others that are still accepted.
         {"key_file=",
          [&](auto v) {
              return read_key_file(cf, v, rules) ? WordRead::good
                                                 : WordRead::reported;
          },
          true},
         {"zone=", read_zone}},
        "time=1h, requests=100, scope=url, location, server or a name unlike "
        "these, token=header, cookie or both, key=$remote_addr, "
        "key_file=path, zone=name:size, or off");
}

char *set_pass(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->pass != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *rules = pool_new<PassRules>(cf->pool);
    if (rules == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->pass = rules;
    record_origin(cf, rules->origin);
    if (cf->args->nelts == 2 && view(arguments(cf)[1]) == "off") {
        rules->off = true;
        return NGX_CONF_OK;
    }
    std::optional<std::string_view> zone;
    if (!read_pass_words(cf, *rules, zone)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (rules->seconds == 0 && rules->requests == 0) {
        return conf_error(cf, "\"x402_pass\" has no end; write a time such as "
                              "time=1h, or a number such as requests=100");
    }
    rules->seconds = rules->seconds ? rules->seconds : kCountedSeconds;
    if (rules->requests == 0) {
        return zone ? conf_error(cf, "\"zone=\" is for passes that are "
                                     "counted; write requests= too")
                    : NGX_CONF_OK;
    }
    rules->zone = pass_zone(cf, zone);
    return rules->zone ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

char *set_seal_key(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->seal_keys != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *keys = pool_new<SealKeys>(cf->pool);
    if (keys == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        if (!read_seal_key(cf, arguments(cf)[i], *keys)) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    keys->used = record_setting(
        cf, "x402_seal_key has no effect: no location with a price that knows "
            "it has x402_pass or x402_sign_in, or accepts MPP");
    lcf->seal_keys = keys;
    return keys->used ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

constexpr std::size_t kLongestStatement = 200;

// scheme://host[:port], in lower case, without a path.
bool read_site(std::string_view text, SignInRules &rules)
{
    std::size_t scheme = text.find("://");
    std::string_view name = scheme == std::string_view::npos
                                ? std::string_view()
                                : text.substr(0, scheme);
    std::string_view rest =
        name.empty() ? std::string_view() : text.substr(scheme + 3);
    bool plain = !rest.empty();
    for (char c : rest) {
        plain = plain
                && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'
                    || c == '-' || c == ':' || c == '[' || c == ']');
    }
    rules.site = std::string(text);
    return plain && (name == "https" || name == "http");
}

// One line of printable ASCII (EIP-4361).
bool read_statement(std::string_view text, SignInRules &rules)
{
    rules.statement = std::string(text);
    if (has_variable(text)) {
        return false;
    }
    for (char c : text) {
        if (c < ' ' || c > '~') {
            return false;
        }
    }
    return !text.empty() && text.size() <= kLongestStatement;
}

bool read_path(ngx_conf_t *cf, std::string_view text, std::string &path)
{
    ngx_str_t full = pool_copy(cf->pool, text);
    if (full.len == 0 || has_variable(text)
        || ngx_conf_full_name(cf->cycle, &full, 0) != NGX_OK) {
        return false;
    }
    path = copy(full);
    return true;
}

// A network whose accounts can sign in.
bool read_chain(std::string_view text, SignInRules &rules)
{
    auto chain = caip2_network(text);
    if (!chain || sign_in_type(*chain) == nullptr) {
        return false;
    }
    rules.chains.push_back(*chain);
    return true;
}

struct SignInWords {
    std::optional<std::string_view> zone;
    std::string file;
    std::string_view of_purchases;  // a word about what was bought
};

// False: an error was printed.
bool read_sign_in_words(ngx_conf_t *cf, SignInRules &rules, SignInWords &words)
{
    auto about_purchases = [&](std::string_view key, auto read) {
        return DirectiveWord{key, [&words, key, read](std::string_view value) {
                                 words.of_purchases = key;
                                 return read_if(read(value));
                             }};
    };
    auto read_zone = [&](std::string_view value) {
        words.zone = value;
        return true;
    };
    auto read_only = [&](std::string_view rest) {
        rules.only = rest.empty();
        return read_if(rules.only);
    };
    return read_words(
        cf, 1,
        {{"only", read_only},
         {"network=", [&](auto v) { return read_if(read_chain(v, rules)); },
          true},
         {"statement=",
          [&](auto v) { return read_if(read_statement(v, rules)); }},
         {"origin=", [&](auto v) { return read_if(read_site(v, rules)); }},
         about_purchases(
             "time=", [&](auto v) { return read_lifetime(v, rules.seconds); }),
         about_purchases("scope=",
                         [&](auto v) { return read_scope(v, rules); }),
         about_purchases("key=",
                         [&](auto v) { return read_client_key(cf, v, rules); }),
         about_purchases("zone=", read_zone),
         about_purchases("file=",
                         [&](auto v) { return read_path(cf, v, words.file); })},
        "time=30d, scope=url, location, server or a name unlike these, "
        "key=$variable, \"statement=one line\", origin=https://example.com, "
        "zone=name:size, file=path, only, network=base or another EVM network "
        "or Solana, or off");
}

// Empty: the words go together.
std::string contradiction(const SignInRules &rules, const SignInWords &words)
{
    if (rules.only && !words.of_purchases.empty()) {
        return "\"x402_sign_in only\" accepts each signature, whatever was "
               "bought; take \""
               + std::string(words.of_purchases) + "\" away, or \"only\"";
    }
    if (!rules.only && !rules.chains.empty()) {
        return "\"network=\" belongs to \"x402_sign_in only\"; where a price "
               "is asked for, accounts of its networks sign in";
    }
    if (!rules.only && rules.seconds == 0) {
        return "\"x402_sign_in\" needs to know how long a payment counts; "
               "write a time such as time=30d, or \"only\" to ask for a "
               "signature and no payment";
    }
    return {};
}

char *set_sign_in(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->sign_in != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *rules = pool_new<SignInRules>(cf->pool);
    if (rules == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->sign_in = rules;
    rules->scope = ScopeKind::url;
    record_origin(cf, rules->origin);
    if (cf->args->nelts == 2 && view(arguments(cf)[1]) == "off") {
        rules->off = true;
        return NGX_CONF_OK;
    }
    SignInWords words;
    if (!read_sign_in_words(cf, *rules, words)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    std::string why = contradiction(*rules, words);
    if (!why.empty()) {
        return conf_error(cf, why);
    }
    if (!rules->only) {
        rules->zone = bought_zone(cf, words.zone, words.file);
    }
    if (rules->only || rules->zone) {
        rules->nonces = nonce_zone(cf);
    }
    return rules->nonces ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_pass(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_pass, conf);
}

char *ngx_http_x402_set_seal_key(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_seal_key, conf);
}

char *ngx_http_x402_set_sign_in(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_sign_in, conf);
}
