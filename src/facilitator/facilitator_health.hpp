// How one facilitator has been doing, as one worker saw it: the breaker.
//
// It is told of every answer to verify and settle, and says how the next
// payment is to be handled. It counts what the facilitator is to blame for and
// never a refusal, since refusals are made by whoever sends payments; payers
// are those that payments name, so that anybody can invent them. What anybody
// could provoke must therefore not close the shop: as long as the facilitator
// says anything at all, an open breaker only means "settle first".
//
// Pure: no clock, no log. Times are ms of any steady clock.
#ifndef X402_FACILITATOR_FACILITATOR_HEALTH_HPP
#define X402_FACILITATOR_FACILITATOR_HEALTH_HPP

#include <cstdint>
#include <vector>

#include "facilitator/settle_answer.hpp"
#include "facilitator/verify_answer.hpp"

namespace x402 {

// What an answer says about the facilitator.
enum class CallHealth {
    success,   // valid, or paid
    answered,  // a refusal or another answer that is nobody's failure
    error,     // a plain 500: it answers, but something is wrong
    failure,   // no connection, TLS, timeout, reset, 502 to 504, garbage in 2xx
};

CallHealth call_health(const FacilitatorReply &reply,
                       const VerifyAnswer &answer);
CallHealth call_health(const FacilitatorReply &reply,
                       const SettleAnswer &answer);

// When verify may be asked of somebody else: no answer, or 502, 503, 504.
// Nothing moves by verify, so that a call that broke off may be made again.
bool verify_may_move(const FacilitatorReply &reply);

struct HealthTerms {
    unsigned max_failures = 5;      // that open the breaker; 0: it never opens
    std::uint64_t window = 30'000;  // ms, in which they have to come

    bool operator==(const HealthTerms &other) const
    {
        return max_failures == other.max_failures && window == other.window;
    }
};

enum class Course {
    usual,         // as the location says
    settle_first,  // settle before content: no work for nothing
    closed,        // do not ask
};

enum class HealthChange { none, opened, closed };

class FacilitatorHealth {
public:
    static constexpr std::size_t kMinPayers = 3;
    static constexpr std::uint64_t kProbeEvery = 5'000;  // ms

    explicit FacilitatorHealth(HealthTerms terms = {}) : terms_(terms) {}

    struct Advice {
        Course course = Course::usual;
        // Let through though the breaker is open; begin_probe() when it is.
        bool probe = false;
    };
    Advice advice(std::uint64_t now) const;
    void begin_probe(std::uint64_t now) { probed_at_ = now; }

    // `payer` tells payers apart, by any number.
    HealthChange note(bool settle, CallHealth health, std::uint64_t payer,
                      std::uint64_t now);

    bool is_open() const { return verify_.open || settle_.open; }

private:
    struct Failure {
        std::uint64_t at;
        std::uint64_t payer;
        bool error;  // a plain 500
    };
    // Of one operation. A success takes one failure away and all errors.
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
    unsigned silent_ = 0;  // failures since it last said anything
};

}  // namespace x402

#endif
