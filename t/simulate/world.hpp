// SPDX-License-Identifier: Apache-2.0
// A shop of several servers and workers, its payers, its facilitator and its
// chain, in virtual time and without nginx. The decisions are those of the
// product: the states of a payment, the claim table, its journal, the names,
// the binding of claims, what a claim answers, and the reading of settle
// answers. The world only carries out what they say, makes things go wrong, and
// checks the promises about money after every event.
//
// All that happens follows from the plan. A payment or a fault that the plan
// leaves out changes no random number of another one.
#ifndef X402_SIMULATE_WORLD_HPP
#define X402_SIMULATE_WORLD_HPP

#include <cstdint>
#include <deque>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "facilitator/settle_answer.hpp"
#include "market.hpp"
#include "memory_journal.hpp"
#include "random_stream.hpp"
#include "session/claim_table.hpp"
#include "session/older_claim.hpp"
#include "session/payment_ids.hpp"
#include "session/payment_session.hpp"

namespace x402::simulate {

// A violated promise, by the payment it happened to.
struct Violation {
    std::string what;
    std::uint32_t payment = 0;
};

struct Plan {
    std::uint64_t seed = 1;
    std::uint32_t payments = 2000;
    std::uint32_t faults = 24;  // deaths, restarts, reloads, full disks
    std::vector<std::uint32_t> payments_left_out;  // sorted
    std::vector<std::uint32_t> faults_left_out;    // sorted
    bool record = false;                           // keep the history
};

struct Totals {
    std::uint64_t payments = 0;
    std::uint64_t presented = 0;
    std::uint64_t settled = 0;
    std::uint64_t delivered = 0;
    std::uint64_t owed_served = 0;
    std::uint64_t delivered_again = 0;  // by a death in the one known window
    std::uint64_t unknown = 0;
    std::uint64_t thefts = 0;  // tried
    std::uint64_t deaths = 0;
    std::uint64_t restarts = 0;

    void add(const Totals &other);
};

class World {
public:
    explicit World(const Plan &plan);

    // Runs to its end or to the first violation.
    std::optional<Violation> run();

    const std::vector<std::string> &history() const { return history_; }
    const Totals &totals() const { return totals_; }

private:
    enum class Habit : std::uint8_t {
        honest,
        copies,        // presents three times at once
        steals,        // pays, leaves, shows the payment for something else
        signs_again,   // leaves, then signs a new payment for the same
        uses_more,     // upto: leaves a cheap use, signs again for a big one
        leaves_late,   // reads all of the content but its end
        forges,        // signs in the name of its neighbour
        forges_nonce,  // the same, under the nonce that its neighbour signs
        burns,         // uses the nonce up elsewhere
        poor,          // has no money at first
        names_order,   // payment-identifier; signs again under its name
    };

    struct Payment {
        Authorization signed_;
        Wish wish;  // what its payer wants
        RandomStream random;
        Habit habit = Habit::honest;
        std::uint32_t client = 0;
        std::uint8_t tries = 0;         // presentations so far
        std::uint8_t honest_tries = 0;  // of them: since all are honest
        int last_status = 0;
        std::int64_t last_at = 0;  // s
        std::uint64_t last_worth = 0;
        std::int64_t poor_until = 0;  // s
        bool over = false;  // its payer wants nothing more, or is left out
        Digest key{};
        Digest payer{};
        Digest redeliver_key{};
    };

    // What has become of the money under one claim key.
    struct Purse {
        std::uint32_t payment = 0;  // whose claim it is
        Wish bought;                // what that was taken for
        std::uint32_t client = 0;   // that bought it
        std::uint64_t asked = 0;    // by the offer that it met
        std::int64_t expires = 0;   // s
        bool valid = false;         // the facilitator said so
        bool unproven = false;      // delivered on the unproven rule
        bool known_paid = false;    // written down for good
        bool off = false;           // nothing is settled for it
        bool named = false;         // payment-identifier
        bool excused = false;  // died, or could not write, behind the last byte
        // Whom the journal still names after a claim was taken over on a full
        // disk: 0, or the payment + 1, and what it was taken for.
        std::uint32_t written = 0;
        Wish written_bought;
        std::uint64_t written_asked = 0;
        std::uint8_t served = 0;  // answers that reached a client
        std::uint8_t executions = 0;
        std::uint8_t on_wire = 0;
    };

    struct Worker {
        std::int64_t process = 0;
        ClaimOwner owner;
        bool alive = true;
        bool leaving = false;  // replaced by a reload
        unsigned fuse = 0;     // dies before so many more operations; 0: never
        std::uint32_t requests = 0;  // that have not ended
        unsigned journal_step = 0;   // of rewriting the journal
        std::size_t journal_place = 0;
        std::uint64_t journal_copied = 0;
    };
    struct WorkerDied {
        std::uint32_t worker;
    };

    struct Request {
        std::uint32_t payment = 0;  // that was presented
        std::uint32_t money = 0;    // the purse under whose claim it goes on
        std::uint32_t settles = 0;  // the payment that is settled
        Wish wish;
        std::uint32_t client = 0;
        std::uint32_t worker = 0;
        PaymentState state = PaymentState::arrived;
        ClaimRef claim;
        ClaimRef disputed;
        ClaimFacts facts;
        Terms terms;          // of the offer that is met
        ClaimBinding bought;  // of a claim that was resumed
        SettleAnswer answer;
        std::string body;          // of settle
        std::uint64_t amount = 0;  // settled, or to be settled
        std::uint64_t worth = 0;   // of what it asks for
        std::uint64_t cost = 0;    // upto: of the content that was made
        unsigned waited = 0;
        std::int64_t arrived_at = -1;  // s; -1: not yet
        std::size_t epoch = 0;         // of the prices it was told
        bool lies = false;             // echoes the offer, whatever was signed
        bool resumed = false;
        bool settled_before = false;
        bool ever_unknown = false;
        bool was_verified = false;
        bool unverified = false;  // content is made all the same
        bool first_settle_sent = false;
        bool sent = false;  // the settle in progress
        bool gone = false;  // the client left
        bool background = false;
        bool named = false;
        bool first_out = false;  // the first bytes of content are out
        bool whole = true;       // the upstream will not break off
        bool ended = false;
    };

    enum class EventKind : std::uint8_t {
        present,
        verified,
        content,
        settle_arrives,  // at the chain
        settle_answered,
        first_bytes,
        last_bytes,
        client_leaves,
        tick,  // of a worker
        fault,
    };

    struct Event {
        std::int64_t at = 0;  // ms
        std::uint64_t order = 0;
        EventKind kind = EventKind::present;
        std::uint32_t subject = 0;  // request, worker or fault

        bool operator<(const Event &other) const
        {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    // world.cpp: time
    void schedule(std::int64_t in_ms, EventKind kind, std::uint32_t subject);
    void handle(const Event &event);
    void handle_request(const Event &event);
    void close_accounts();
    std::int64_t now() const { return kStart + clock_ / 1000; }

    // faults.cpp: workers, and what happens to them
    void make_table();
    std::uint32_t begin_worker();
    void begin_workers();
    void strike(std::uint32_t fault);
    void worker_dies(std::uint32_t number);
    void reload();
    void restart();
    void hold_written_purses();
    void end_requests_of(std::uint32_t worker);
    void leave_if_done(std::uint32_t worker);
    void rewrite_journal(std::uint32_t worker);
    void tick(std::uint32_t number);
    ClaimTable &claims(std::uint32_t worker);
    ClaimTable &claims(const Request &request)
    {
        return claims(request.worker);
    }
    void may_die(std::uint32_t worker);

    // payers.cpp: what payers and thieves do
    void plan_payments();
    void plan_wish(Payment &payment);
    void plan_forgeries(std::vector<std::int64_t> &moments);
    void sign(std::uint32_t number);
    std::uint32_t new_request(std::uint32_t payment, const Wish &wish,
                              std::int64_t in_ms);
    void present_again(std::uint32_t payment, std::int64_t in_ms);
    void sign_again(std::uint32_t payment, std::int64_t in_ms);
    void steal(std::uint32_t payment, std::int64_t in_ms);
    void after_leaving(std::uint32_t payment);
    void no_answer(const Request &request);
    void answered(Request &request, int status, const char *word);
    void end_request(Request &request);

    // presenting.cpp: from a presented payment to its claim
    void fill_facts(Request &request);
    void present(std::uint32_t number);
    bool wait_for_claim(std::uint32_t number);
    bool is_bought_here(Request &request, const ClaimBinding &bought) const;
    bool answer_from_claim(std::uint32_t number, const ClaimView &claim);
    bool take_over_claim(std::uint32_t number, const ClaimView &claim);
    void resume_unknown(std::uint32_t number, const ClaimView &claim);
    void resume_paid(std::uint32_t number, const ClaimView &claim);
    const char *meets_offer(Request &request) const;
    bool check_name(Request &request);
    PaymentIdNote record_name(Request &request);
    PaymentName name_of(const Request &request) const;
    void begin(std::uint32_t number, bool distrusted);
    void begin_purse(const Request &request);
    void hold_purse(const Request &request);
    void ask_facilitator(std::uint32_t number, bool distrusted);
    bool serve_unverified(std::uint32_t number);
    void ask_to_verify(std::uint32_t number);

    // content.cpp: from the answer to verify to the last byte
    void verify_answered(std::uint32_t number);
    void accept_verified(std::uint32_t number);
    bool adopt_older_claim(std::uint32_t number);
    void settle_disputed(std::uint32_t number);
    void accept_for_good(std::uint32_t number);
    void make_content(std::uint32_t number, std::int64_t in_ms);
    void content_made(std::uint32_t number);
    void verified_content(std::uint32_t number, unsigned luck);
    void paid_content(std::uint32_t number, unsigned luck);
    void first_bytes(std::uint32_t number);
    void last_bytes(std::uint32_t number);
    void client_leaves(std::uint32_t number);

    // settling.cpp: a settlement, its claim and its facilitator
    std::string settle_body(const Request &request) const;
    void start_settlement(std::uint32_t number);
    void send_settle(std::uint32_t number);
    void settle_arrives(std::uint32_t number);
    FacilitatorReply settle_reply(const Request &request, bool moved,
                                  bool used);
    void settle_answered(std::uint32_t number);
    PaymentEvent outcome_of(const Request &request);
    void settle_again(Request &request, const ClaimView &claim,
                      const std::string &stored);
    void worker_asks_again(std::uint32_t worker);
    PaymentAction advance(Request &request, PaymentEvent event);

    // promises.cpp
    std::uint32_t purse_of(const Digest &key) const;
    const ClaimCell *cell_of(const Digest &key) const;
    bool is_remembered_as_used(const Digest &key) const;
    void check_content(Request &request);
    void check_first_bytes(const Request &request);
    void check_settle(const Request &request);
    void check_refusal(const Request &request);
    void check_adoption(const Request &request);
    void check_delay(const Request &request, const OlderClaim &older);
    void check_moved(const Request &request);
    void check_kept(std::uint32_t purse);
    void check_end();
    void served(Request &request, const char *how);
    void violated(std::uint32_t payment, std::string what);
    template <class Text> void note(std::uint32_t payment, Text text)
    {
        if (plan_.record) {
            add_note(payment, text());
        }
    }
    void add_note(std::uint32_t payment, std::string what);

    static constexpr std::int64_t kStart = 1800000000;  // s
    static constexpr std::int64_t kDay = 900;           // s; of business
    static constexpr std::uint32_t kActive = 3;         // workers
    // What random numbers belong to.
    static constexpr std::uint64_t kPaymentKind = 1;
    static constexpr std::uint64_t kFaultKind = 2;
    static constexpr std::uint64_t kFacilitator = 7;

    Plan plan_;
    std::vector<std::uint64_t> memory_;
    std::vector<std::uint64_t> names_memory_;
    std::optional<ClaimTable> table_;
    std::optional<PaymentIds> names_;
    MemoryJournal journal_;
    PriceList prices_;
    Chain chain_;
    std::vector<Payment> payments_;
    std::vector<Purse> purses_;     // by number
    std::deque<Request> requests_;  // references stay
    std::unordered_map<std::uint64_t, std::uint32_t> purse_by_key_;
    std::deque<Worker> workers_;
    std::uint32_t active_[kActive] = {};
    std::priority_queue<Event> events_;
    std::int64_t clock_ = 0;  // ms since kStart
    std::uint64_t order_ = 0;
    std::uint64_t paid_ = 0;   // of all that is proven, atomic units
    std::uint64_t asked_ = 0;  // for all that was served for it
    bool roomy_ = true;        // the zone holds all claims
    bool idempotent_ = true;   // settled once more, it is "paid" again
    bool all_honest_ = false;
    bool owed_first_ = false;  // to the payer of the payment in hand
    bool disk_was_full_ = false;
    std::int64_t restarted_at_ = 0;  // s; names are forgotten then
    std::optional<Violation> violation_;
    std::vector<std::string> history_;
    Totals totals_;
};

}  // namespace x402::simulate

#endif
