// SPDX-License-Identifier: Apache-2.0
// Variables with a field in their name: $x402_body_<field> of the request body,
// $x402_answer_<field> of the facilitator's answer to verify,
// $x402_settled_<field> of its answer to settle, $x402_reply_<field> of the
// content (x402_charge).
#include <vector>

#include "base/json_text.hpp"
#include "base/text_excerpt.hpp"
#include "facilitator/facilitator_port.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "nginx/request/ngx_http_x402_request_body.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestText = 2048;

std::string text_of(JsonValue value)
{
    if (value.is_string()) {
        return header_excerpt(std::string(value.string()), kLongestText);
    }
    std::string json;
    if (value.is_number() || value.is_boolean()) {
        value.write(json);
    }
    return json;
}

// nginx: names of variables come in lower case, however they are written.
JsonValue peer_named(JsonValue object, std::string_view name)
{
    for (const auto &[key, value] : object.members()) {
        if (lower_case(key) == name) {
            return value;
        }
    }
    return {};
}

// Every value that the name may stand for: a_b is "a_b" and "b" of "a", and a_0
// is the first element of the array "a".
void add_values(JsonValue value, std::string_view name,
                std::vector<JsonValue> &found)
{
    if (value.is_array()) {
        std::size_t end = name.find('_');
        std::string_view digits = name.substr(0, end);
        bool is_index =
            !digits.empty() && digits.size() <= 4
            && digits.find_first_not_of("0123456789") == std::string_view::npos
            && (digits.size() == 1 || digits.front() != '0');
        std::size_t index =
            is_index ? std::stoul(std::string(digits)) : value.size();
        if (index < value.size() && end == std::string_view::npos) {
            found.push_back(value.at(index));
        } else if (index < value.size()) {
            add_values(value.at(index), name.substr(end + 1), found);
        }
        return;
    }
    // nginx: names of variables come in lower case, however they are written.
    for (const auto &[key, member] : value.members()) {
        std::string lower = lower_case(key);
        if (lower == name) {
            found.push_back(member);
        } else if (name.size() > lower.size() + 1 && name[lower.size()] == '_'
                   && name.substr(0, lower.size()) == lower
                   && (member.is_object() || member.is_array())) {
            add_values(member, name.substr(lower.size() + 1), found);
        }
    }
}

// Money: a client writes the body. Where it has "params_name" and "name" of
// "params" the upstream may take the other one, so that neither is believed;
// nor are two names that differ in case alone.
JsonValue only_value(JsonValue root, std::string_view name)
{
    std::vector<JsonValue> found;
    add_values(root, name, found);
    return found.size() == 1 ? found.front() : JsonValue();
}

// A member by its name, or a member of one of its objects: a_b is "a_b", else
// "b" of "a".
JsonValue member_at(JsonValue object, std::string_view name)
{
    JsonValue whole = peer_named(object, name);
    if (whole.exists()) {
        return whole;
    }
    for (std::size_t at = name.rfind('_'); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : name.rfind('_', at - 1)) {
        JsonValue inner = peer_named(object, name.substr(0, at));
        if (inner.is_object()) {
            JsonValue found = member_at(inner, name.substr(at + 1));
            if (found.exists()) {
                return found;
            }
        }
    }
    return {};
}

std::string body_field(ngx_http_request_t *r, std::string_view name)
{
    RequestCtx *ctx = find_ctx(r);
    if ((ctx == nullptr || !ctx->body_read) && r == r->main
        && loc_conf(r)->has_price()) {
        // Money: what it makes up for must not be sold at the price of an empty
        // body.
        ctx = find_or_make_ctx(r);
        if (ctx != nullptr) {
            ctx->body_missed = true;
        }
    }
    if (ctx == nullptr || !ctx->trace.body_document) {
        return {};
    }
    JsonValue root = ctx->trace.body_document->root();
    if (ctx->trace.batch_element) {
        root = root.at(*ctx->trace.batch_element);
    } else if (root.is_array() && ctx->quote.offer == nullptr) {
        // Money: the same for a map that would be remembered for each element.
        ctx->body_missed = true;
    }
    JsonValue value = only_value(root, name);
    // Money: "search " is not "search", whose price it must not have.
    return value.is_string() ? exact_excerpt(value.string(), kLongestText)
                             : text_of(value);
}

// A member of a facilitator's answer; `document` is parsed at the first use.
std::string member_text(ngx_http_request_t *r, const std::string &body,
                        std::optional<JsonDocument> &document,
                        std::string_view name)
{
    if (body.empty()) {
        return {};
    }
    if (!document) {
        JsonLimits limits;
        limits.bytes = kMaxReplyBytes;
        auto parsed = JsonDocument::parse(body, limits);
        document = parsed ? std::move(parsed.value()) : JsonDocument();
    }
    JsonValue value = member_at(document->root(), name);
    if (!value.is_object() && !value.is_array()) {
        return text_of(value);
    }
    std::string json;
    value.write(json);
    json = ascii_json(json);
    if (json.size() > kLongestText) {
        log_line(NGX_LOG_WARN, r->connection->log,
                 "member \"" + log_excerpt(std::string(name))
                     + "\" of a facilitator's answer is empty in its variable: "
                       "it has "
                     + std::to_string(json.size()) + " bytes, more than "
                     + std::to_string(kLongestText)
                     + "; name the members of it that are needed");
        return {};
    }
    return json;
}

std::string answer_field(ngx_http_request_t *r, std::string_view name)
{
    RequestCtx *ctx = find_ctx(r);
    return ctx ? member_text(r, ctx->trace.verify_body,
                             ctx->trace.verify_document, name)
               : std::string();
}

std::string settled_field(ngx_http_request_t *r, std::string_view name)
{
    RequestCtx *ctx = find_ctx(r);
    return ctx ? member_text(r, ctx->trace.settle_body,
                             ctx->trace.settle_document, name)
               : std::string();
}

std::string reply_field(ngx_http_request_t *r, std::string_view name)
{
    RequestCtx *ctx = find_ctx(r);
    return ctx && ctx->usage ? header_excerpt(
               std::string(ctx->usage->fields.value(name)), kLongestText)
                             : std::string();
}

// `data` is the whole name of the variable, as for nginx's own prefixes.
template <class Find>
ngx_int_t set_field(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                    uintptr_t data, std::string_view prefix, Find &&find)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        std::string_view name = view(*reinterpret_cast<ngx_str_t *>(data));
        std::string value = find(r, name.substr(prefix.size()));
        v->not_found = value.empty();
        if (value.empty()) {
            return static_cast<ngx_int_t>(NGX_OK);
        }
        ngx_str_t copied = pool_copy(r->pool, value);
        if (copied.data == nullptr) {
            return static_cast<ngx_int_t>(NGX_ERROR);
        }
        v->len = copied.len & 0x0fffffff;
        v->data = copied.data;
        v->valid = 1;
        v->no_cacheable = 1;
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

}  // namespace

}  // namespace x402

using namespace x402;

ngx_int_t ngx_http_x402_get_body_field(ngx_http_request_t *r,
                                       ngx_http_variable_value_t *v,
                                       uintptr_t name)
{
    return set_field(r, v, name, "x402_body_", body_field);
}

ngx_int_t ngx_http_x402_get_answer_field(ngx_http_request_t *r,
                                         ngx_http_variable_value_t *v,
                                         uintptr_t name)
{
    return set_field(r, v, name, "x402_answer_", answer_field);
}

ngx_int_t ngx_http_x402_get_reply_field(ngx_http_request_t *r,
                                        ngx_http_variable_value_t *v,
                                        uintptr_t name)
{
    return set_field(r, v, name, "x402_reply_", reply_field);
}

ngx_int_t ngx_http_x402_get_settled_field(ngx_http_request_t *r,
                                          ngx_http_variable_value_t *v,
                                          uintptr_t name)
{
    return set_field(r, v, name, "x402_settled_", settled_field);
}
