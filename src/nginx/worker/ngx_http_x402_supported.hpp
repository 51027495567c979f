// SPDX-License-Identifier: Apache-2.0
// What facilitators support, requested in the background: one worker asks for
// all, and the others read its answer in the cache in the zone. If the zone has
// no room, each worker asks for itself.
#ifndef NGX_HTTP_X402_SUPPORTED_HPP
#define NGX_HTTP_X402_SUPPORTED_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "facilitator/supported_answer.hpp"
#include "facilitator/supported_kinds.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

// What the facilitator is known to support; nullptr: not known yet. Cheap while
// it stays the same. What was handed out stays valid for its holder.
std::shared_ptr<const SupportedKinds>
supported_kinds(Worker &worker, const FacilitatorConf &conf);

// Changes with each answer; 0: not known yet.
std::uint64_t supported_generation(Worker &worker, const FacilitatorConf &conf);

// What this worker knows of one facilitator.
class SupportedWatch {
public:
    SupportedWatch(ngx_shm_zone_t *zone, Endpoint &endpoint);
    ~SupportedWatch();
    SupportedWatch(const SupportedWatch &) = delete;
    SupportedWatch &operator=(const SupportedWatch &) = delete;

    // Whether a facilitator hears the same question; its locations' needs count
    // from then on.
    bool serves(const FacilitatorConf &conf) const;
    void add_needs(const FacilitatorConf &conf);
    // Begins in the next turn of the event loop.
    void start();

    std::shared_ptr<const SupportedKinds> kinds();
    std::uint64_t generation();

private:
    template <class Body> auto with_cache(Body &&body);
    void tick();
    void ask();
    void record_answer(const FacilitatorReply &reply);
    std::uint64_t keep(SupportedAnswer &answer);
    std::uint64_t record_failure(const SupportedAnswer &answer,
                                 unsigned retry_after);
    bool show(SupportedText text, std::uint64_t lifetime);
    void use_own_memory();
    void load();
    void read_answer();
    void arm(std::uint64_t wait);
    void say(ngx_uint_t level, const std::string &sentence) const;
    static void on_reply(void *data, FacilitatorReply &reply);

    ngx_shm_zone_t *zone_;
    Endpoint &endpoint_;
    bool wanted_ = false;
    std::vector<KindNeed> needs_;
    std::uint64_t needs_digest_ = 0;
    std::optional<SupportedCache> cache_;  // the zone's, or on own_memory_
    std::unique_ptr<std::uint64_t[]> own_memory_;
    std::uint32_t place_ = SupportedCache::kNoPlace;
    std::uint64_t generation_ = 0;  // of kinds_
    std::shared_ptr<const SupportedKinds> kinds_;
    FacilitatorCall *call_ = nullptr;
    Timer timer_;
};

// One watch for each facilitator of the configuration, by index; those that
// get the same request share one.
std::vector<std::shared_ptr<SupportedWatch>>
watch_supported(ngx_shm_zone_t *zone,
                const std::vector<std::unique_ptr<Endpoint>> &endpoints);

}  // namespace x402

#endif
