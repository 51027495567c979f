// SPDX-License-Identifier: Apache-2.0
// What one worker process owns: the curl engines, the facilitators as it sees
// them, its place in the zone, and the count of payments in flight.
#ifndef NGX_HTTP_X402_WORKER_HPP
#define NGX_HTTP_X402_WORKER_HPP

#include <memory>
#include <unordered_map>
#include <vector>

#include "facilitator/refusal_cache.hpp"
#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/call/ngx_http_x402_facilitator_call.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/zone/ngx_http_x402_client_quota.hpp"
#include "nginx/zone/ngx_http_x402_journal_sync.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

class MadeOffers;
struct PreparedAnswer;
class ScopeMemo;
class PlanCache;
class Settlement;
class SupportedShare;
class SupportedWatch;
class JournalCompaction;
class JournalFollower;
class ShadowCall;
class WebhookSender;
class SettleRetry;
class SignedOffers;
class SharedStore;
class StoreRefill;
class StoreWatch;
class ClaimCensusTask;

struct Worker {
    explicit Worker(MainConf *mcf);
    ~Worker();
    Worker(const Worker &) = delete;
    Worker &operator=(const Worker &) = delete;

    Endpoint &endpoint_of(const FacilitatorConf &conf)
    {
        return *endpoints[conf.index];
    }
    // The facilitator that a claim remembers; nullptr if this configuration no
    // longer has it. If two have that id, because only their credentials
    // differ, it is `first`, the one of the location (or nullptr).
    Endpoint *endpoint_by_id(std::uint64_t id, const FacilitatorConf *first);

    ngx_shm_zone_t *zone;
    Books &books;
    ClaimOwner owner;
    CurlEngines engines;
    bool can_call = true;  // false: a facilitator needs libcurl, which failed
    std::vector<std::unique_ptr<Endpoint>> endpoints;
    // One per facilitator. Declared after `endpoints`, so destroyed first: its
    // calls refer to them.
    std::vector<std::shared_ptr<SupportedWatch>> supported;
    std::shared_ptr<PlanCache> plans;             // made when first asked for
    std::shared_ptr<MadeOffers> made;             // likewise
    std::shared_ptr<SignedOffers> signed_offers;  // likewise
    std::shared_ptr<ScopeMemo> scopes;            // likewise
    std::vector<Settlement *> settlements;        // on the wire
    std::vector<ShadowCall *> shadow_calls;       // of `x402 shadow`
    RefusalCache refusals;
    // Offers with a part of a facilitator, by location.
    struct SupportedOffer {
        std::uint64_t answers = 0;  // that they were made from
        std::shared_ptr<const PaymentOffer> offer;
        // The 402 with it; nullptr: more than the URL and the method differ.
        std::shared_ptr<const PreparedAnswer> prepared;
        std::vector<OldOffer> before;
        // From what other machines have heard; made from this generation of it.
        std::shared_ptr<const PaymentOffer> elsewhere;
        std::uint64_t heard = 0;
    };
    std::unordered_map<const LocationConf *, SupportedOffer> supported_offers;
    ngx_uint_t in_flight = 0;
    SlotQuota addresses;  // of payments that are not verified, or wait
    SlotQuota waiting;    // of verified payments whose content is made
    std::unique_ptr<SettleRetry> unknown;
    std::unique_ptr<JournalCompaction> compaction;  // where there is a journal
    std::unique_ptr<JournalSync> sync;              // where it is synced
    std::unique_ptr<JournalFollower> follower;      // in one of the workers
    std::unique_ptr<ClaimCensusTask> census;        // as well
    std::unique_ptr<WebhookSender> webhook;         // as well
    std::unique_ptr<SharedStore> store;             // x402_store
    std::unique_ptr<StoreWatch> watch;              // of it
    std::unique_ptr<StoreRefill> refill;            // in one of the workers
    std::unique_ptr<SupportedShare> share;          // likewise
};

// A place among the payments in flight, given back when destroyed.
class Slot {
public:
    Slot() = default;
    explicit Slot(Worker &worker, QuotaSlot place = {})
        : worker_(&worker), place_(std::move(place))
    {
        worker.in_flight++;
    }
    Slot(Slot &&other) noexcept { *this = std::move(other); }
    Slot &operator=(Slot &&other) noexcept
    {
        std::swap(worker_, other.worker_);
        std::swap(place_, other.place_);
        std::swap(of_address_, other.of_address_);
        std::swap(of_payer_, other.of_payer_);
        return *this;
    }
    ~Slot()
    {
        if (worker_) {
            worker_->in_flight--;
        }
    }

    // The payment was verified: its client may begin another one.
    void prove() { QuotaSlot released = std::move(place_); }

    // Content is made before the payment is settled. False: the address, the
    // payer, or all of them together have as many such payments as they may
    // have among `cap` places.
    bool wait_for_content(const Digest &address, const Digest &payer,
                          ngx_uint_t cap, bool verified);

    // An eighth of the places is reserved for settlements of unknown outcome.
    static bool available(const Worker &worker, ngx_uint_t cap, bool resettle)
    {
        return worker.in_flight < (resettle ? cap : cap - cap / 8);
    }

private:
    Worker *worker_ = nullptr;
    QuotaSlot place_;
    QuotaSlot of_address_;
    QuotaSlot of_payer_;
};

// This process's worker; made on first use. nullptr: it could not be made
// (logged), and nothing may be sold.
Worker *worker_of(MainConf *mcf);

}  // namespace x402

#endif
