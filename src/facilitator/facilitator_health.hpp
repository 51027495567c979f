// SPDX-License-Identifier: Apache-2.0
// The health of one facilitator in one worker: the breaker.
//
// It gets every answer to verify and settle, and decides how the next payment
// is handled. It counts failures of the facilitator and never a refusal,
// because clients cause refusals. Payers are those that payments name, so a
// client can invent them. Therefore nothing that a client can provoke stops all
// payments: while the facilitator answers anything at all, an open breaker only
// means "settle first".
//
// Pure: no clock, no log. Times are ms of any steady clock.
#ifndef X402_FACILITATOR_FACILITATOR_HEALTH_HPP
#define X402_FACILITATOR_FACILITATOR_HEALTH_HPP

#include <cstdint>
#include <vector>

#include "facilitator/settle_answer.hpp"
#include "facilitator/verify_answer.hpp"

namespace x402 {

// The meaning of an answer for the facilitator's health.
enum class CallHealth {
    success,   // valid, or paid
    answered,  // a refusal or another answer that is not a failure
    error,     // a plain 500: it answers, but something is wrong
    failure,   // no connection, TLS, timeout, reset, 502-504, unreadable 2xx
};

CallHealth call_health(const FacilitatorReply &reply,
                       const VerifyAnswer &answer);
CallHealth call_health(const FacilitatorReply &reply,
                       const SettleAnswer &answer);

// Whether verify may move to another facilitator: no answer, or 502, 503, 504.
// Verify moves no money, so a call that broke off may be repeated.
bool verify_may_move(const FacilitatorReply &reply);

struct HealthTerms {
    unsigned max_failures = 5;      // open the breaker; 0: it never opens
    std::uint64_t window = 30'000;  // ms, in which they are counted

    bool operator==(const HealthTerms &other) const
    {
        return max_failures == other.max_failures && window == other.window;
    }
};

enum class BreakerAction {
    proceed,       // as configured
    settle_first,  // settle before content: no unpaid work
    do_not_call,
};

enum class HealthChange { none, opened, closed };

class FacilitatorHealth {
public:
    static constexpr std::size_t kMinPayers = 3;
    static constexpr std::uint64_t kProbeEvery = 5'000;  // ms

    explicit FacilitatorHealth(HealthTerms terms = {}) : terms_(terms) {}

    struct Advice {
        BreakerAction action = BreakerAction::proceed;
        // Let through although the breaker is open; call begin_probe() then.
        bool probe = false;
    };
    Advice advice(std::uint64_t now) const;
    void begin_probe(std::uint64_t now) { probed_at_ = now; }

    // `payer` is any number that distinguishes payers.
    HealthChange note(bool settle, CallHealth health, std::uint64_t payer,
                      std::uint64_t now);

    bool is_open() const { return verify_.open || settle_.open; }

private:
    struct Failure {
        std::uint64_t at;
        std::uint64_t payer;
        bool error;  // a plain 500
    };
    // For one operation. A success removes one failure and all errors.
    struct Breaker {
        std::vector<Failure> failures;  // oldest first
        bool open = false;
        std::uint64_t opened_at = 0;
    };

    HealthChange record_success(Breaker &breaker, std::uint64_t now);
    HealthChange record_failure(Breaker &breaker, Failure failure);
    bool is_too_much(const Breaker &breaker) const;

    HealthTerms terms_;
    Breaker verify_;
    Breaker settle_;
    std::uint64_t probed_at_ = 0;
    unsigned silent_ = 0;  // failures since its last answer
};

}  // namespace x402

#endif
