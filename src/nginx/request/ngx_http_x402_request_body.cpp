// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_request_body.hpp"

#include <algorithm>
#include <set>

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMostBatchElements = 64;

// False: a file could not be read.
bool append_buffer(const ngx_buf_t &buffer, std::string &text)
{
    if (!buffer.in_file || ngx_buf_in_memory(&buffer)) {
        text.append(reinterpret_cast<const char *>(buffer.pos),
                    static_cast<std::size_t>(buffer.last - buffer.pos));
        return true;
    }
    auto size = static_cast<std::size_t>(buffer.file_last - buffer.file_pos);
    std::size_t before = text.size();
    text.resize(before + size);
    ssize_t count =
        ngx_read_file(buffer.file, reinterpret_cast<u_char *>(&text[before]),
                      size, buffer.file_pos);
    return count == static_cast<ssize_t>(size);
}

off_t body_size(ngx_http_request_t *r)
{
    off_t size = 0;
    for (ngx_chain_t *in = r->request_body->bufs; in; in = in->next) {
        size += ngx_buf_size(in->buf);
    }
    return size;
}

bool is_capital(char letter)
{
    return letter >= 'A' && letter <= 'Z';
}

bool has_capital(std::string_view text)
{
    return std::any_of(text.begin(), text.end(), is_capital);
}

// A variable cannot distinguish members that differ in case only. The upstream
// can, and would take the one that was not paid for.
bool is_ambiguous(JsonValue root)
{
    const auto members = root.members();
    // Without a capital all differ, because the text has no name twice.
    if (std::none_of(members.begin(), members.end(), [](const auto &member) {
            return has_capital(member.first);
        })) {
        return false;
    }
    std::set<std::string> names;
    for (const auto &[name, value] : members) {
        if (!names.insert(lower_case(name)).second) {
            return true;
        }
    }
    return false;
}

// Empty, or why no price can be taken from it.
std::string fault_of(JsonValue root, bool batches)
{
    if (batches && root.is_array()) {
        if (root.size() == 0 || root.size() > kMostBatchElements) {
            return "a batch has 1 to " + std::to_string(kMostBatchElements)
                   + " elements";
        }
        for (std::size_t i = 0; i < root.size(); i++) {
            std::string fault = fault_of(root.at(i), false);
            if (!fault.empty()) {
                return "an element of the batch: " + fault;
            }
        }
        return {};
    }
    if (!root.is_object()) {
        return "it is not an object";
    }
    return is_ambiguous(root) ? "members differ in case alone" : "";
}

bool ends(std::string_view text, std::string_view back)
{
    return text.size() >= back.size()
           && text.substr(text.size() - back.size()) == back;
}

// A page of a browser sends the text of a script as text/plain. Applications
// take no members from that, unless they read it as JSON.
bool is_json_type(std::string_view value)
{
    std::string_view type = value.substr(0, value.find(';'));
    type = type.substr(0, type.find_last_not_of(" \t") + 1);
    bool one = type.find_first_of(" \t\"\\") == std::string_view::npos
               && value.find(',') == std::string_view::npos;
    bool form = value.find("application/x-www-form-urlencoded")
                    != std::string_view::npos
                || value.find("multipart/") != std::string_view::npos;
    return one && !form
           && (type == "application/json" || type == "text/json"
               || type == "text/plain"
               || (ends(type, "+json")
                   && type.find('/') != std::string_view::npos));
}

// Empty, or why the upstream may read another text than the one that came.
std::string type_fault(std::string_view value)
{
    constexpr std::string_view kCharset = "charset";
    std::string type = lower_case(value);
    if (!is_json_type(type)) {
        return "Content-Type does not say that it is JSON; send "
               "application/json";
    }
    std::size_t at = type.find(kCharset);
    if (at == std::string::npos) {
        return {};
    }
    std::string name = type.substr(at + kCharset.size());
    name.erase(0, std::min(name.find_first_not_of(" \t=\"'"), name.size()));
    name.erase(std::min(name.find_first_of(" \t;\"',"), name.size()));
    bool once = type.find(kCharset, at + 1) == std::string::npos;
    bool good = name == "utf-8" || name == "utf8" || name == "us-ascii";
    return once && good ? "" : "Content-Type has another charset than utf-8";
}

// Money: the upstream does what these headers say. In a form, in YAML, in UTF-7
// or unpacked, the same bytes ask for something else; without a type some
// applications read a form.
std::string header_fault(ngx_http_request_t *r)
{
    std::string fault;
    bool typed = false;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        std::string_view value = view(header.value);
        if (header_is(header.key, "content-encoding")
            && lower_case(value) != "identity") {
            fault = "it has a Content-Encoding";
        } else if (header_is(header.key, "content-type")) {
            typed = true;
            fault = fault.empty() ? type_fault(value) : fault;
        }
    });
    return fault.empty() && !typed ? type_fault("") : fault;
}

// Money: a body that only the upstream can read, or one without members (an
// array, a number), would be sold at the price of an empty one.
ngx_int_t take_body(RequestCtx &ctx, const LocationConf &conf)
{
    std::size_t limit = conf.read_body;
    ngx_http_request_t *r = ctx.r;
    if (r->request_body == nullptr || r->request_body->bufs == nullptr) {
        return NGX_OK;
    }
    if (body_size(r) > static_cast<off_t>(limit)) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    std::string text;
    for (ngx_chain_t *in = r->request_body->bufs; in; in = in->next) {
        if (!append_buffer(*in->buf, text)) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    if (text.empty()) {
        return NGX_OK;
    }
    // A challenge of MPP is for this body, too.
    if (!ctx.presented.empty() || conf.mpp) {
        ctx.body_digest = sha256(text);
    }
    JsonLimits limits;
    limits.bytes = limit;
    limits.keys = limits.values = std::max<std::size_t>(4096, limit / 8);
    auto document = JsonDocument::parse_explained(text, limits);
    std::string why = header_fault(r);
    if (!document) {
        why = log_excerpt(document.problem().text);
    } else if (why.empty()) {
        why = fault_of(document->root(), conf.batch == NGX_HTTP_X402_BATCH_SUM);
    }
    if (!why.empty()) {
        log_line(NGX_LOG_INFO, r->connection->log,
                 "the price cannot be taken from the request body: " + why);
        return NGX_HTTP_BAD_REQUEST;
    }
    ctx.trace.body_document = std::move(document.value());
    return NGX_OK;
}

void on_body(ngx_http_request_t *r)
{
    ngx_int_t rc = guarded(
        r->connection->log,
        static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR), [&] {
            RequestCtx *ctx = find_ctx(r);
            if (ctx == nullptr) {
                return static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR);
            }
            ctx->body_read = true;
            ngx_int_t taken = take_body(*ctx, *loc_conf(r));
            if (taken == NGX_HTTP_INTERNAL_SERVER_ERROR) {
                return taken;
            }
            ctx->body_fault = static_cast<ngx_uint_t>(taken);
            return static_cast<ngx_int_t>(NGX_OK);
        });
    if (rc != NGX_OK) {
        ngx_http_finalize_request(r, rc);
        return;
    }
    // nginx: an upstream would close the temporary file after itself, and a
    // redirect may bring another.
    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

}  // namespace

std::string lower_case(std::string_view text)
{
    std::string out(text);
    for (char &letter : out) {
        if (is_capital(letter)) {
            letter = static_cast<char>(letter - 'A' + 'a');
        }
    }
    return out;
}

ngx_int_t take_read_body(RequestCtx &ctx, const LocationConf *conf)
{
    ctx.body_read = true;
    ctx.body_missed = false;
    ngx_http_request_t *r = ctx.r;
    off_t length = r->headers_in.content_length_n;
    if (length > static_cast<off_t>(conf->read_body)) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    bool read = r->request_body && r->request_body->bufs;
    if (!read && (length > 0 || r->headers_in.chunked)) {
        ctx.body_missed = true;  // it was not read, or was passed on unread
        return NGX_OK;
    }
    return take_body(ctx, *conf);
}

ngx_int_t read_body(RequestCtx &ctx, const LocationConf *conf)
{
    ngx_http_request_t *r = ctx.r;
    if (r->headers_in.content_length_n > static_cast<off_t>(conf->read_body)) {
        ctx.body_read = true;
        ctx.body_fault = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        return NGX_OK;
    }
    ngx_int_t rc = ngx_http_read_client_request_body(r, on_body);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }
    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}

}  // namespace x402
