// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_offer_supported.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"
#include "nginx/worker/ngx_http_x402_supported_share.hpp"
#include "policy/claim_key.hpp"
#include "policy/supported_extra.hpp"

namespace x402 {

namespace {

// The kind may be listed in the version that clients use, or in the other one.
const SupportedKind *kind_of(const SupportedKinds &kinds,
                             const PaymentRequirements &option)
{
    const SupportedKind *kind = kinds.find(2, option.scheme, option.network);
    if (kind == nullptr && !option.v1_network.empty()) {
        kind = kinds.find(1, option.scheme, option.v1_network);
    }
    return kind;
}

// nullopt: not to be offered now.
std::optional<PaymentRequirements>
supported_option(Worker &worker, const FacilitatorConf &facilitator,
                 const PaymentRequirements &option)
{
    auto kinds = supported_kinds(worker, facilitator);
    const SupportedKind *kind = kinds ? kind_of(*kinds, option) : nullptr;
    if (kind == nullptr && option.needs_supported) {
        return std::nullopt;
    }
    auto extra =
        JsonDocument::parse(kind && !kind->extra.empty() ? kind->extra : "{}");
    auto made =
        with_supported_extra(option, extra ? extra->root() : JsonValue());
    if (!made && !option.needs_supported) {
        made = with_supported_extra(option, JsonValue());
    }
    if (!made) {
        log_line(NGX_LOG_ERR, ngx_cycle->log,
                 "facilitator \"" + facilitator.url.base()
                     + "\": " + made.problem().text + "; not offered");
        return std::nullopt;
    }
    return std::move(made.value());
}

// Adds what the first peer says that has answered; while none has, the option
// is treated as the first peer's. Adds nothing to an option that cannot be
// offered.
void add_option(PaymentOffer &made, Worker &worker,
                const FacilitatorPeers &peers,
                const PaymentOffer::Option &option)
{
    const PaymentRequirements &base = option.requirements;
    if (takes_supported_extra(base)) {
        for (const FacilitatorConf *peer : peers) {
            if (!supported_kinds(worker, *peer)) {
                continue;
            }
            auto spoken = supported_option(worker, *peer, base);
            if (spoken && !takes_supported_extra(*spoken)) {
                made.add(std::move(*spoken), option.term, peer->id);
                return;
            }
        }
    }
    auto plain = supported_option(worker, *peers.front(), base);
    if (plain) {
        made.add(std::move(*plain), option.term);
    }
}

// Other answers of the facilitators, another number.
std::uint64_t answers_of(Worker &worker, const LocationConf &conf,
                         const PaymentOffer &offer)
{
    std::uint64_t answers = 1;
    for (const PaymentOffer::Option &option : offer.options()) {
        if (!takes_supported_extra(option.requirements)) {
            continue;
        }
        for (const FacilitatorConf *peer : peers_of(conf, option.term)) {
            answers =
                answers * 1099511628211U ^ supported_generation(worker, *peer);
        }
    }
    return answers;
}

// The option with what another machine learned; nullopt: not payable like this.
std::optional<PaymentRequirements>
option_elsewhere(const SupportedKinds &kinds, const PaymentRequirements &option)
{
    const SupportedKind *kind = kind_of(kinds, option);
    if (kind == nullptr || kind->extra.empty()) {
        return std::nullopt;
    }
    auto extra = JsonDocument::parse(kind->extra);
    auto made =
        with_supported_extra(option, extra ? extra->root() : JsonValue());
    if (!made || takes_supported_extra(made.value())) {
        return std::nullopt;
    }
    return std::move(made.value());
}

time_t last_use_of(const PaymentOffer &offer)
{
    std::uint32_t longest = 0;
    for (const PaymentOffer::Option &option : offer.options()) {
        longest = std::max(longest, option.requirements.max_timeout_seconds);
    }
    return ngx_time() + static_cast<time_t>(longest);
}

}  // namespace

std::shared_ptr<PaymentOffer> with_supported(Worker &worker,
                                             const LocationConf &conf,
                                             const PaymentOffer &offer)
{
    auto made = std::make_shared<PaymentOffer>();
    for (const PaymentOffer::Option &option : offer.options()) {
        add_option(*made, worker, peers_of(conf, option.term), option);
    }
    return made->options().empty() ? nullptr : made;
}

const Worker::SupportedOffer &supplemented_constant(Worker &worker,
                                                    const LocationConf &conf)
{
    const PaymentOffer &base = *location_offer(conf).constant;
    Worker::SupportedOffer &kept = worker.supported_offers[&conf];
    std::uint64_t answers = answers_of(worker, conf, base);
    if (kept.answers == answers) {
        return kept;
    }
    auto made = with_supported(worker, conf, base);
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
    kept.prepared = nullptr;
    if (made) {
        made->prepare(terms_digest);
        kept.prepared = prepare_answer(conf, *made);
    }
    kept.answers = answers;
    kept.offer = std::move(made);
    return kept;
}

unsigned version_to_ask(Worker &worker, const FacilitatorConf &facilitator,
                        const PaymentRequirements &option, unsigned own)
{
    auto kinds = supported_kinds(worker, facilitator);
    if (!kinds || option.v1_network.empty()) {
        return own;
    }
    auto lists = [&](unsigned version) {
        return kinds->find(version, option.scheme,
                           version == 1 ? option.v1_network : option.network)
               != nullptr;
    };
    unsigned other = own == 1 ? 2 : 1;
    return !lists(own) && lists(other) ? other : own;
}

const std::vector<OldOffer> *offers_before(Worker &worker,
                                           const LocationConf &conf)
{
    auto kept = worker.supported_offers.find(&conf);
    return kept == worker.supported_offers.end() ? nullptr
                                                 : &kept->second.before;
}

std::shared_ptr<const PaymentOffer> offered_elsewhere(Worker &worker,
                                                      const LocationConf &conf)
{
    const LocationOffer &location = location_offer(conf);
    if (!worker.share || !location.with_supported || !location.constant) {
        return nullptr;
    }
    Worker::SupportedOffer &kept = worker.supported_offers[&conf];
    if (kept.heard == worker.share->generation()) {
        return kept.elsewhere;
    }
    auto made = std::make_shared<PaymentOffer>();
    for (const PaymentOffer::Option &option : location.constant->options()) {
        if (!takes_supported_extra(option.requirements)) {
            continue;
        }
        for (const FacilitatorConf *peer : peers_of(conf, option.term)) {
            for (const auto &kinds : worker.share->heard(*peer)) {
                auto spoken = option_elsewhere(*kinds, option.requirements);
                if (spoken) {
                    made->add(std::move(*spoken), option.term, peer->id);
                }
            }
        }
    }
    made->prepare(terms_digest);
    kept.heard = worker.share->generation();
    kept.elsewhere = made->options().empty() ? nullptr : std::move(made);
    return kept.elsewhere;
}

}  // namespace x402
