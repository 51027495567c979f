// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_log_seldom.hpp"

#include <map>

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

void log_seldom(ngx_uint_t level, ngx_log_t *log, const std::string &text)
{
    constexpr time_t kEvery = 60;
    static std::map<std::string, LogThrottle> said;
    if (said.try_emplace(text, kEvery).first->second.is_due()) {
        log_line(level, log, text);
    }
}

}  // namespace x402
