// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_directive_words.hpp"

#include <algorithm>

namespace x402 {

bool read_words(ngx_conf_t *cf, ngx_uint_t first,
                const std::vector<DirectiveWord> &words, std::string_view usage)
{
    std::vector<bool> written(words.size());
    for (ngx_uint_t i = first; i < cf->args->nelts; i++) {
        std::string_view text = view(arguments(cf)[i]);
        auto word = std::find_if(
            words.begin(), words.end(), [&](const DirectiveWord &known) {
                return text.substr(0, known.key.size()) == known.key;
            });
        auto number = static_cast<std::size_t>(word - words.begin());
        if (word != words.end() && written[number] && !word->repeats) {
            conf_error(cf, std::string(word->key) + " is written twice");
            return false;
        }
        WordRead read = word == words.end()
                            ? WordRead::bad
                            : word->read(text.substr(word->key.size()));
        if (read == WordRead::bad) {
            conf_error(cf, "\"" + std::string(text)
                               + "\" cannot be used; write "
                               + std::string(usage));
        }
        if (read != WordRead::good) {
            return false;
        }
        written[number] = true;
    }
    return true;
}

}  // namespace x402
