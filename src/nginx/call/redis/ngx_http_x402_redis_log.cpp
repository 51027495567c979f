// SPDX-License-Identifier: Apache-2.0
// What a link logs for the operator.
#include "base/text_excerpt.hpp"
#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "store/store_error.hpp"

namespace x402 {

void RedisLink::complain_of(const RespReply &reply)
{
    std::string_view word = reply.error_word();
    bool of_a_node = word == "MOVED" || word == "ASK";
    if (word == "NOSCRIPT" || (server_.role == RedisRole::node && of_a_node)) {
        return;  // the caller goes on
    }
    StoreErrorAdvice advice = advice_of_store_error(reply.root().text);
    std::string why = told_as(reply);
    if (advice.reconnect) {
        fail(why, true);
    } else {
        log_failure(advice.operator_fault ? NGX_LOG_CRIT : NGX_LOG_ERR, why);
    }
}

std::string RedisLink::told_as(const RespReply &error)
{
    StoreErrorAdvice advice = advice_of_store_error(error.root().text);
    return "it answered \""
           + log_excerpt(std::string(store_error_text(error.root().text)))
           + "\"" + (*advice.advice ? std::string("; ") + advice.advice : "");
}

// The same is said once a minute.
void RedisLink::log_failure(ngx_uint_t level, const std::string &why)
{
    if (why != complained_) {
        failure_log_.forget();
    }
    complained_ = why;
    if (!failure_log_.is_due()) {
        return;
    }
    log_line(level, ngx_cycle->log, label() + ": " + why);
}

std::string RedisLink::label() const
{
    switch (server_.role) {
    case RedisRole::sentinel:
        return "sentinel \"" + server_.place.text() + "\" of the store";
    case RedisRole::node:
        return "store \"" + conf_.url.base() + "\", node \""
               + server_.place.text() + "\"";
    default:
        return "store \"" + conf_.url.base() + "\"";
    }
}

}  // namespace x402
