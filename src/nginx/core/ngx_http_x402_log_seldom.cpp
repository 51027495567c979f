// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_log_seldom.hpp"

#include <map>

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

void log_seldom(ngx_uint_t level, ngx_log_t *log, const std::string &text)
{
    constexpr time_t kEvery = 60;
    static std::map<std::string, time_t> said;
    auto [last, is_new] = said.emplace(text, ngx_time());
    if (is_new || ngx_time() - last->second >= kEvery) {
        last->second = ngx_time();
        log_line(level, log, text);
    }
}

}  // namespace x402
