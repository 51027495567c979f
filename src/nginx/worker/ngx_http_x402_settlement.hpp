// SPDX-License-Identifier: Apache-2.0
// One settlement: the call, its claim and its ledger line, together. It lives
// on the heap until the outcome is known, with or without the request that
// began it. Sources: settlement (the calls), and settlement_record (what waits
// for disk and store, and what an answer means for claim and ledger).
#ifndef NGX_HTTP_X402_SETTLEMENT_HPP
#define NGX_HTTP_X402_SETTLEMENT_HPP

#include <string>
#include <vector>

#include "facilitator/settle_answer.hpp"
#include "nginx/books/ngx_http_x402_money_books.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"
#include "session/payment_session.hpp"

namespace x402 {

// What is settled. Texts are owned: the request may be gone before the answer.
struct SettlementTerms {
    ClaimRef claim;
    std::shared_ptr<StoreHold> hold;  // of it at the store; or nullptr
    std::string body;                 // of POST /settle, byte for byte
    std::string network;              // CAIP-2
    std::string receipt_network;      // as the module's receipt names it
    std::string payer;  // as verified; with settle `before` the payload's
    std::string amount;
    std::string asset;
    bool at_most = false;  // scheme upto: less may be charged
    std::string resource;  // URL, for the error log
    MoneyBooks money;
    Digest payer_digest{};
    bool ever_unknown = false;  // an earlier settle was not answered
    bool unrecorded = false;  // because its worker died: the ledger has no line
    bool was_verified = false;       // of that claim
    bool first_settle_sent = false;  // of that claim
    bool unproven_delivers = true;   // x402_unproven
    // The peers that may be called instead, while nothing was sent.
    std::vector<Endpoint *> others;
    bool waives_failure = false;  // x402_settle_failure deliver
    SettleAnswer (*read_answer)(const FacilitatorReply &,
                                const SettleExpectation &) = read_settle_answer;
    ngx_msec_t connect_timeout = 0;
    ngx_msec_t timeout = 0;
    ngx_log_t *request_log = nullptr;  // until detached
    ngx_log_t *log = nullptr;          // the location's, for afterwards
};

struct SettlementResult {
    PaymentEvent event = PaymentEvent::settle_unknown;
    SettleVerdict verdict = SettleVerdict::unknown;
    bool unproven_refused = false;  // 409 instead of 503
    // Not sent: journal or store does not take it, or not in time.
    bool unwritten = false;
    bool unwritten_in_doubt = false;   // the store may have taken it
    bool delivered_elsewhere = false;  // paid: by another machine
    std::string receipt;               // JSON, for PAYMENT-RESPONSE
    std::string reason;
    std::string transaction;  // as the facilitator named it; may be empty
    ngx_msec_t time = 0;      // it took
    const FacilitatorConf *asked = nullptr;
    std::string body;  // of the answer; empty: there is none
};

class Settlement {
public:
    // Called once at the end, unless detached. `step` is what the session
    // decided; what `result` holds may be moved out of it. Where the journal is
    // synced it is called before with each step on the way (is_on_its_way()),
    // and `result` is not complete.
    using Done = void (*)(void *data, const PaymentStep &step,
                          SettlementResult &result);

    // Money: writes SETTLING into the claim, then sends. `state` is the
    // session's (settling, settling_first; if no request waits for it charging,
    // or orphaned).
    // If the journal cannot be written, nothing is sent, and the outcome is
    // settle_not_processed. Never calls back from inside.
    static Settlement *start(Worker &worker, Endpoint &endpoint,
                             SettlementTerms &&terms, PaymentState state,
                             Slot &&slot, Done done, void *data);

    // The request is gone; the settlement continues.
    void detach();
    // The request is gone, and decided what becomes of the claim: nothing was
    // sent, or it is paid.
    void cancel() { delete this; }
    // The store was away and may have forgotten what is on the wire.
    void write_again();
    // The worker ends: the outcome is unknown, and the ledger says so.
    void abandon();

private:
    // What was waited for is recorded, or (false) cannot be.
    using Then = void (*)(Settlement &, bool good);

    Settlement(Worker &worker, Endpoint &endpoint, SettlementTerms &&terms,
               PaymentState state, Slot &&slot, Done done, void *data);
    ~Settlement();

    void claim_and_send();
    void write_and_send();
    void finish_later();
    bool waits_for_record(StoreScript stage, Then then);
    bool waits_for_store();
    StoreOrder store_order() const;
    void change_store_claim(ClaimChange change);
    void send_recorded(bool good);
    void report_step(const PaymentStep &step);
    bool secures(const PaymentStep &paid);
    void secured();
    bool waits_for_share(const SettleAnswer &answer);
    void end(const PaymentStep &step);
    SettleAnswer read_reply(const FacilitatorReply &reply);
    bool asks_twice(SettleAnswer &answer);
    SettlementResult result_of(SettleAnswer &answer);
    void send();
    bool goes_elsewhere(const FacilitatorReply &reply);
    ngx_log_t *log() const;
    void finish(SettleAnswer &answer);
    SettlementResult interpret(SettleAnswer &answer);
    void decide_unproven(SettlementResult &result);
    void change_claim(const PaymentStep &step, const SettlementResult &result);
    void keep_receipt(const std::string &receipt);
    void book_outcome(const PaymentStep &step, const SettlementResult &result,
                      const SettleAnswer &answer);
    void log_outcome(const SettlementResult &result,
                     const SettleAnswer &answer);
    void note_sent(bool completely);
    static void on_sent(void *data);
    static void on_reply(void *data, FacilitatorReply &reply);
    static void on_unwritten(ngx_event_t *event);
    static void on_disk(void *data, bool good);
    static void on_store(void *data, const StoreReply &reply);
    static void on_share(void *data, const StoreReply &reply);

    Worker &worker_;
    Endpoint *endpoint_;
    SettlementTerms terms_;
    PaymentState state_;
    Slot slot_;
    Done done_;
    void *data_;
    FacilitatorCall *call_ = nullptr;
    std::optional<std::uint32_t> note_;  // its place
    ngx_event_t unwritten_{};  // handler set: nothing was sent, nor will be
    ngx_msec_t started_ = ngx_current_msec;
    bool out_of_memory_ = false;
    bool asked_twice_ = false;  // after settlement_pending
    std::string answer_body_;
    DiskWait disk_;
    StoreCall store_;
    StoreScript stage_ = StoreScript::settling;  // that is waited for
    const char *unrecorded_ = nullptr;           // why it could not be
    bool in_doubt_ = false;   // the store may have it all the same
    bool elsewhere_ = false;  // another machine delivers
    bool on_wire_ = false;
    bool sent_ = false;  // all of it, as the claim knows
    Then then_ = nullptr;
    SettleAnswer answer_;  // while the store is asked for the payer's share
    bool has_share_ = true;
    bool share_in_doubt_ = false;  // the store did not say
    SettlementResult result_;      // while it is secured
};

// A step in the middle: the settlement continues.
inline bool is_on_its_way(const PaymentStep &step)
{
    return step.action == PaymentAction::call_settle
           || step.action == PaymentAction::wait_for_record;
}

}  // namespace x402

#endif
