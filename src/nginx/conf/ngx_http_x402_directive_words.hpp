// SPDX-License-Identifier: Apache-2.0
// The words "name=value" of a directive: in any order, each of them once.
#ifndef NGX_HTTP_X402_DIRECTIVE_WORDS_HPP
#define NGX_HTTP_X402_DIRECTIVE_WORDS_HPP

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"

namespace x402 {

enum class WordRead {
    good,
    bad,       // the value cannot be used; its reader printed nothing
    reported,  // the value cannot be used, and its reader said why
};

struct DirectiveWord {
    std::string_view key;  // with its "="
    // Lifetime: called while the words are read, and not after it.
    std::function<WordRead(std::string_view value)> read;
    bool repeats = false;  // may be written more than once
};

inline WordRead read_if(bool good)
{
    return good ? WordRead::good : WordRead::bad;
}

// Keeps the value as it is. Lifetime: the arguments of the directive.
inline std::function<WordRead(std::string_view)> kept_in(std::string_view &out)
{
    return [&out](std::string_view value) {
        out = value;
        return read_if(!value.empty());
    };
}

// Reads all arguments from number `first` on. `usage` says what can be written,
// for the operator. False: an error was printed.
bool read_words(ngx_conf_t *cf, ngx_uint_t first,
                const std::vector<DirectiveWord> &words,
                std::string_view usage);

// Words that x402_pass and x402_sign_in have in common.

// Whether a letter was left out, added or replaced; the case does not count.
inline bool is_mistyped(std::string_view text, std::string_view word)
{
    auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    std::size_t front = 0;
    while (front < text.size() && front < word.size()
           && same(text[front], word[front])) {
        front++;
    }
    text.remove_prefix(front);
    word.remove_prefix(front);
    while (!text.empty() && !word.empty() && same(text.back(), word.back())) {
        text.remove_suffix(1);
        word.remove_suffix(1);
    }
    return text.size() <= 1 && word.size() <= 1;
}

// Money: a name opens all that bears it, so that a slip must not become one.
inline bool is_name_of_scope(std::string_view text)
{
    for (std::string_view word :
         {"url", "location", "server", "path", "host"}) {
        if (is_mistyped(text, word)) {
            return false;
        }
    }
    return true;
}

// url, location, server, or a name. False: empty, with variables, or a slip.
inline bool read_scope(std::string_view text, ScopeRules &rules)
{
    rules.name.clear();
    if (text == "url") {
        rules.scope = ScopeKind::url;
    } else if (text == "location") {
        rules.scope = ScopeKind::location;
    } else if (text == "server") {
        rules.scope = ScopeKind::server;
    } else {
        rules.scope = ScopeKind::name;
        rules.name = std::string(text);
        return is_name_of_scope(text) && !text.empty() && !has_variable(text);
    }
    return true;
}

// A value with a variable. False: a constant, or nginx printed an error.
inline bool read_client_key(ngx_conf_t *cf, std::string_view text,
                            ScopeRules &rules)
{
    if (!has_variable(text)) {
        return false;
    }
    rules.key = compile_value(cf, to_ngx_str(text));
    return rules.key != nullptr;
}

// A second at least, a year at most.
inline bool read_lifetime(std::string_view text, std::uint32_t &out)
{
    constexpr ngx_uint_t kLongest = 366 * 24 * 3600;
    ngx_uint_t seconds = 0;
    if (!read_seconds(to_ngx_str(text), seconds) || seconds > kLongest) {
        return false;
    }
    out = static_cast<std::uint32_t>(seconds);
    return true;
}

}  // namespace x402

#endif
