// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_supported.hpp"

#include <algorithm>
#include <cstring>

#include "base/sha256_digest.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

// No request waits for it, and some facilitators have to be woken.
constexpr ngx_msec_t kConnectTimeout = 5000;
constexpr ngx_msec_t kTimeout = 30000;
constexpr std::uint64_t kLease = kTimeout + 5000;
constexpr std::uint64_t kLongestWait = SupportedCache::kLongestFresh;

// For a worker without a place in the zone.
constexpr SupportedCache::Shape kOwnCache = {1, 64 * 1024};
constexpr std::uint64_t kOwnGeneration = std::uint64_t(1) << 32;

std::uint64_t digest_of(const std::vector<KindNeed> &needs)
{
    std::string words;
    for (const KindNeed &need : needs) {
        words += std::to_string(need.version) + ' ' + need.scheme + ' '
                 + need.network + '\n';
    }
    Digest digest = sha256(words);
    std::uint64_t number;
    std::memcpy(&number, digest.data(), sizeof(number));
    return number ? number : 1;
}

// ms; up to a tenth less at random, so that machines do not ask all at once.
std::uint64_t with_jitter(std::uint32_t seconds)
{
    std::uint64_t tenth = std::uint64_t(seconds) * 100;
    return tenth * 10 - static_cast<std::uint64_t>(ngx_random()) % (tenth + 1);
}

bool worker_ends()
{
    return ngx_exiting || ngx_quit || ngx_terminate;
}

}  // namespace

// Runs `body` with the cache, under the lock if other workers use it.
template <class Body> auto SupportedWatch::with_cache(Body &&body)
{
    std::optional<ZoneLock> lock;
    if (!own_memory_) {
        lock.emplace(zone_);
    }
    return body(*cache_);
}

SupportedWatch::SupportedWatch(ngx_shm_zone_t *zone, Endpoint &endpoint)
    : zone_(zone),
      endpoint_(endpoint),
      cache_(cache_in(zone)),
      timer_(
          AtQuit::cancel,
          [](void *watch) { static_cast<SupportedWatch *>(watch)->tick(); },
          this)
{
    if (!cache_) {
        use_own_memory();
    }
}

SupportedWatch::~SupportedWatch()
{
    if (call_ != nullptr) {
        call_->cancel();
        with_cache(
            [&](SupportedCache &cache) { cache.give_up(place_, ngx_pid); });
    }
}

void SupportedWatch::use_own_memory()
{
    std::size_t words = kOwnCache.bytes() / sizeof(std::uint64_t) + 1;
    own_memory_ = std::make_unique<std::uint64_t[]>(words);
    SupportedCache::format(own_memory_.get(), kOwnCache);
    cache_.emplace(own_memory_.get(), process_is_alive);
    place_ = cache_->enter(endpoint_.conf().document_id, ngx_current_msec);
}

bool SupportedWatch::serves(const FacilitatorConf &conf) const
{
    return endpoint_.conf().document_id == conf.document_id;
}

void SupportedWatch::add_needs(const FacilitatorConf &conf)
{
    wanted_ = wanted_ || conf.wanted;
    for (const KindNeed &need : conf.needs) {
        if (std::find(needs_.begin(), needs_.end(), need) == needs_.end()) {
            needs_.push_back(need);
        }
    }
}

void SupportedWatch::start()
{
    needs_digest_ = digest_of(needs_);
    if (wanted_) {
        // nginx: a timer of 0 ms would wait for some other event.
        arm(1);
    }
}

void SupportedWatch::arm(std::uint64_t wait)
{
    timer_.arm(static_cast<ngx_msec_t>(
        std::clamp<std::uint64_t>(wait, 1, kLongestWait)));
}

void SupportedWatch::tick()
{
    if (worker_ends()) {
        return;  // the last answer is used for the rest
    }
    arm(kMaxSupportedRetry * 1000);  // in case memory is refused below
    if (call_ != nullptr) {
        return;
    }
    std::uint64_t id = endpoint_.conf().document_id;
    SupportedTurn turn = with_cache([&](SupportedCache &cache) {
        place_ = cache.enter(id, ngx_current_msec);
        return place_ == SupportedCache::kNoPlace
                   ? SupportedTurn()
                   : cache.take_turn(place_, ngx_pid, needs_digest_,
                                     ngx_current_msec, kLease);
    });
    if (place_ == SupportedCache::kNoPlace) {
        use_own_memory();
        arm(1);
        return;
    }
    if (turn.yours) {
        ask();
        return;
    }
    read_answer();
    arm(turn.wait);
}

void SupportedWatch::ask()
{
    CallTerms terms;
    terms.operation = Operation::supported;
    terms.connect_timeout = kConnectTimeout;
    terms.timeout = kTimeout;
    call_ = FacilitatorCall::start(endpoint_, std::move(terms), on_reply, this);
}

void SupportedWatch::on_reply(void *data, FacilitatorReply &reply)
{
    auto *watch = static_cast<SupportedWatch *>(data);
    watch->call_ = nullptr;
    // If memory is refused in it, the timer that was armed before it asked
    // asks again.
    watch->record_answer(reply);
}

void SupportedWatch::record_answer(const FacilitatorReply &reply)
{
    SupportedAnswer answer = read_supported_answer(reply);
    std::uint64_t wait = answer.kinds ? keep(answer) : 0;
    if (wait == 0) {
        bool wants = reply.status == 429 || reply.status == 503;
        wait = record_failure(answer, wants ? reply.retry_after : 0);
    }
    if (!worker_ends()) {
        arm(wait);
    }
}

// ms that it is fresh for; 0: it cannot be kept, and answer.detail says why.
std::uint64_t SupportedWatch::keep(SupportedAnswer &answer)
{
    std::uint64_t lifetime = with_jitter(answer.lifetime);
    bool failed_before = with_cache(
        [&](SupportedCache &cache) { return cache.failures(place_) != 0; });
    SupportedText text;
    text.text = answer.kinds->text();
    bool shown = show(text, lifetime);
    if (!shown) {
        answer.kinds->keep_only(needs_);
        text.text = answer.kinds->text();
        text.kept_for = needs_digest_;
        shown = show(text, lifetime);
    }
    if (!shown && !own_memory_) {
        with_cache(
            [&](SupportedCache &cache) { cache.give_up(place_, ngx_pid); });
        use_own_memory();
        shown = show(text, lifetime);
    }
    if (!shown) {
        answer.detail = "the answer is too long to be kept";
        return 0;
    }
    if (failed_before) {
        say(NGX_LOG_NOTICE, "lists what it supports again");
    }
    read_answer();
    return lifetime;
}

bool SupportedWatch::show(SupportedText text, std::uint64_t lifetime)
{
    return with_cache([&](SupportedCache &cache) {
        return cache.show(place_, text, ngx_current_msec, lifetime);
    });
}

// ms until the next try. One line when it begins to fail, not for each try.
std::uint64_t SupportedWatch::record_failure(const SupportedAnswer &answer,
                                             unsigned retry_after)
{
    std::uint64_t wait = 0;
    bool first = with_cache([&](SupportedCache &cache) {
        unsigned failures = cache.failures(place_);
        wait = supported_retry(failures + 1, retry_after) * 1000;
        cache.record_failure(place_, ngx_current_msec, wait);
        return failures == 0;
    });
    load();
    if (first) {
        say(NGX_LOG_WARN,
            "does not say what it supports: " + answer.detail
                + (kinds_ ? "; its last answer is used until it does"
                          : "; the request is repeated until it does"));
    }
    return wait;
}

// Takes over what the cache shows, if it differs from this worker's text.
void SupportedWatch::load()
{
    if (place_ == SupportedCache::kNoPlace) {
        return;
    }
    std::uint64_t part = own_memory_ ? kOwnGeneration : 0;
    std::uint32_t edition = cache_->edition(place_);
    if (edition == 0 || (part | edition) == generation_) {
        return;
    }
    auto shown = with_cache([&](SupportedCache &cache) {
        return cache.read(place_, endpoint_.conf().document_id);
    });
    if (!shown || shown->edition == 0) {
        return;
    }
    auto kinds = SupportedKinds::parse(shown->text);
    if (!kinds) {
        return;  // impossible: it was written from a parsed one
    }
    kinds_ = std::make_shared<const SupportedKinds>(std::move(kinds.value()));
    generation_ = part | shown->edition;
}

// Reports, once for each answer and configuration, what is offered here and not
// listed by the facilitator.
void SupportedWatch::read_answer()
{
    load();
    bool due = kinds_ && with_cache([&](SupportedCache &cache) {
                   return cache.read_once(place_, needs_digest_);
               });
    if (!due) {
        return;
    }
    for (const MissingKind &missing : missing_kinds(*kinds_, needs_)) {
        if (missing.sold_anyway) {
            say(NGX_LOG_WARN, missing.sentence);
        } else {
            say(NGX_LOG_ERR, missing.sentence);
        }
    }
}

void SupportedWatch::say(ngx_uint_t level, const std::string &sentence) const
{
    log_line(level, ngx_cycle->log,
             "facilitator \"" + endpoint_.conf().url.base() + "\" " + sentence);
}

std::shared_ptr<const SupportedKinds> SupportedWatch::kinds()
{
    load();
    return kinds_;
}

std::uint64_t SupportedWatch::generation()
{
    load();
    return generation_;
}

std::vector<std::shared_ptr<SupportedWatch>>
watch_supported(ngx_shm_zone_t *zone,
                const std::vector<std::unique_ptr<Endpoint>> &endpoints)
{
    std::vector<std::shared_ptr<SupportedWatch>> watches;
    for (auto &endpoint : endpoints) {
        std::shared_ptr<SupportedWatch> watch;
        for (auto &other : watches) {
            if (other->serves(endpoint->conf())) {
                watch = other;
            }
        }
        if (!watch) {
            watch = std::make_shared<SupportedWatch>(zone, *endpoint);
        }
        watch->add_needs(endpoint->conf());
        watches.push_back(std::move(watch));
    }
    for (auto &watch : watches) {
        watch->start();
    }
    return watches;
}

std::shared_ptr<const SupportedKinds>
supported_kinds(Worker &worker, const FacilitatorConf &conf)
{
    return worker.supported[conf.index]->kinds();
}

std::uint64_t supported_generation(Worker &worker, const FacilitatorConf &conf)
{
    return worker.supported[conf.index]->generation();
}

}  // namespace x402
