// SPDX-License-Identifier: Apache-2.0
// The words "name=value" of a directive: in any order, each of them once.
#ifndef NGX_HTTP_X402_DIRECTIVE_WORDS_HPP
#define NGX_HTTP_X402_DIRECTIVE_WORDS_HPP

#include <functional>
#include <string_view>
#include <vector>

#include "nginx/core/ngx_http_x402_directive.hpp"

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

}  // namespace x402

#endif
