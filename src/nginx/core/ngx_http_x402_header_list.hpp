// SPDX-License-Identifier: Apache-2.0
// Finding headers in nginx's lists, and taking them out.
#ifndef NGX_HTTP_X402_HEADER_LIST_HPP
#define NGX_HTTP_X402_HEADER_LIST_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Names to look for, in lower case with `-`. Lifetime: borrowed for the call.
class HeaderNames {
public:
    template <std::size_t N>
    HeaderNames(const std::string_view (&names)[N])
        : begin_(names), end_(names + N)
    {
    }
    HeaderNames(const std::string_view *first,
                const std::string_view *past_last)
        : begin_(first), end_(past_last)
    {
    }
    const std::string_view *begin() const { return begin_; }
    const std::string_view *end() const { return end_; }

private:
    const std::string_view *begin_;
    const std::string_view *end_;
};

// `_` counts as `-`, letters in any case: what a CGI variable cannot tell
// apart.
bool same_name(const u_char *name, std::string_view wanted);
inline bool header_is(const ngx_str_t &name, std::string_view wanted)
{
    return name.len == wanted.size() && same_name(name.data, wanted);
}

bool is_one_of(const ngx_str_t &name, HeaderNames names);

bool has_header(const ngx_list_t &list, HeaderNames names);

// Takes every header of these names out of a request's list, without moving an
// element. False: no memory.
bool unlink_headers(ngx_pool_t *pool, ngx_list_t &list, HeaderNames names);

// The same, of those headers that are `chosen`.
bool unlink_headers(ngx_pool_t *pool, ngx_list_t &list, HeaderNames names,
                    bool (*chosen)(const ngx_table_elt_t &header));

// Calls visit(ngx_table_elt_t &) for each header.
template <class Visit> void each_header(ngx_list_t &list, Visit &&visit)
{
    for (ngx_list_part_t *part = &list.part; part; part = part->next) {
        auto *headers = static_cast<ngx_table_elt_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            visit(headers[i]);
        }
    }
}

}  // namespace x402

#endif
