// SPDX-License-Identifier: Apache-2.0
// The configuration as directives wrote it and merge completed it. A pointer
// that is null stands for "not written"; what it points to lives as long as
// the configuration cycle, and is not changed once that runs.
#ifndef NGX_HTTP_X402_CONF_HPP
#define NGX_HTTP_X402_CONF_HPP

extern "C" {
#include "nginx/core/ngx_http_x402.h"
}

#include <optional>
#include <string>
#include <vector>

#include "facilitator/request_header.hpp"

namespace x402 {

class Books;
class Dialect;
class ErrorPageCheck;
class Ledger;
class Extensions;
struct FacilitatorAuth;
struct FacilitatorConf;
struct FacilitatorGroups;
struct FacilitatorProxy;
struct LocationOffer;
struct Manifest;
struct MppConf;
struct NeverminedConf;
struct DidDocument;
struct Notice;
struct PassRules;
struct Paywall;
struct SaleList;
struct SealKeys;
struct Service;
struct SignInRules;
struct Signing;
struct StreamRules;
struct UsageTerms;
struct PayerRules;
struct PlacedOffers;
struct PreparedOffers;
struct PublishedKeys;
struct SharedOffers;
struct StoreConf;
struct WebhookConf;
struct Worker;

using Dialects = std::vector<const Dialect *>;  // never empty; best first
// In the order in which they are called; never empty.
using FacilitatorPeers = std::vector<FacilitatorConf *>;
using Notices = std::vector<Notice>;

// Where in the configuration something was written, for errors that show later.
struct ConfOrigin {
    ngx_str_t file;
    ngx_uint_t line;
};

// One x402_accept, word by word; an empty string was not written.
struct AcceptWords {
    ngx_str_t network;
    ngx_str_t pay_to;
    ngx_str_t price;
    ngx_str_t amount;
    ngx_str_t asset;
    ngx_str_t decimals;
    ngx_str_t scheme;
    ngx_str_t extra;
    ngx_str_t facilitator;
    ngx_str_t plan;
    ngx_str_t credits;
    ngx_str_t agent;
    ngx_uint_t timeout;  // s, NGX_CONF_UNSET_UINT: none
    ConfOrigin origin;
};

// x402_status: what it writes; `any` is what the client asks for.
enum class StatusFormat { none, any, html, json, prometheus, openmetrics };

constexpr ngx_flag_t kShadow = 2;  // of LocationConf::enabled_directive

// Defaults that are needed at the http level, too, which nginx does not merge.
constexpr ngx_uint_t kDefaultMaxCalls = 4096;
constexpr ngx_msec_t kDefaultConnectTimeout = 2000;
constexpr ngx_msec_t kDefaultSettleTimeout = 60000;

// Of an http, server or location block. nginx: stock setters write into the
// base, whose address is the address nginx knows.
struct LocationConf : ngx_http_x402_loc_conf_t {
    LocationConf() : ngx_http_x402_loc_conf_t()
    {
        auto unset =
            static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
        ssl_verify = NGX_CONF_UNSET;
        max_calls = NGX_CONF_UNSET_UINT;
        resource = description = mime_type = redeliver_key = error = unset;
        settle_buffer = read_body = NGX_CONF_UNSET_SIZE;
        settle_wait = NGX_CONF_UNSET_MSEC;
        unproven = settle_failure = verify = NGX_CONF_UNSET_UINT;
        refuse_status = malformed_status = batch = NGX_CONF_UNSET_UINT;
        forward_payment = NGX_CONF_UNSET;
    }

    // x402 of this level: 0 off, 1 on, 2 shadow.
    ngx_flag_t enabled_directive = NGX_CONF_UNSET;
    ngx_str_t price{};
    ngx_str_t network{};
    ngx_str_t pay_to{};
    std::vector<AcceptWords> *accepts = nullptr;
    ngx_uint_t timeout = NGX_CONF_UNSET_UINT;  // s
    // s, NGX_CONF_UNSET_UINT: as ValidityLimits has it
    ngx_uint_t validity_min = NGX_CONF_UNSET_UINT;
    ngx_uint_t validity_max = NGX_CONF_UNSET_UINT;

    ngx_str_t facilitator_url{};  // or the name of a group
    ConfOrigin facilitator_origin{};
    ngx_msec_t connect_timeout = NGX_CONF_UNSET_MSEC;
    ngx_msec_t verify_timeout = NGX_CONF_UNSET_MSEC;
    ngx_msec_t settle_timeout = NGX_CONF_UNSET_MSEC;
    ngx_str_t trusted_certificate{};
    RequestHeaders *facilitator_headers = nullptr;
    const FacilitatorAuth *facilitator_auth = nullptr;
    // Of this level; nullptr: off.
    std::optional<const FacilitatorProxy *> facilitator_proxy;

    const Dialects *dialects = nullptr;  // nullptr: version 2
    const NeverminedConf *nevermined = nullptr;
    const MppConf *mpp_written = nullptr;  // x402_mpp
    // Lower case; nullptr: the dialect's own.
    const std::vector<std::string> *token_headers = nullptr;

    const std::vector<std::string> *methods = nullptr;  // nullptr: all
    ngx_uint_t settle = NGX_CONF_UNSET_UINT;
    // ngx_http_complex_value_t; nullptr after merge: none.
    ngx_array_t *bypass = static_cast<ngx_array_t *>(NGX_CONF_UNSET_PTR);
    PayerRules *payer_rules = nullptr;    // nullptr: none
    const UsageTerms *charge = nullptr;   // x402_charge; nullptr: none
    const StreamRules *stream = nullptr;  // x402_stream; the same
    const PassRules *pass = nullptr;  // nullptr: none; until merge also "off"
    const SignInRules *sign_in = nullptr;  // the same
    const SealKeys *seal_keys = nullptr;
    ngx_str_t cors{};  // "*", an origin; empty: off
    ngx_http_complex_value_t *unpaid_body = nullptr;
    ngx_str_t unpaid_type{};
    bool ledger_written = false;  // x402_ledger, here or around
    Ledger *ledger = nullptr;     // nullptr: off
    ngx_str_t label{};  // x402_label, of this location or one around it
    bool *ledger_used = nullptr;  // of both, by record_setting()
    bool *label_used = nullptr;
    // Of x402_status and the like: the content handler of this location, and
    // whether it had another one before.
    ngx_http_handler_pt page_handler = nullptr;
    bool page_hides = false;
    ConfOrigin page_origin{};
    StatusFormat status = StatusFormat::none;  // of this location only
    const Manifest *manifest = nullptr;        // of this location only
    // x402_service, with what the levels around say.
    Service *service = nullptr;
    const Signing *signing = nullptr;     // x402_sign_offers
    DidDocument *did_document = nullptr;  // of this location only
    Notices *notices = nullptr;
    const Paywall *paywall = nullptr;
    Extensions *extensions = nullptr;

    ConfOrigin origin{};  // of the words that make an offer

    // Made by merge.
    const ngx_http_core_loc_conf_t *core = nullptr;  // of the same location
    const LocationConf *enclosing = nullptr;         // the level around it
    // Of its server, with x402_sign_in or x402_sign_offers; `.name`: all below
    // name.
    const std::vector<std::string> *server_names = nullptr;
    bool enabled = false;  // this location is paid
    // It has a price that no client is asked for: what would happen is booked.
    bool shadow = false;
    bool shadow_inherited = false;  // x402 shadow, here or around
    bool has_price() const { return enabled || shadow; }
    // Its price was written in it, or in a location around it.
    bool price_in_location = false;
    // `x402 off` was.
    bool off_in_location = false;
    ngx_uint_t label_number = 0;   // in the books; 0: none
    const MppConf *mpp = nullptr;  // nullptr: MPP is not spoken here
    const LocationOffer *offer = nullptr;
    FacilitatorConf *facilitator = nullptr;  // the first of the peers
    const FacilitatorPeers *facilitator_peers = nullptr;
    const PreparedOffers *prepared = nullptr;  // nullptr: they vary
    // How much is held, and how long (x402_settle_buffer, x402_settle_wait).
    size_t hold_buffer = 0;
    ngx_msec_t hold_wait = 0;
    ngx_str_t prepared_body{};    // of a 402 with them, if it has no other
    bool *verify_used = nullptr;  // of x402_verify, by record_setting()
};

// Of the http block as a whole.
// A directive that does nothing unless a location with a price uses it.
struct WrittenSetting {
    const bool *used;
    const char *sentence;  // what is said if none does
    ConfOrigin origin;
};

// A zone that a directive names without its size.
struct NamedZone {
    ngx_shm_zone_t *zone;
    ConfOrigin origin;
};

struct MainConf {
    LocationConf *http_loc_conf = nullptr;  // of the http block itself
    ngx_shm_zone_t *zone = nullptr;
    std::vector<FacilitatorConf *> facilitators;  // each at its index
    FacilitatorGroups *facilitator_groups = nullptr;
    Books *books = nullptr;
    WebhookConf *webhook = nullptr;  // x402_webhook
    StoreConf *store = nullptr;      // x402_store
    bool store_written = false;
    Worker *worker = nullptr;  // of this process
    bool paid = false;         // some location is paid
    ConfOrigin shadow_at{};    // the first that is only tried; line 0: none
    ConfOrigin made_key_at{};  // the first whose challenges have a made key
    // The first with MPP that also asks for a password; line 0: none.
    ConfOrigin mpp_password_at{};
    bool cors = false;                      // one of them has x402_cors
    bool reads_body = false;                // one of them has x402_read_body
    bool returning_clients = false;         // one has x402_pass or x402_sign_in
    bool charges = false;                   // one of them has x402_charge
    std::vector<std::string> reply_fields;  // of $x402_reply_..., lower case
    // The most that x402_facilitator_max_calls says in a paid location; 0: it
    // is not written.
    ngx_uint_t max_calls = 0;
    ConfOrigin paid_at{};  // the first paid location
    bool status = false;   // some location has x402_status
    ErrorPageCheck *error_pages = nullptr;
    PlacedOffers *placed_offers = nullptr;
    SharedOffers *shared_offers = nullptr;
    SaleList *sales = nullptr;  // nullptr: no location has x402_manifest
    std::vector<WrittenSetting> settings;
    std::vector<NamedZone> named_zones;
    PublishedKeys *published_keys = nullptr;  // nullptr: nothing is signed
    const char *only_guard_of = nullptr;      // what no chain protects
    ConfOrigin only_guard_at{};
};

// nginx: the pointer that it hands to setters and to merge.
inline LocationConf *location_conf(void *conf)
{
    return static_cast<LocationConf *>(
        static_cast<ngx_http_x402_loc_conf_t *>(conf));
}

inline LocationConf *loc_conf(ngx_http_request_t *r)
{
    return location_conf(ngx_http_get_module_loc_conf(r, ngx_http_x402_module));
}

inline MainConf *main_conf(ngx_http_request_t *r)
{
    return static_cast<MainConf *>(
        ngx_http_get_module_main_conf(r, ngx_http_x402_module));
}

inline MainConf *main_conf(ngx_conf_t *cf)
{
    return static_cast<MainConf *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_x402_module));
}

}  // namespace x402

#endif
