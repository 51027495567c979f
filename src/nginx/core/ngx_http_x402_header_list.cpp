// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_header_list.hpp"

#include <vector>

namespace x402 {

namespace {

// nginx: other structures point into the elements of the list, so that no
// element may move, and core's loops read the first element of every part but
// the first without looking at its length. A list that loses elements is
// therefore split into parts around them, none of them empty.
struct Segment {
    ngx_table_elt_t *first;
    ngx_uint_t count;
};

std::vector<Segment>
segments_to_keep(const ngx_list_t &list, HeaderNames names,
                 bool (*chosen)(const ngx_table_elt_t &header))
{
    std::vector<Segment> kept;
    kept.reserve(8);
    for (const ngx_list_part_t *part = &list.part; part; part = part->next) {
        auto *headers = static_cast<ngx_table_elt_t *>(part->elts);
        ngx_uint_t begin = 0;
        for (ngx_uint_t i = 0; i <= part->nelts; i++) {
            if (i < part->nelts
                && (!is_one_of(headers[i].key, names)
                    || (chosen && !chosen(headers[i])))) {
                continue;
            }
            if (i > begin) {
                kept.push_back({headers + begin, i - begin});
            }
            begin = i + 1;
        }
    }
    return kept;
}

bool rebuild(ngx_pool_t *pool, ngx_list_t &list,
             const std::vector<Segment> &kept)
{
    ngx_list_part_t *chain = nullptr;
    if (kept.size() > 1) {
        chain = static_cast<ngx_list_part_t *>(
            ngx_palloc(pool, (kept.size() - 1) * sizeof(ngx_list_part_t)));
        if (chain == nullptr) {
            return false;
        }
    }
    list.part.nelts = 0;
    list.part.next = nullptr;
    list.last = &list.part;
    for (std::size_t i = 0; i < kept.size(); i++) {
        ngx_list_part_t *part = i == 0 ? &list.part : &chain[i - 1];
        part->elts = kept[i].first;
        part->nelts = kept[i].count;
        part->next = nullptr;
        if (i > 0) {
            list.last->next = part;
        }
        list.last = part;
    }
    if (!kept.empty()) {
        // A later push must not write after the last segment: full.
        list.nalloc = list.last->nelts;
    }
    return true;
}

}  // namespace

bool same_name(const u_char *name, std::string_view wanted)
{
    for (std::size_t i = 0; i < wanted.size(); i++) {
        u_char byte = name[i] == '_' ? '-' : ngx_tolower(name[i]);
        if (byte != static_cast<u_char>(wanted[i])) {
            return false;
        }
    }
    return true;
}

bool is_one_of(const ngx_str_t &name, HeaderNames names)
{
    for (std::string_view wanted : names) {
        if (header_is(name, wanted)) {
            return true;
        }
    }
    return false;
}

bool has_header(const ngx_list_t &list, HeaderNames names)
{
    bool found = false;
    each_header(const_cast<ngx_list_t &>(list), [&](ngx_table_elt_t &header) {
        found = found || is_one_of(header.key, names);
    });
    return found;
}

bool unlink_headers(ngx_pool_t *pool, ngx_list_t &list, HeaderNames names)
{
    return unlink_headers(pool, list, names, nullptr);
}

bool unlink_headers(ngx_pool_t *pool, ngx_list_t &list, HeaderNames names,
                    bool (*chosen)(const ngx_table_elt_t &header))
{
    return !has_header(list, names)
           || rebuild(pool, list, segments_to_keep(list, names, chosen));
}

}  // namespace x402
