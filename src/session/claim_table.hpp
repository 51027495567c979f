// The memory of payments, shared by all workers: a fixed table of cells in a
// block of memory that somebody else owns (the nginx zone; a vector in tests).
//
// No allocation, no pointers, no trees: a worker that dies between two stores
// leaves a valid table, because the state word of a cell is written last. The
// caller holds the zone's lock around every call. Nothing here calls out.
//
// A cell belongs to a claim key (policy/claim_key.hpp). A cell with an owner is
// in the hands of a request or a settlement of that worker; when the owner is
// dead the next look tidies up: what was not sent is free again, a settlement
// becomes unknown, content that was paid for is owed.
#ifndef X402_SESSION_CLAIM_TABLE_HPP
#define X402_SESSION_CLAIM_TABLE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/sha256_digest.hpp"
#include "session/claim_journal.hpp"

namespace x402 {

enum class ClaimState : std::uint32_t {
    free = 0,
    verifying,
    verified,
    settling,
    paid,  // money moved; with an owner: being delivered, without: owed
    delivered,
    refused,
    unknown,
    closed,  // was unknown until its payment could no longer be used
};

// Names one claim, not just its cell: a cell that was given to another payment
// has another generation and is out of reach.
struct ClaimRef {
    std::uint32_t cell = 0;
    std::uint64_t generation = 0;  // 0: no claim
    explicit operator bool() const { return generation != 0; }
};

struct ClaimOwner {
    std::uint32_t slot = 0;
    std::uint32_t stamp = 0;  // 0: nobody
};

// What a claim is about; fixed while it lives.
struct ClaimFacts {
    Digest key{};
    Digest resource{};       // what it is spent on (resource_digest)
    Digest redeliver_key{};  // who may ask for it again
    Digest payer{};
    std::array<std::uint8_t, 32> amount{};  // atomic units, big-endian
    Digest money{};                         // network and token (money_digest)
    std::int64_t expires = 0;  // unix seconds; the payment is useless then
    // Nothing but this table keeps the payment from being used again: not given
    // up for another while it can be used.
    bool only_guard = false;
};

struct ClaimView {
    ClaimState state = ClaimState::free;
    ClaimRef ref;
    Digest key{};
    bool in_use = false;  // a living owner works on it
    bool same_resource = false;
    bool same_client = false;
    bool same_amount = false;
    bool was_verified = false;
    bool ever_unknown = false;
    bool first_settle_sent = false;  // the whole first settle left this machine
    bool never_settled = false;      // PAID on the facilitator's word alone
    unsigned executions = 0;         // times content was begun under this claim
    std::uint64_t facilitator = 0;
    std::int64_t settle_started = 0;  // unix seconds; the first one
    std::int64_t expires = 0;
    std::string receipt;  // PAID only
};

// What a ledger line says of a claim. Texts that did not fit are empty.
struct ClaimTexts {
    std::string network;
    std::string payer;
    std::string asset;
    std::string amount;  // atomic units
};

// What a payer wants to buy: an older claim of his covers it when it is for the
// same resource and of no less of the same money.
struct Purchase {
    Digest payer{};
    Digest resource{};
    Digest money{};
    std::array<std::uint8_t, 32> amount{};
};

// What next_due() found.
struct DueClaim {
    enum class What {
        nothing,
        ask_again,  // UNKNOWN, in the hands of the caller now
        closed,     // its payment cannot be used any more; told exactly once
    };
    What what = What::nothing;
    ClaimRef ref;
};

enum class TakeOutcome { taken, in_use, full };

struct ReplayReport {
    std::size_t records = 0;
    std::size_t homeless = 0;  // of them: no room in this table
    std::size_t skipped = 0;   // bytes that were no record
};

class ClaimTable {
public:
    using IsAlive = bool (*)(std::int64_t process);

    // Of a payment that stays usable for ever, so that only this table stands
    // between it and its second use: it is never given up for another.
    static constexpr std::int64_t kNeverExpires = INT64_MAX;

    static constexpr unsigned kMaxExecutions = 3;
    static constexpr unsigned kMaxUnproven = 3;
    static constexpr unsigned kMaxWaiting = 32;
    static constexpr std::size_t kMaxSettleBytes = 16 * 1024;
    // A claim outlives its payment by this much, whatever others' clocks say:
    // ClaimFacts.expires = validBefore + kAfterlife.
    static constexpr std::int64_t kAfterlife = 600;

    // Bytes needed for at least one bucket of everything.
    static std::size_t least_bytes();
    // Claims that a table of `bytes` holds.
    static std::size_t capacity_of(std::size_t bytes);

    // Lays a table out in zeroed memory, aligned to 8. False: too small.
    static bool format(void *memory, std::size_t bytes);
    // True when the memory holds a table of this very layout and size.
    static bool recognises(const void *memory, std::size_t bytes);

    // Lifetime: borrows a formatted block. `is_alive` tells whether a process
    // (by pid) still runs.
    ClaimTable(void *memory, IsAlive is_alive);

    // Money: from now on every change that says something about money is in the
    // journal before the operation returns. While it cannot be written take()
    // says full. Lifetime: borrows; nullptr: none.
    void use_journal(JournalPort *journal);
    // Which journal belongs to the table, for who takes the memory over; its
    // edition, and its size in bytes.
    void set_journal_identity(const Digest &identity, std::uint64_t edition,
                              std::uint64_t size);
    static const Digest &journal_identity(const void *memory);
    // Fills a new table from a journal: who was settling is UNKNOWN then, who
    // was being delivered is owed.
    ReplayReport replay(std::string_view journal, std::int64_t now);
    // The last attempt to write to it failed.
    bool journal_failed() const;
    // All that a journal has to know, in pieces, from `place` 0 on; what is
    // past is left out. False: that was all.
    bool journal_part(std::size_t &place, std::int64_t now,
                      std::string &records) const;

    // A journal is written anew while it is in use: by one worker, into the
    // next edition. What was in the present one from its size at that moment on
    // goes behind the pieces of journal_part(), and then it turns.
    //
    // False: not now; another does it, or it cannot be written.
    bool begin_checkpoint(ClaimOwner owner);
    // Carries over what is left from `copied` on. False: the present edition
    // goes on.
    bool turn_journal(ClaimOwner owner, std::uint64_t copied,
                      std::uint64_t size);
    // Whether it turned or not.
    void end_checkpoint(ClaimOwner owner);
    std::uint64_t journal_edition() const;
    std::uint64_t journal_base() const;

    // Gives the calling worker a slot; a slot whose process died is taken over,
    // which orphans that process's cells. Stamp 0 when all slots are taken.
    // What the dead left is tidied up at once, in all of the table.
    ClaimOwner enter(std::int64_t process, std::int64_t now);
    void leave(ClaimOwner owner, std::int64_t now);

    // What is known of the payment, for a request that wants `resource`.
    ClaimView look_up(const ClaimFacts &facts, std::int64_t now);

    // A new claim in state verifying. Takes a free cell, else one that expired,
    // else the oldest DELIVERED (unless only_guard), REFUSED or CLOSED of its
    // buckets; none when half of the table is VERIFYING or UNKNOWN, or while
    // journal_failed(). A REFUSED claim of the same key is begun anew.
    TakeOutcome take(const ClaimFacts &facts, ClaimOwner owner,
                     std::int64_t now, ClaimRef &ref);
    // Takes an UNKNOWN or owed PAID claim into the hands of a request; PAID
    // counts one more execution and is refused (false) after kMaxExecutions.
    bool resume(ClaimRef ref, ClaimOwner owner);

    // For the ledger; before set_settling(). What does not fit is left out.
    void set_texts(ClaimRef ref, std::string_view network,
                   std::string_view payer, std::string_view asset);
    ClaimTexts texts(ClaimRef ref) const;
    ClaimView view(ClaimRef ref) const;

    // The facilitator says that the payment is good. False: content must not be
    // made on trust, since the payer has kMaxWaiting payments waiting already,
    // had a settle refused in the last 10 minutes, or there is no room to count
    // his: the claim stays VERIFYING, is settled before content or freed.
    bool set_verified(ClaimRef ref);
    // Money: before the first byte of settle leaves. `bytes` are kept when they
    // fit and there is room, else only their digest (stored_settle is empty).
    // False: the journal cannot be written, and nothing may be sent.
    bool set_settling(ClaimRef ref, std::string_view bytes,
                      std::uint64_t facilitator, std::int64_t now);
    // An UNKNOWN claim whose payment nobody verified, and that nobody works on,
    // is given to another payment of the same key, which was verified: what
    // was to be settled, and for what, is this from now on, and the claim is
    // in the caller's hands. It stays UNKNOWN, and never verified: no unproven
    // rule will end it. False: it cannot be had, or not be written down.
    bool take_over(ClaimRef ref, const ClaimFacts &facts, ClaimOwner owner,
                   std::string_view bytes, std::uint64_t facilitator,
                   std::int64_t now);
    void set_first_settle_sent(ClaimRef ref);
    // Money: before the first byte of content leaves. A receipt that is too
    // long for the cell is refused (false) and must be shortened.
    bool set_paid(ClaimRef ref, std::string_view receipt, std::int64_t now);
    void set_delivered(ClaimRef ref, std::int64_t now);
    void set_refused(ClaimRef ref, std::int64_t now);
    void set_unknown(ClaimRef ref, std::int64_t now);
    // PAID without anybody working on it: content is owed.
    void set_owed(ClaimRef ref);
    void free(ClaimRef ref);

    // What is owed to a payer, whichever payment he presents: an owed PAID
    // claim that covers the purchase is taken as resume() does; `claim` is what
    // is known of it. False: none. At most one caller gets a claim.
    bool resume_owed(const Purchase &purchase, ClaimOwner owner,
                     std::int64_t now, ClaimView &claim);
    // Whether there is anything of his that the next two would find; takes
    // nothing.
    bool has_older(const Purchase &purchase, std::int64_t now) const;
    // An UNKNOWN claim of his that would cover the purchase, or one that is
    // being settled again (in_use); state free: none.
    ClaimView find_unknown(const Purchase &purchase, std::int64_t now);

    // The next UNKNOWN claim that is to be asked about, in the caller's hands
    // (end with set_settling() or, if that cannot be, set_unknown()); or one
    // that was CLOSED. Asked after 5, 15, 45 s ... 10 min, until validBefore,
    // if its settle bytes are here. Looks at a bounded number of claims: call
    // it every second until it says nothing.
    DueClaim next_due(ClaimOwner owner, std::int64_t now);

    // The settle request as it was sent; empty when only its digest was kept.
    std::string stored_settle(ClaimRef ref) const;
    bool settle_digest_is(ClaimRef ref, const Digest &digest) const;

    // Whether a payment of his would be settled before content, as
    // far as is known before it is verified: see set_verified.
    bool settles_first(const Digest &payer, std::int64_t now) const;
    // Verified payments of his that wait for their settle.
    unsigned waiting_of(const Digest &payer) const;

    // Counts one more unproven delivery for the payer unless he had `limit` (at
    // most kMaxUnproven) in the last 24 hours, or there is no room to count his
    // (then false).
    bool count_unproven(const Digest &payer, unsigned limit, std::int64_t now);

    std::size_t capacity() const;
    // Claims VERIFYING or UNKNOWN, as far as anybody has looked.
    std::size_t open_claims() const;

private:
    struct Header;
    struct Worker;
    struct Cell;
    struct Block;
    struct Payer;
    struct Link;
    struct Areas;
    struct Freed {
        const Digest &key;
    };

    static Areas areas_of(std::size_t bytes);
    Cell *cell_of(ClaimRef ref) const;
    Cell *bucket_of(const Digest &key, unsigned choice) const;
    Cell *find(const Digest &key) const;
    Cell *room_for(const Digest &key, std::int64_t now);
    bool owner_lives(const Cell &cell) const;
    bool lives(ClaimOwner owner) const;
    void tidy(Cell &cell, std::int64_t now) const;
    Cell *first_cell() const;
    std::uint32_t number_of(const Cell &cell) const;
    ClaimView view_of(const Cell &cell) const;
    void enter_state(Cell &cell, ClaimState next) const;
    void withdraw(Cell &cell) const;
    void enlist(Cell &cell) const;
    JournalRecord record_of(const Cell &cell) const;
    JournalRecord record_of(const Payer &payer) const;
    static JournalRecord record_of(const Freed &freed);
    template <class Thing> bool note(const Thing &thing);
    void record_payer(const Payer &payer);
    bool record_claim(Cell &cell);
    void record_freed(const Cell &cell);
    bool journal_is_ready(std::int64_t now);
    bool journal_is_whole();
    bool write_all(std::int64_t now);
    bool restore(const JournalRecord &record, std::int64_t now);
    bool restore_claim(const JournalRecord &record, std::int64_t now);
    void repair() const;
    void relink() const;
    std::uint32_t &head_of(const Digest &payer, const Digest &resource) const;
    void link_owed(Cell &cell) const;
    void unlink_owed(Cell &cell) const;
    void link_due(Cell &cell) const;
    void unlink_due(Cell &cell) const;
    void plan_retry(Cell &cell, std::int64_t now) const;
    bool is_due(const Cell &cell, std::int64_t now) const;
    void say_closed(Cell &cell) const;
    static bool is_owed(const Cell &cell);
    template <class Fits>
    Cell *find_older(const Purchase &purchase, std::int64_t now,
                     Fits fits) const;
    void sweep(std::size_t count, std::int64_t now) const;
    bool may_open_another(std::int64_t now) const;
    void keep_settle(Cell &cell, std::string_view bytes, std::int64_t now);
    bool fill_blocks(Cell &cell, std::string_view bytes, std::int64_t now);
    void drop_settle_bytes(Cell &cell) const;
    Payer *payer_bucket(const Digest &payer) const;
    Payer *find_payer(const Digest &payer) const;
    Payer *payer_room(const Digest &payer, std::int64_t now) const;
    Payer *payer_record(const Digest &payer, std::int64_t now) const;
    void record_refused(const Digest &payer, std::int64_t now);
    void count_waiting(const Cell &cell) const;
    void uncount_waiting(const Cell &cell) const;
    void forget_waiting() const;
    bool block_is_free(const Block &block, std::int64_t now) const;

    std::uint8_t *memory_;
    IsAlive is_alive_;
    JournalPort *journal_ = nullptr;
    ClaimOwner self_;  // saves asking whether we live
};

}  // namespace x402

#endif
