// SPDX-License-Identifier: Apache-2.0
// Lines in the error log. Texts from outside must have passed log_excerpt()
// (base/text_excerpt.hpp) or be of a checked alphabet. A line that each
// request may cause is written once in a while (log_seldom, LogThrottle).
#ifndef NGX_HTTP_X402_LOG_HPP
#define NGX_HTTP_X402_LOG_HPP

#include <string>
#include <string_view>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "policy/refusal_words.hpp"

namespace x402 {

// "x402: " and the text, at an nginx level (NGX_LOG_...).
void log_line(ngx_uint_t level, ngx_log_t *log, std::string_view text);

// The line that comes with the word of a refusal, at the level of that word.
void log_refusal(const RefusalWord &word, ngx_log_t *log,
                 std::string_view text);

// A sentence about configuration, with the file and line of a directive that
// was read earlier (for the one being read nginx adds them itself).
void log_conf(ngx_conf_t *cf, ngx_uint_t level, const std::string &sentence,
              const ConfOrigin &origin);

// What a money event is about; empty members are left out.
struct LedgerEntry {
    std::string_view event;  // "paid", "refused", "unknown", "owed", ...
    std::string_view network;
    std::string_view payer;
    std::string_view amount;
    std::string_view asset;
    std::string_view transaction;
    std::string_view reason;
    std::string_view resource;
    std::string_view id;  // of the payment, its beginning
};

// One line at notice for each event that concerns money.
void log_ledger(ngx_log_t *log, const LedgerEntry &entry);

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
