// SPDX-License-Identifier: Apache-2.0
#include "facilitator/facilitator_health.hpp"

#include <algorithm>

#include "base/json_document.hpp"

namespace x402 {

namespace {

// More failures than these need not be stored to know that they are too many.
constexpr std::size_t kKeptFailures = 128;
// After so many calls in a row without any answer it is silent.
constexpr unsigned kSilence = 3;

bool is_gateway_trouble(int status)
{
    return status == 502 || status == 503 || status == 504;
}

bool is_success_status(int status)
{
    return status >= 200 && status < 300;
}

// The result of status and transport alone; `understood`: the body was a valid
// answer to the request.
CallHealth health_of(const FacilitatorReply &reply, bool understood)
{
    if (reply.transport != Transport::answered
        || is_gateway_trouble(reply.status)) {
        return CallHealth::failure;
    }
    if (reply.status >= 500) {
        return CallHealth::error;
    }
    return is_success_status(reply.status) && !understood
               ? CallHealth::failure
               : CallHealth::answered;
}

bool says_boolean(const FacilitatorReply &reply, const char *member)
{
    JsonLimits limits;
    limits.bytes = kMaxReplyBytes;
    auto document = JsonDocument::parse(reply.body, limits);
    return document && document->root()[member].is_boolean();
}

std::size_t count_payers(std::vector<std::uint64_t> payers)
{
    std::sort(payers.begin(), payers.end());
    return static_cast<std::size_t>(std::unique(payers.begin(), payers.end())
                                    - payers.begin());
}

}  // namespace

CallHealth call_health(const FacilitatorReply &reply,
                       const VerifyAnswer &answer)
{
    if (answer.verdict == VerifyVerdict::valid) {
        return CallHealth::success;
    }
    bool understood = answer.verdict == VerifyVerdict::invalid;
    return health_of(reply, understood);
}

CallHealth call_health(const FacilitatorReply &reply,
                       const SettleAnswer &answer)
{
    if (answer.verdict == SettleVerdict::paid) {
        return CallHealth::success;
    }
    // Unknown includes a refusal for a reason that proves nothing, which is an
    // answer, too.
    bool odd = answer.verdict == SettleVerdict::unknown
               && reply.transport == Transport::answered
               && is_success_status(reply.status);
    return health_of(reply, !odd || says_boolean(reply, "success"));
}

bool verify_may_move(const FacilitatorReply &reply)
{
    return reply.transport != Transport::answered
           || is_gateway_trouble(reply.status);
}

FacilitatorHealth::Advice FacilitatorHealth::advice(std::uint64_t now) const
{
    if (!is_open()) {
        return {};
    }
    bool silent = silent_ >= kSilence;
    // While it answers and only settle fails, every payment that settles first
    // is a probe.
    bool probes = silent || verify_.open;
    if (probes && now - probed_at_ >= kProbeEvery) {
        return {BreakerAction::proceed, true};
    }
    return {silent ? BreakerAction::do_not_call : BreakerAction::settle_first,
            false};
}

HealthChange FacilitatorHealth::note(bool settle, CallHealth health,
                                     std::uint64_t payer, std::uint64_t now)
{
    Breaker &breaker = settle ? settle_ : verify_;
    silent_ = health == CallHealth::failure ? silent_ + 1 : 0;
    switch (health) {
    case CallHealth::success:
        return record_success(breaker, now);
    case CallHealth::error:
    case CallHealth::failure:
        return record_failure(breaker,
                              {now, payer, health == CallHealth::error});
    case CallHealth::answered:
        break;
    }
    return HealthChange::none;
}

HealthChange FacilitatorHealth::record_success(Breaker &breaker,
                                               std::uint64_t now)
{
    auto &failures = breaker.failures;
    failures.erase(
        std::remove_if(failures.begin(), failures.end(),
                       [](const Failure &failure) { return failure.error; }),
        failures.end());
    if (!failures.empty()) {
        failures.erase(failures.begin());
    }
    // Not at once: if half of the calls fail, it would flap.
    if (!breaker.open || now - breaker.opened_at < kProbeEvery) {
        return HealthChange::none;
    }
    failures.clear();
    breaker.open = false;
    return is_open() ? HealthChange::none : HealthChange::closed;
}

HealthChange FacilitatorHealth::record_failure(Breaker &breaker,
                                               Failure failure)
{
    if (terms_.max_failures == 0 || breaker.open) {
        return HealthChange::none;
    }
    auto &failures = breaker.failures;
    auto is_over = [&](const Failure &old) {
        return failure.at - old.at >= terms_.window;
    };
    failures.erase(std::remove_if(failures.begin(), failures.end(), is_over),
                   failures.end());
    if (failures.size() == kKeptFailures) {
        failures.erase(failures.begin());
    }
    failures.push_back(failure);
    if (!is_too_much(breaker)) {
        return HealthChange::none;
    }
    bool was_open = is_open();
    failures.clear();
    breaker.open = true;
    breaker.opened_at = failure.at;
    probed_at_ = failure.at;
    return was_open ? HealthChange::none : HealthChange::opened;
}

bool FacilitatorHealth::is_too_much(const Breaker &breaker) const
{
    std::vector<std::uint64_t> broken;
    std::vector<std::uint64_t> erring;
    for (const Failure &failure : breaker.failures) {
        (failure.error ? erring : broken).push_back(failure.payer);
    }
    // One payment that its code fails on, sent repeatedly, says nothing about
    // others.
    if (count_payers(erring) >= kMinPayers) {
        broken.insert(broken.end(), erring.begin(), erring.end());
    }
    return broken.size() >= terms_.max_failures
           && count_payers(broken) >= kMinPayers;
}

}  // namespace x402
