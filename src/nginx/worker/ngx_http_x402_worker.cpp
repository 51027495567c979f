// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_worker.hpp"

#include "nginx/books/ngx_http_x402_ledger.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_claim_census.hpp"
#include "nginx/worker/ngx_http_x402_journal_tasks.hpp"
#include "nginx/worker/ngx_http_x402_module_file.hpp"
#include "nginx/worker/ngx_http_x402_settle_retry.hpp"
#include "nginx/worker/ngx_http_x402_settlement.hpp"
#include "nginx/worker/ngx_http_x402_shadow_call.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"
#include "nginx/worker/ngx_http_x402_store_refill.hpp"
#include "nginx/worker/ngx_http_x402_store_watch.hpp"
#include "nginx/worker/ngx_http_x402_supported.hpp"
#include "nginx/worker/ngx_http_x402_supported_share.hpp"
#include "nginx/worker/ngx_http_x402_webhook.hpp"

namespace x402 {

Worker::Worker(MainConf *mcf)
    : zone(mcf->zone), books(*mcf->books), owner(enter_zone(mcf->zone))
{
    books.enter(ngx_worker);
    for (const FacilitatorConf *conf : mcf->facilitators) {
        can_call = can_call && (!conf->needs_curl() || engines.prepare());
        endpoints.push_back(std::make_unique<Endpoint>(*conf, engines));
        endpoints.back()->count_in(books.counters(),
                                   books.row_of_facilitator(conf->url.base()));
    }
    if (ngx_worker == 0 && owner.stamp != 0) {
        census = std::make_unique<ClaimCensusTask>(zone, books);
        if (JournalFile *journal = journal_of(zone)) {
            journal->sign();
            if (journal->other() != 0) {
                follower = std::make_unique<JournalFollower>(zone, *journal);
            }
        }
    }
    if (ngx_worker == 0 && books.outbox() && mcf->webhook->receiver) {
        const FacilitatorConf &receiver = *mcf->webhook->receiver;
        if (!receiver.needs_curl() || engines.prepare()) {
            webhook =
                std::make_unique<WebhookSender>(books, *mcf->webhook, engines);
        }
    }
    if (owner.stamp != 0 && syncs_journal(zone)) {
        sync = std::make_unique<JournalSync>(zone);
    }
    if (mcf->store && owner.stamp != 0) {
        store = std::make_unique<SharedStore>(*this, *mcf->store);
    }
    if (can_call) {
        supported = watch_supported(zone, endpoints);
        if (store) {
            share = std::make_unique<SupportedShare>(*this);
        }
        if (owner.stamp != 0) {
            unknown = std::make_unique<SettleRetry>(*this, *mcf->http_loc_conf);
            if (store) {
                watch = std::make_unique<StoreWatch>(*this, *unknown,
                                                     ngx_worker == 0);
                refill = ngx_worker == 0 ? std::make_unique<StoreRefill>(*this)
                                         : nullptr;
            }
            if (JournalFile *journal = journal_of(zone)) {
                compaction =
                    std::make_unique<JournalCompaction>(zone, owner, *journal);
            }
        }
    }
}

Worker::~Worker()
{
    // Money: settlements that are still on the wire have an unknown outcome,
    // and the ledger says so.
    while (!settlements.empty()) {
        settlements.back()->abandon();
    }
    while (!shadow_calls.empty()) {
        shadow_calls.back()->abandon();
    }
    watch.reset();
    unknown.reset();
    share.reset();
    store.reset();
    follower.reset();
    webhook.reset();
    sync.reset();
    compaction.reset();  // it may be in the middle of a table
    census.reset();
    leave_zone(zone, owner);
}

Endpoint *Worker::endpoint_by_id(std::uint64_t id, const FacilitatorConf *first)
{
    if (first && first->id == id) {
        return endpoints[first->index].get();
    }
    for (auto &endpoint : endpoints) {
        if (endpoint->conf().id == id) {
            return endpoint.get();
        }
    }
    return nullptr;
}

bool Slot::wait_for_content(const Digest &address, const Digest &payer,
                            ngx_uint_t cap, bool verified)
{
    ngx_uint_t room = cap - cap / 8;
    std::size_t free =
        room > worker_->in_flight ? room - worker_->in_flight : 0;
    if (!may_wait_for_content(free, room, verified)) {
        return false;
    }
    of_address_ =
        QuotaSlot(worker_->waiting, address, waiting_share_of_address(free));
    of_payer_ =
        QuotaSlot(worker_->waiting, payer, waiting_share_of_payer(free));
    return of_address_ && of_payer_;
}

Worker *worker_of(MainConf *mcf)
{
    Worker *worker = mcf->worker;
    if (worker == nullptr) {
        auto made = std::make_unique<Worker>(mcf);
        if (made->owner.stamp == 0 || !made->can_call) {
            log_line(NGX_LOG_CRIT, ngx_cycle->log,
                     made->can_call
                         ? "the zone has no free slot for this worker (512 "
                           "processes use it); this worker sells nothing"
                         : "libcurl could not be started; this worker sells "
                           "nothing");
            return nullptr;
        }
        worker = made.release();
        mcf->worker = worker;
    }
    return worker;
}

}  // namespace x402

using namespace x402;

namespace {

MainConf *main_conf_of(ngx_cycle_t *cycle)
{
    if (ngx_get_conf(cycle->conf_ctx, ngx_http_module) == nullptr) {
        return nullptr;  // no http block
    }
    return static_cast<MainConf *>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module));
}

void look_up_store(StoreConf *store, ngx_log_t *log)
{
    if (store == nullptr || store->resolver) {
        return;
    }
    for (std::size_t i = 0; i < store->addresses.size(); i++) {
        const StorePlace &place = store->url.places[i];
        if (place.host_is_address) {
            continue;
        }
        store->addresses[i] = look_up_addresses(place.host);
        if (store->addresses[i].empty()) {
            log_line(
                NGX_LOG_WARN, log,
                "no address found for the store \"" + place.host
                    + "\"; workers keep trying, nothing is sold until then");
        }
    }
}

void look_up_facilitators(MainConf *mcf, ngx_log_t *log)
{
    std::vector<FacilitatorConf *> all = mcf->facilitators;
    if (mcf->webhook && mcf->webhook->receiver) {
        all.push_back(mcf->webhook->receiver);
    }
    for (FacilitatorConf *conf : all) {
        if (conf->resolver || conf->reaches_address()) {
            continue;
        }
        conf->addresses = look_up_addresses(conf->host_to_reach());
        if (conf->addresses.empty()) {
            log_line(NGX_LOG_WARN, log,
                     std::string("no address found for ")
                         + (conf->proxy ? "proxy" : conf->host_use()) + " \""
                         + conf->host_to_reach() + "\"; workers keep trying, "
                         + (conf->exact_url.empty()
                                ? "payments fail until then"
                                : "payments go on, and their events wait"));
        }
    }
}

// A payment in flight has its client, its upstream and its facilitator, and
// about one in four a connection that is being closed.
void check_connections(const MainConf &mcf, ngx_cycle_t *cycle)
{
    auto *events = static_cast<ngx_event_conf_t *>(
        ngx_event_get_conf(cycle->conf_ctx, ngx_event_core_module));
    ngx_uint_t needed = mcf.max_calls * 13 / 4;
    if (events->connections >= needed) {
        return;
    }
    log_line(NGX_LOG_WARN, cycle->log,
             "x402_facilitator_max_calls " + std::to_string(mcf.max_calls)
                 + " needs worker_connections of at least "
                 + std::to_string(needed) + ", and there are "
                 + std::to_string(events->connections)
                 + "; raise the second, or lower the first");
}

}  // namespace

ngx_int_t ngx_http_x402_init_module(ngx_cycle_t *cycle)
{
    return guarded(cycle->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        MainConf *mcf = main_conf_of(cycle);
        if (mcf != nullptr && mcf->paid) {
            check_connections(*mcf, cycle);
        }
        // A configuration test never touches the network.
        if (mcf != nullptr && !ngx_test_config) {
            log_version(cycle->log);
            look_up_facilitators(mcf, cycle->log);
            look_up_store(mcf->store, cycle->log);
        }
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

ngx_int_t ngx_http_x402_init_process(ngx_cycle_t *cycle)
{
    return guarded(cycle->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        MainConf *mcf = main_conf_of(cycle);
        // nginx: cache manager and loader come through here as well.
        bool serves = ngx_process == NGX_PROCESS_WORKER
                      || ngx_process == NGX_PROCESS_SINGLE;
        if (mcf != nullptr && serves && ngx_worker == 0) {
            warn_of_older_code(cycle->log);
        }
        if (mcf != nullptr && mcf->paid && serves) {
            // Without a worker every paid location answers 500.
            worker_of(mcf);
            watch_ledgers(*mcf->books);
        }
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

void ngx_http_x402_exit_process(ngx_cycle_t *cycle)
{
    guarded(cycle->log, 0, [&] {
        MainConf *mcf = main_conf_of(cycle);
        if (mcf != nullptr && mcf->worker != nullptr) {
            delete mcf->worker;
            mcf->worker = nullptr;
            // nginx flushed its files before.
            flush_ledgers(*mcf->books);
        }
        return 0;
    });
}
