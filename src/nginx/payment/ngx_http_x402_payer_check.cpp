// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_payer_check.hpp"

#include <algorithm>

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_batch.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

namespace x402 {

namespace {

void refuse(RequestCtx &ctx, OwnReply answer)
{
    answer.refusal = true;
    ctx.accepted = false;  // a page for this answer includes nothing for it
    if (ctx.state() == PaymentState::paid) {
        answer.charged = nullptr;
        answer.receipt = ctx.receipt;
        log_line(NGX_LOG_ERR, ctx.r->connection->log,
                 "a payment was settled, and then refused by a payer rule of "
                 "the location that its request was redirected to; its content "
                 "is owed: write the rule in the first location, too");
    }
    if (ctx.payment) {
        bool redirected = ctx.state() == PaymentState::verified
                          || ctx.state() == PaymentState::paid;
        end_payment(ctx,
                    redirected ? PaymentEvent::content_broken
                               : PaymentEvent::verify_failed,
                    std::move(answer));
    } else {
        decide(ctx, std::move(answer));
    }
}

bool refuse_for(RequestCtx &ctx, const std::string &payer,
                const RefusalWord &word, std::uint64_t wait_ms)
{
    OwnReply answer = fault_answer(word);
    answer.retry_after = static_cast<ngx_uint_t>((wait_ms + 999) / 1000);
    log_refusal(word, ctx.r->connection->log,
                "a rule of the location refuses the payer " + log_excerpt(payer)
                    + ": " + word.word);
    refuse(ctx, std::move(answer));
    return false;
}

// An address with letters of another case is the same payer.
std::string in_one_spelling(std::string payer)
{
    if (payer.substr(0, 2) == "0x") {
        std::transform(payer.begin(), payer.end(), payer.begin(), [](char c) {
            return c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A'))
                                        : c;
        });
    }
    return payer;
}

bool within_quota(RequestCtx &ctx, const PayerQuota &quota,
                  const std::string &payer)
{
    std::string_view subject = payer;
    if (!evaluate(ctx.r, quota.key, subject)) {
        refuse(ctx, fault_answer(kNoMemoryForRule));
        return false;
    }
    if (subject.empty()) {
        return true;
    }
    std::uint64_t wait = count_usage(quota.zone, quota.rule, subject,
                                     quota.quota, count_requests(ctx));
    return wait == 0 || refuse_for(ctx, payer, kQuotaUsedUp, wait);
}

template <class Rule> bool is_one_rule(const Rule &one, const Rule &other)
{
    return one.zone == other.zone && one.rule == other.rule;
}

// A request that is redirected is counted once for each rule.
bool was_asked(const RequestCtx &ctx, const PayerLimit &limit)
{
    return std::any_of(ctx.rules_asked.begin(), ctx.rules_asked.end(),
                       [&](const PayerRules *asked) {
                           return asked->limit
                                  && is_one_rule(limit, *asked->limit);
                       });
}

bool was_asked(const RequestCtx &ctx, const PayerQuota &quota)
{
    return std::any_of(ctx.rules_asked.begin(), ctx.rules_asked.end(),
                       [&](const PayerRules *asked) {
                           return std::any_of(
                               asked->quotas.begin(), asked->quotas.end(),
                               [&](const PayerQuota &other) {
                                   return is_one_rule(quota, other);
                               });
                       });
}

bool denies(RequestCtx &ctx, const PayerRules &rules, const std::string &payer)
{
    if (ngx_http_test_predicates(ctx.r, rules.deny) != NGX_DECLINED) {
        return false;
    }
    log_refusal(kPayerRefused, ctx.r->connection->log,
                "x402_deny refuses the payer " + log_excerpt(payer));
    refuse(ctx, fault_answer(kPayerRefused));
    return true;
}

bool rules_allow(RequestCtx &ctx, const PayerRules &rules,
                 const std::string &payer)
{
    if (denies(ctx, rules, payer)) {
        return false;
    }
    std::string subject = in_one_spelling(payer);
    if (rules.limit && !subject.empty() && !was_asked(ctx, *rules.limit)) {
        std::uint64_t wait =
            count_usage(rules.limit->zone, rules.limit->rule, subject,
                        rules.limit->rate, count_requests(ctx));
        if (wait != 0) {
            return refuse_for(ctx, payer, kPayerTooFast, wait);
        }
    }
    bool allowed = std::all_of(
        rules.quotas.begin(), rules.quotas.end(), [&](const PayerQuota &quota) {
            return was_asked(ctx, quota) || within_quota(ctx, quota, subject);
        });
    if (allowed) {
        ctx.rules_asked.push_back(&rules);
    }
    return allowed;
}

bool has_asked(const RequestCtx &ctx, const LocationConf &conf)
{
    return std::find(ctx.rules_asked.begin(), ctx.rules_asked.end(),
                     conf.payer_rules)
           != ctx.rules_asked.end();
}

// Its payer is what the client has written: a stranger could use up the limit
// of another, or not be found in a list.
bool refuse_unknown_payer(RequestCtx &ctx)
{
    log_refusal(kPayerNotVerified, ctx.r->connection->log,
                "an unverified payment (x402_verify) was redirected into a "
                "location with payer rules, and is refused, not charged: write "
                "the rules in the first location, too");
    refuse(ctx, fault_answer(kPayerNotVerified));
    return false;
}

}  // namespace

bool has_payer_rules(const LocationConf &conf)
{
    return conf.payer_rules && conf.payer_rules->ask_payer();
}

bool payer_may_buy(RequestCtx &ctx)
{
    const LocationConf &conf = *ctx.quote.conf;
    return !has_payer_rules(conf)
           || rules_allow(ctx, *conf.payer_rules, ctx.payment->payer);
}

bool payer_may_go_on(RequestCtx &ctx, const LocationConf &conf)
{
    if (!has_payer_rules(conf)
        || conf.payer_rules == ctx.quote.conf->payer_rules
        || has_asked(ctx, conf)) {
        return true;
    }
    const Payment &payment = *ctx.payment;
    if (!payment.payer_known) {
        return refuse_unknown_payer(ctx);
    }
    return payment.resumed ? !denies(ctx, *conf.payer_rules, payment.payer)
                           : rules_allow(ctx, *conf.payer_rules, payment.payer);
}

bool returning_payer_allowed(RequestCtx &ctx, const LocationConf &conf)
{
    return !has_payer_rules(conf) || has_asked(ctx, conf)
           || rules_allow(ctx, *conf.payer_rules,
                          std::string(ctx.returning->payer));
}

}  // namespace x402
