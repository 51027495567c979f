// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_log.hpp"

#include <map>

#include "base/text_excerpt.hpp"

namespace x402 {

namespace {

ngx_uint_t level_of(const RefusalWord &word)
{
    switch (word.level) {
    case RefusalLevel::error:
        return NGX_LOG_ERR;
    case RefusalLevel::warn:
        return NGX_LOG_WARN;
    case RefusalLevel::info:
    case RefusalLevel::by_cause:
        break;
    }
    return NGX_LOG_INFO;
}

}  // namespace

void log_line(ngx_uint_t level, ngx_log_t *log, std::string_view text)
{
    if (log->log_level < level) {
        return;
    }
    ngx_log_error(level, log, 0, "x402: %*s", text.size(), text.data());
}

void log_refusal(const RefusalWord &word, ngx_log_t *log, std::string_view text)
{
    log_line(level_of(word), log, text);
}

void log_conf(ngx_conf_t *cf, ngx_uint_t level, const std::string &sentence,
              const ConfOrigin &origin)
{
    if (origin.line == 0) {
        ngx_log_error(level, cf->log, 0, "%*s", sentence.size(),
                      sentence.data());
        return;
    }
    ngx_log_error(level, cf->log, 0, "%*s in %V:%ui", sentence.size(),
                  sentence.data(), &origin.file, origin.line);
}

void log_ledger(ngx_log_t *log, const LedgerEntry &entry)
{
    if (log->log_level < NGX_LOG_NOTICE) {
        return;
    }
    std::string line = "payment " + std::string(entry.event);
    auto say = [&line](const char *name, std::string_view value) {
        if (!value.empty()) {
            line += std::string(", ") + name + ": \""
                    + log_excerpt(std::string(value)) + "\"";
        }
    };
    say("network", entry.network);
    say("payer", entry.payer);
    say("amount", entry.amount);
    say("asset", entry.asset);
    say("transaction", entry.transaction);
    say("reason", entry.reason);
    say("resource", entry.resource);
    say("id", entry.id);
    log_line(NGX_LOG_NOTICE, log, line);
}

void log_seldom(ngx_uint_t level, ngx_log_t *log, const std::string &text)
{
    constexpr time_t kEvery = 60;
    static std::map<std::string, LogThrottle> said;
    if (said.try_emplace(text, kEvery).first->second.is_due()) {
        log_line(level, log, text);
    }
}

}  // namespace x402
