// SPDX-License-Identifier: Apache-2.0
// A line in the error log that each request may cause.
#ifndef NGX_HTTP_X402_LOG_SELDOM_HPP
#define NGX_HTTP_X402_LOG_SELDOM_HPP

#include <string>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// When something was said last, so that it is said once in a while. By the
// steady clock: nothing falls silent because the time of day was set back.
class LogThrottle {
public:
    explicit LogThrottle(time_t seconds) : pause_(seconds) {}

    // Whether to say it now, as it is the first time, or long ago.
    bool is_due()
    {
        ngx_msec_t pause = static_cast<ngx_msec_t>(pause_) * 1000;
        if (said_ && ngx_current_msec - last_ < pause) {
            return false;
        }
        said_ = true;
        last_ = ngx_current_msec;
        return true;
    }
    // The next time counts as the first one.
    void forget() { said_ = false; }

private:
    time_t pause_;
    bool said_ = false;
    ngx_msec_t last_ = 0;
};

// As log_line(): a text is said once a minute by each process. It is kept, so
// nothing of a request may be in it.
void log_seldom(ngx_uint_t level, ngx_log_t *log, const std::string &text);

}  // namespace x402

#endif
