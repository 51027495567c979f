// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_hidden_location.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

#include "nginx/conf/ngx_http_x402_foreign_module.hpp"

namespace x402 {

namespace {

bool is_set(const void *pointer)
{
    return pointer != nullptr && pointer != NGX_CONF_UNSET_PTR;
}

// nginx: what is read of these configurations is their beginning, which has not
// changed since nginx 1.0.
bool has_password(ngx_conf_t *cf, void **loc_conf)
{
    using Realm = const ngx_http_complex_value_t *;
    static ForeignModule module("ngx_http_auth_basic_module");
    const Realm *realm = first_member<Realm>(cf, loc_conf, module);
    return realm && is_set(*realm)
           && ((*realm)->lengths || view((*realm)->value) != "off");
}

// Ranges of addresses that do not touch: the first one, and the one behind.
class AddressRanges {
public:
    // Returns how many of them are new.
    std::uint64_t add(const std::uint64_t first, const std::uint64_t end)
    {
        std::uint64_t fresh = end - first, from = first, behind = end;
        auto at = ranges_.upper_bound(first);
        if (at != ranges_.begin() && std::prev(at)->second >= first) {
            --at;
        }
        while (at != ranges_.end() && at->first <= end) {
            std::uint64_t low = std::max(first, at->first);
            std::uint64_t high = std::min(end, at->second);
            fresh -= high - low;
            from = std::min(from, at->first);
            behind = std::max(behind, at->second);
            at = ranges_.erase(at);
        }
        ranges_[from] = behind;
        return fresh;
    }

private:
    std::map<std::uint64_t, std::uint64_t> ranges_;
};

// nginx: the first members of ngx_http_access_loc_conf_t, and its rules.
struct AccessRules {
    const ngx_array_t *ipv4;
    const ngx_array_t *ipv6;
};

struct AccessRule {
    static constexpr std::uint64_t kFirst = 0;
    static constexpr std::uint64_t kEnd = std::uint64_t{1} << 32;

    in_addr_t mask;
    in_addr_t addr;
    ngx_uint_t deny;

    // Adds the addresses that the rule is about; returns how many are new.
    std::uint64_t add_to(AddressRanges &ranges) const
    {
        std::uint64_t first = ntohl(addr);
        return ranges.add(first, first + kEnd - ntohl(mask));
    }
};

#if (NGX_HAVE_INET6)

// Networks of 64 bits are counted, of those that the Internet has: 2000::/3.
struct AccessRule6 {
    static constexpr std::uint64_t kFirst = std::uint64_t{1} << 61;
    static constexpr std::uint64_t kEnd = std::uint64_t{1} << 62;

    struct in6_addr addr;
    struct in6_addr mask;
    ngx_uint_t deny;

    static std::uint64_t network(const struct in6_addr &bytes)
    {
        std::uint64_t bits = 0;
        for (int i = 0; i < 8; i++) {
            bits = bits << 8 | bytes.s6_addr[i];
        }
        return bits;
    }

    std::uint64_t add_to(AddressRanges &ranges) const
    {
        std::uint64_t first = network(addr);
        std::uint64_t last = first | ~network(mask);
        if (last < kFirst || first >= kEnd || mask.s6_addr[8] != 0) {
            return 0;
        }
        return ranges.add(std::max(first, kFirst),
                          std::min(last, kEnd - 1) + 1);
    }
};

#endif

// Whether most addresses have a rule that allows them, or one that denies them.
// The first rule that matches decides.
template <class Rule> bool decides_most(const ngx_array_t *rules, bool deny)
{
    if (!is_set(rules) || rules->nelts == 0 || rules->size != sizeof(Rule)) {
        return false;
    }
    AddressRanges decided;
    std::uint64_t matched = 0;
    const auto *rule = static_cast<const Rule *>(rules->elts);
    for (ngx_uint_t i = 0; i < rules->nelts; i++) {
        std::uint64_t fresh = rule[i].add_to(decided);
        matched += (rule[i].deny != 0) == deny ? fresh : 0;
    }
    return matched > (Rule::kEnd - Rule::kFirst) / 2;
}

const AccessRules *access_rules(ngx_conf_t *cf, void **loc_conf)
{
    static ForeignModule module("ngx_http_access_module");
    return first_member<AccessRules>(cf, loc_conf, module);
}

bool decides_most_ipv4(ngx_conf_t *cf, void **loc_conf, bool deny)
{
    const AccessRules *rules = access_rules(cf, loc_conf);
    return rules && decides_most<AccessRule>(rules->ipv4, deny);
}

bool allows_most_ipv6([[maybe_unused]] ngx_conf_t *cf,
                      [[maybe_unused]] void **loc_conf)
{
#if (NGX_HAVE_INET6)
    const AccessRules *rules = access_rules(cf, loc_conf);
    return rules && decides_most<AccessRule6>(rules->ipv6, false);
#else
    return false;
#endif
}

// nginx: the bits of limit_except; what it does not know has the first.
ngx_uint_t method_bit(std::string_view method)
{
    struct Known {
        std::string_view name;
        ngx_uint_t bit;
    };
    constexpr Known kKnown[] = {
        {"GET", NGX_HTTP_GET},
        {"HEAD", NGX_HTTP_HEAD},
        {"POST", NGX_HTTP_POST},
        {"PUT", NGX_HTTP_PUT},
        {"DELETE", NGX_HTTP_DELETE},
        {"MKCOL", NGX_HTTP_MKCOL},
        {"COPY", NGX_HTTP_COPY},
        {"MOVE", NGX_HTTP_MOVE},
        {"OPTIONS", NGX_HTTP_OPTIONS},
        {"PROPFIND", NGX_HTTP_PROPFIND},
        {"PROPPATCH", NGX_HTTP_PROPPATCH},
        {"LOCK", NGX_HTTP_LOCK},
        {"UNLOCK", NGX_HTTP_UNLOCK},
        {"PATCH", NGX_HTTP_PATCH},
        {"TRACE", NGX_HTTP_TRACE},
    };
    for (const Known &known : kKnown) {
        if (known.name == method) {
            return known.bit;
        }
    }
    return NGX_HTTP_UNKNOWN;
}

bool asks_by_subrequest(ngx_conf_t *cf, void **loc_conf)
{
    static ForeignModule module("ngx_http_auth_request_module");
    const auto *uri = first_member<ngx_str_t>(cf, loc_conf, module);
    return uri && uri->data != nullptr && uri->len != 0;
}

}  // namespace

bool checks_clients(ngx_conf_t *cf, void **loc_conf)
{
    return has_password(cf, loc_conf) || asks_by_subrequest(cf, loc_conf);
}

Admitted admitted_without_payment(ngx_conf_t *cf, void **loc_conf)
{
    auto *clcf = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    if (clcf->satisfy != NGX_HTTP_SATISFY_ANY) {
        return Admitted::few;
    }
    if (decides_most_ipv4(cf, loc_conf, false)) {
        return Admitted::most;
    }
    return allows_most_ipv6(cf, loc_conf) ? Admitted::ipv6 : Admitted::few;
}

Visibility visibility_of(ngx_conf_t *cf, void **loc_conf)
{
    auto *clcf = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    if (clcf->internal) {
        return Visibility::hidden;
    }
    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
        return Visibility::open;  // a payment opens it, too
    }
    if (has_password(cf, loc_conf) || decides_most_ipv4(cf, loc_conf, true)) {
        return Visibility::hidden;
    }
    return asks_by_subrequest(cf, loc_conf) ? Visibility::by_subrequest
                                            : Visibility::open;
}

bool is_method_hidden(ngx_conf_t *cf, void **loc_conf, std::string_view method)
{
    auto *clcf = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    return clcf->limit_except_loc_conf != nullptr
           && (method_bit(method) & clcf->limit_except) != 0
           && visibility_of(cf, clcf->limit_except_loc_conf)
                  == Visibility::hidden;
}

bool demands_password(ngx_conf_t *cf)
{
    void **loc_conf = static_cast<ngx_http_conf_ctx_t *>(cf->ctx)->loc_conf;
    auto *clcf = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    return clcf->satisfy != NGX_HTTP_SATISFY_ANY && has_password(cf, loc_conf);
}

}  // namespace x402
