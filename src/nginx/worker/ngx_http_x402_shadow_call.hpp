// SPDX-License-Identifier: Apache-2.0
// A payment for a location that is only tried (`x402 shadow`): it is verified
// when its request is over, and what would have happened to it is booked. It
// takes no claim, no slot and no place in its client's share, and the health of
// facilitators does not follow from it: nothing that is sold depends on it.
#ifndef NGX_HTTP_X402_SHADOW_CALL_HPP
#define NGX_HTTP_X402_SHADOW_CALL_HPP

#include <string>
#include <utility>
#include <vector>

#include "facilitator/verify_answer.hpp"
#include "nginx/books/ngx_http_x402_money_books.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

struct ShadowTerms {
    MoneyBooks money;
    std::string resource;  // URL, for the error log
    // The facilitators to ask, in order, and the body of POST /verify for each.
    std::vector<std::pair<Endpoint *, std::string>> peers;
    VerifyAnswer (*read_answer)(const FacilitatorReply &) = read_verify_answer;
    ngx_msec_t connect_timeout = 0;
    ngx_msec_t timeout = 0;
    bool charged = true;  // content of that status would be
};

// What would have happened, with its price: counted, in the ledger, and as a
// line at info.
void book_shadow(const MoneyBooks &money, LedgerEventKind kind,
                 const LedgerFacts &facts, const EventWords &words,
                 std::string_view resource);

// Owns itself, until the answer is there or the worker ends.
class ShadowCall {
public:
    // `terms.peers` is not empty.
    static void start(Worker &worker, ShadowTerms terms);
    ShadowCall(const ShadowCall &) = delete;
    ShadowCall &operator=(const ShadowCall &) = delete;

    // The worker ends: nothing is booked.
    void abandon();

private:
    ShadowCall(Worker &worker, ShadowTerms terms);
    ~ShadowCall();

    void send();
    bool moves(const FacilitatorReply &reply);
    void book(const VerifyAnswer &answer) const;
    static void on_reply(void *data, FacilitatorReply &reply);

    Worker &worker_;
    ShadowTerms terms_;
    std::size_t place_;     // among the worker's
    std::size_t peer_ = 0;  // that is asked
    ngx_msec_t started_ = ngx_current_msec;
    FacilitatorCall *call_ = nullptr;
};

}  // namespace x402

#endif
