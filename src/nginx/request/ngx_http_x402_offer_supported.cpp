#include "nginx/request/ngx_http_x402_offer_supported.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "policy/claim_key.hpp"
#include "policy/supported_extra.hpp"

namespace x402 {

namespace {

// The kind may be listed in the version we speak to clients, or in the other.
const SupportedKind *kind_of(const SupportedKinds &kinds,
                             const PaymentRequirements &way)
{
    const SupportedKind *kind = kinds.find(2, way.scheme, way.network);
    if (kind == nullptr && !way.v1_network.empty()) {
        kind = kinds.find(1, way.scheme, way.v1_network);
    }
    return kind;
}

// nullopt: not to be offered now.
std::optional<PaymentRequirements>
supplemented_way(Worker &worker, const FacilitatorConf &facilitator,
                 const PaymentRequirements &way)
{
    auto kinds = supported_kinds(worker, facilitator);
    const SupportedKind *kind = kinds ? kind_of(*kinds, way) : nullptr;
    if (kind == nullptr && way.needs_supported) {
        return std::nullopt;
    }
    auto extra =
        JsonDocument::parse(kind && !kind->extra.empty() ? kind->extra : "{}");
    auto made = with_supported_extra(way, extra ? extra->root() : JsonValue());
    if (!made && !way.needs_supported) {
        made = with_supported_extra(way, JsonValue());
    }
    if (!made) {
        log_line(NGX_LOG_ERR, ngx_cycle->log,
                 "facilitator \"" + facilitator.url.base()
                     + "\": " + made.problem().text + "; not offered");
        return std::nullopt;
    }
    return std::move(made.value());
}

// With the word of the first member who has said what is wanted; while none
// has, as the first of them would have it. Adds nothing to what cannot be
// offered.
void add_way(PaymentOffer &made, Worker &worker, const Members &members,
             const PaymentOffer::Way &way)
{
    const PaymentRequirements &base = way.requirements;
    if (takes_supported_extra(base)) {
        for (const FacilitatorConf *member : members) {
            if (!supported_kinds(worker, *member)) {
                continue;
            }
            auto spoken = supplemented_way(worker, *member, base);
            if (spoken && !takes_supported_extra(*spoken)) {
                made.add(std::move(*spoken), way.term, member->id);
                return;
            }
        }
    }
    auto plain = supplemented_way(worker, *members.front(), base);
    if (plain) {
        made.add(std::move(*plain), way.term);
    }
}

// Other answers of the facilitators, another number.
std::uint64_t answers_of(Worker &worker, const ngx_http_x402_loc_conf_t &conf,
                         const PaymentOffer &offer)
{
    std::uint64_t answers = 1;
    for (const PaymentOffer::Way &way : offer.ways()) {
        if (!takes_supported_extra(way.requirements)) {
            continue;
        }
        for (const FacilitatorConf *member : members_of(conf, way.term)) {
            answers = answers * 1099511628211U
                      ^ supported_generation(worker, *member);
        }
    }
    return answers;
}

time_t last_use_of(const PaymentOffer &offer)
{
    std::uint32_t longest = 0;
    for (const PaymentOffer::Way &way : offer.ways()) {
        longest = std::max(longest, way.requirements.max_timeout_seconds);
    }
    return ngx_time() + static_cast<time_t>(longest);
}

}  // namespace

std::shared_ptr<PaymentOffer> supplemented(Worker &worker,
                                           const ngx_http_x402_loc_conf_t &conf,
                                           const PaymentOffer &offer)
{
    auto made = std::make_shared<PaymentOffer>();
    for (const PaymentOffer::Way &way : offer.ways()) {
        add_way(*made, worker, members_of(conf, way.term), way);
    }
    return made->ways().empty() ? nullptr : made;
}

std::shared_ptr<const PaymentOffer>
supplemented_constant(Worker &worker, const ngx_http_x402_loc_conf_t &conf)
{
    const PaymentOffer &base = *location_offer(conf).constant;
    Worker::Supplement &kept = worker.supplements[&conf];
    std::uint64_t answers = answers_of(worker, conf, base);
    if (kept.answers == answers) {
        return kept.offer;
    }
    auto made = supplemented(worker, conf, base);
    if (kept.offer && made
        && kept.offer->accepts_json() != made->accepts_json()) {
        auto &before = kept.before;
        before.erase(std::remove_if(before.begin(), before.end(),
                                    [](const OldOffer &old) {
                                        return old.until <= ngx_time();
                                    }),
                     before.end());
        before.push_back({kept.offer, last_use_of(*kept.offer)});
    }
    if (made) {
        made->prepare(money_digest);
    }
    kept.answers = answers;
    kept.offer = std::move(made);
    return kept.offer;
}

unsigned version_to_ask(Worker &worker, const FacilitatorConf &facilitator,
                        const PaymentRequirements &way, unsigned own)
{
    auto kinds = supported_kinds(worker, facilitator);
    if (!kinds || way.v1_network.empty()) {
        return own;
    }
    auto lists = [&](unsigned version) {
        return kinds->find(version, way.scheme,
                           version == 1 ? way.v1_network : way.network)
               != nullptr;
    };
    unsigned other = own == 1 ? 2 : 1;
    return !lists(own) && lists(other) ? other : own;
}

const std::vector<OldOffer> *offers_before(Worker &worker,
                                           const ngx_http_x402_loc_conf_t &conf)
{
    auto kept = worker.supplements.find(&conf);
    return kept == worker.supplements.end() ? nullptr : &kept->second.before;
}

}  // namespace x402
