// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_free_requests.hpp"

#include <algorithm>

#include "base/header_syntax.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/request/ngx_http_x402_batch.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

namespace x402 {

namespace {

// Whose free requests these are.
struct FreeSubject {
    std::string_view text;
    u_char address[16];  // `text` may be a part of it
};

enum class AddressForm : std::uint8_t { none, bytes, text };

// Of a key that is an address and nothing else. nginx: a name may be in braces,
// and is the same in letters of another case.
AddressForm address_form(std::string_view key)
{
    key.remove_prefix(1);
    if (key.substr(0, 1) == "{" && key.back() == '}') {
        key = key.substr(1, key.size() - 2);
    }
    if (same_word(key, "binary_remote_addr")) {
        return AddressForm::bytes;
    }
    return same_word(key, "remote_addr") || same_word(key, "realip_remote_addr")
                   || same_word(key, "proxy_protocol_addr")
               ? AddressForm::text
               : AddressForm::none;
}

// Money: a customer has a network of 64 bits of IPv6 at least, and would have
// its free requests again with each address of it.
bool free_subject(ngx_http_request_t *r, const PayerQuota &quota,
                  FreeSubject &subject)
{
    std::string_view &text = subject.text;
    if (!evaluate(r, quota.key, text)) {
        return false;
    }
#if (NGX_HAVE_INET6)
    constexpr std::size_t kNetworkBytes = 8;
    constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    std::string_view bytes(reinterpret_cast<const char *>(subject.address),
                           sizeof(subject.address));
    AddressForm form = address_form(view(quota.key->value));
    ngx_str_t written = to_ngx_str(text);
    bool ipv6 =
        form == AddressForm::text
        && ngx_inet6_addr(written.data, written.len, subject.address) == NGX_OK;
    if (form == AddressForm::bytes && text.size() == bytes.size()) {
        std::copy(text.begin(), text.end(), subject.address);
        ipv6 = true;
    }
    if (ipv6 && bytes.substr(0, kMapped.size()) != kMapped) {
        text = bytes.substr(0, kNetworkBytes);
    }
#endif
    return true;
}

// What a request has been counted for: it goes through internal redirects with
// it, and is one request all the way.
struct CountedFree {
    const ngx_shm_zone_t *zone;
    std::string rule;
    std::string subject;
};

void forget_counted(void *data)
{
    guarded(ngx_cycle->log, 0, [&] {
        static_cast<CountedFree *>(data)->~CountedFree();
        return 0;
    });
}

bool was_counted(ngx_http_request_t *r, const PayerQuota &quota,
                 std::string_view subject)
{
    for (ngx_pool_cleanup_t *cln = r->pool->cleanup; cln; cln = cln->next) {
        auto *counted = static_cast<const CountedFree *>(cln->data);
        if (cln->handler == forget_counted && counted->zone == quota.zone
            && counted->rule == quota.rule && counted->subject == subject) {
            return true;
        }
    }
    return false;
}

// Without memory it is counted at each location.
void record_counted(ngx_http_request_t *r, const PayerQuota &quota,
                    std::string_view subject)
{
    ngx_pool_cleanup_t *cln =
        ngx_pool_cleanup_add(r->pool, sizeof(CountedFree));
    if (cln != nullptr) {
        new (cln->data)
            CountedFree{quota.zone, quota.rule, std::string(subject)};
        cln->handler = forget_counted;
    }
}

}  // namespace

bool was_given_away(const RequestCtx &ctx, const LocationConf &conf)
{
    FreeSubject subject;
    return conf.payer_rules && conf.payer_rules->free
           && free_subject(ctx.r, *conf.payer_rules->free, subject)
           && was_counted(ctx.r, *conf.payer_rules->free, subject.text);
}

bool take_free_request(RequestCtx &ctx, const LocationConf *conf)
{
    if (conf->payer_rules == nullptr || !conf->payer_rules->free) {
        return false;
    }
    const PayerQuota &quota = *conf->payer_rules->free;
    FreeSubject subject;
    // Money: a key that depends on a body that is not known belongs to no one.
    if (!free_subject(ctx.r, quota, subject) || subject.text.empty()
        || ctx.body_missed) {
        return false;
    }
    if (!was_counted(ctx.r, quota, subject.text)) {
        if (count_usage(quota.zone, quota.rule, subject.text, quota.quota,
                        count_requests(ctx))
            != 0) {
            return false;
        }
        record_counted(ctx.r, quota, subject.text);
    }
    ctx.free_at = conf;
    return true;
}

}  // namespace x402
