#include "nginx/offer/ngx_http_x402_replaced_offers.hpp"

#include <algorithm>

namespace x402 {

// Offers of one configuration by the place they are made at.
struct PlacedOffer {
    std::string place;
    const LocationOffer *location;
};
struct PlacedOffers {
    std::vector<PlacedOffer> list;
};

namespace {

// Where a location is, in words that survive edits elsewhere in the file: its
// server's name, its own, and how many of the same came before it.
std::string place_of(ngx_conf_t *cf, const std::vector<PlacedOffer> &before)
{
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    std::string place =
        copy(cscf->server_name) + "\n" + copy(clcf->name) + "\n";
    auto same = std::count_if(
        before.begin(), before.end(), [&](const PlacedOffer &each) {
            return each.place.compare(0, place.size(), place) == 0;
        });
    return place + std::to_string(same);
}

// The main configuration of the cycle that runs now; nullptr at the first
// start, in a configuration test, and when another build of the module made it.
const MainConf *running_conf()
{
    auto *cycle = const_cast<ngx_cycle_t *>(ngx_cycle);
    if (cycle == nullptr || cycle->conf_ctx == nullptr
        || cycle->modules == nullptr || ngx_is_init_cycle(cycle)) {
        return nullptr;
    }
    bool ours = false;
    for (ngx_uint_t i = 0; cycle->modules[i]; i++) {
        ours = ours || cycle->modules[i] == &ngx_http_x402_module;
    }
    if (!ours || ngx_get_conf(cycle->conf_ctx, ngx_http_module) == nullptr) {
        return nullptr;
    }
    return static_cast<MainConf *>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module));
}

time_t last_payment_of(const PaymentOffer &offer)
{
    std::uint32_t longest = 0;
    for (const auto &option : offer.options()) {
        longest = std::max(longest, option.requirements.max_timeout_seconds);
    }
    return ngx_time() + static_cast<time_t>(longest);
}

void take_over(const LocationOffer &old, LocationOffer &location)
{
    for (const OldOffer &older : old.old_offers) {
        if (older.until > ngx_time()) {
            location.old_offers.push_back(older);
        }
    }
    bool moved =
        old.constant && location.constant
        && old.constant->accepts_json() != location.constant->accepts_json();
    if (moved) {
        location.old_offers.push_back(
            {old.constant, last_payment_of(*old.constant)});
    }
}

}  // namespace

bool keep_old_offers(ngx_conf_t *cf, LocationOffer &location)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->placed_offers == nullptr) {
        mcf->placed_offers = pool_new<PlacedOffers>(cf->pool);
        if (mcf->placed_offers == nullptr) {
            return false;
        }
    }
    std::vector<PlacedOffer> &placed = mcf->placed_offers->list;
    std::string place = place_of(cf, placed);
    const MainConf *running = running_conf();
    if (running && running->placed_offers) {
        for (const PlacedOffer &each : running->placed_offers->list) {
            if (each.place == place) {
                take_over(*each.location, location);
            }
        }
    }
    placed.push_back({std::move(place), &location});
    return true;
}

}  // namespace x402
