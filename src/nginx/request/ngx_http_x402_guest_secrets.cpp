// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_guest_secrets.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

constexpr std::string_view kSecretNames[] = {kPassHeaderLower,
                                             kSignInHeaderLower};
constexpr std::string_view kCookieNames[] = {"cookie"};

bool has_pass(std::string_view line)
{
    return line.find(kPassCookie) != std::string_view::npos;
}

std::string_view take_pair(std::string_view &line)
{
    std::string_view pair = line.substr(0, line.find(';'));
    line.remove_prefix(std::min(line.size(), pair.size() + 1));
    pair.remove_prefix(std::min(pair.size(), pair.find_first_not_of(" \t")));
    return pair;
}

std::string without_passes(std::string_view line)
{
    std::string kept;
    while (!line.empty()) {
        std::string_view pair = take_pair(line);
        if (pair.substr(0, kPassCookie.size()) == kPassCookie || pair.empty()) {
            continue;
        }
        kept += kept.empty() ? "" : "; ";
        kept += pair;
    }
    return kept;
}

bool is_empty(const ngx_table_elt_t &header)
{
    return header.value.len == 0;
}

// nginx: `headers_in` points to the elements, and $http_cookie reads them
// there; so the values change in place. An empty line does not go on.
bool hide_cookies(ngx_http_request_t *r)
{
    bool good = true;
    bool emptied = false;
    each_header(r->headers_in.headers, [&](ngx_table_elt_t &header) {
        if (!header_is(header.key, kCookieNames[0])
            || !has_pass(view(header.value))) {
            return;
        }
        std::string kept = without_passes(view(header.value));
        ngx_str_t value = pool_copy(r->pool, kept);
        good = good && value.data != nullptr;
        emptied = emptied || value.len == 0;
        header.value = value;
    });
    return good
           && (!emptied
               || unlink_headers(r->pool, r->headers_in.headers, kCookieNames,
                                 is_empty));
}

void free_secrets(void *data)
{
    guarded(ngx_cycle->log, 0, [&] {
        static_cast<GuestSecrets *>(data)->~GuestSecrets();
        return 0;
    });
}

GuestSecrets *find_secrets(ngx_http_request_t *r)
{
    for (ngx_pool_cleanup_t *cln = r->main->pool->cleanup; cln;
         cln = cln->next) {
        if (cln->handler == free_secrets) {
            return static_cast<GuestSecrets *>(cln->data);
        }
    }
    return nullptr;
}

GuestSecrets *make_secrets(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t *cln =
        ngx_pool_cleanup_add(r->pool, sizeof(GuestSecrets));
    if (cln == nullptr) {
        return nullptr;
    }
    auto *secrets = new (cln->data) GuestSecrets();
    cln->handler = free_secrets;
    return secrets;
}

bool shows_something(ngx_http_request_t *r)
{
    bool shows = has_header(r->headers_in.headers, kSecretNames);
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        shows = shows
                || (header_is(header.key, kCookieNames[0])
                    && has_pass(view(header.value)));
    });
    return shows;
}

}  // namespace

bool take_guest_secrets(ngx_http_request_t *r, bool forwarded)
{
    if (!shows_something(r)) {
        return true;
    }
    // After an internal redirect they are known, and may still be there.
    if (find_secrets(r) == nullptr) {
        GuestSecrets *secrets = make_secrets(r);
        if (secrets == nullptr) {
            return false;
        }
        each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
            if (header_is(header.key, kPassHeaderLower)) {
                secrets->passes.push_back(header.value);
            } else if (header_is(header.key, kSignInHeaderLower)) {
                secrets->sign_ins.push_back(header.value);
            } else if (header_is(header.key, kCookieNames[0])
                       && has_pass(view(header.value))) {
                secrets->cookies.push_back(header.value);
            }
        });
    }
    return forwarded
           || (unlink_headers(r->pool, r->headers_in.headers, kSecretNames)
               && hide_cookies(r));
}

const GuestSecrets *guest_secrets(ngx_http_request_t *r)
{
    return find_secrets(r);
}

}  // namespace x402
