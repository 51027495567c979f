// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_hidden_location.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>

namespace x402 {

namespace {

// nginx: the configurations of other modules are private to them. What is read
// of each is its first member, which has not changed since nginx 1.0; nullptr:
// the module is not part of this nginx.
template <class First>
const First *first_member(ngx_conf_t *cf, void **loc_conf,
                          std::string_view module_name)
{
    for (ngx_uint_t i = 0; cf->cycle->modules[i]; i++) {
        const ngx_module_t *module = cf->cycle->modules[i];
        if (module->type == NGX_HTTP_MODULE
            && std::string_view(module->name) == module_name) {
            return static_cast<const First *>(loc_conf[module->ctx_index]);
        }
    }
    return nullptr;
}

bool is_set(const void *pointer)
{
    return pointer != nullptr && pointer != NGX_CONF_UNSET_PTR;
}

bool has_password(ngx_conf_t *cf, void **loc_conf)
{
    using Realm = const ngx_http_complex_value_t *;
    const Realm *realm =
        first_member<Realm>(cf, loc_conf, "ngx_http_auth_basic_module");
    return realm && is_set(*realm)
           && ((*realm)->lengths || view((*realm)->value) != "off");
}

// nginx: ngx_http_access_rule_t, of IPv4.
struct AccessRule {
    in_addr_t mask;
    in_addr_t addr;
    ngx_uint_t deny;
};

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

// Whether most addresses have a rule that allows them, or one that denies them.
// The first rule that matches decides.
bool decides_most(ngx_conf_t *cf, void **loc_conf, bool deny)
{
    using Rules = const ngx_array_t *;
    const Rules *rules =
        first_member<Rules>(cf, loc_conf, "ngx_http_access_module");
    if (rules == nullptr || !is_set(*rules) || (*rules)->nelts == 0
        || (*rules)->size != sizeof(AccessRule)) {
        return false;
    }
    constexpr std::uint64_t kAddresses = std::uint64_t{1} << 32;
    AddressRanges decided;
    std::uint64_t matched = 0;
    const auto *rule = static_cast<const AccessRule *>((*rules)->elts);
    for (ngx_uint_t i = 0; i < (*rules)->nelts; i++) {
        std::uint64_t first = ntohl(rule[i].addr);
        std::uint64_t size = kAddresses - ntohl(rule[i].mask);
        std::uint64_t fresh = decided.add(first, first + size);
        matched += (rule[i].deny != 0) == deny ? fresh : 0;
    }
    return matched > kAddresses / 2;
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
    const auto *uri =
        first_member<ngx_str_t>(cf, loc_conf, "ngx_http_auth_request_module");
    return uri && uri->data != nullptr && uri->len != 0;
}

}  // namespace

bool checks_clients(ngx_conf_t *cf, void **loc_conf)
{
    return has_password(cf, loc_conf) || asks_by_subrequest(cf, loc_conf);
}

bool admits_most(ngx_conf_t *cf, void **loc_conf)
{
    auto *clcf = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    return clcf->satisfy == NGX_HTTP_SATISFY_ANY
           && decides_most(cf, loc_conf, false);
}

// nginx: where the value is kept is in the table of the module's directives.
bool sets_method(ngx_conf_t *cf, void **loc_conf)
{
    for (ngx_uint_t i = 0; cf->cycle->modules[i]; i++) {
        const ngx_module_t *module = cf->cycle->modules[i];
        if (std::string_view(module->name) != "ngx_http_proxy_module") {
            continue;
        }
        const ngx_command_t *command = module->commands;
        while (command->name.len && view(command->name) != "proxy_method") {
            command++;
        }
        const auto *place =
            static_cast<const char *>(loc_conf[module->ctx_index])
            + command->offset;
        return command->set == ngx_http_set_complex_value_slot
               && is_set(*reinterpret_cast<const void *const *>(place));
    }
    return false;
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
    if (has_password(cf, loc_conf) || decides_most(cf, loc_conf, true)) {
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
