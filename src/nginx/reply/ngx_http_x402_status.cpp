// SPDX-License-Identifier: Apache-2.0
// x402_status: the content handler that shows counters and states, as a page,
// as JSON, or as metrics.
#include "base/header_syntax.hpp"
#include "base/module_version.hpp"
#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/reply/ngx_http_x402_document.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/worker/ngx_http_x402_supported.hpp"
#include "nginx/zone/ngx_http_x402_journal.hpp"
#include "session/status_report.hpp"

namespace x402 {

namespace {

struct FormatWord {
    std::string_view word;
    StatusFormat format;
};

constexpr FormatWord kFormats[] = {
    {"html", StatusFormat::html},
    {"json", StatusFormat::json},
    {"prometheus", StatusFormat::prometheus},
    {"openmetrics", StatusFormat::openmetrics},  // only in ?format=
};

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kUnknownFormat =
    "unknown format; write ?format= with html, json, prometheus or "
    "openmetrics\n";

bool accepts(ngx_http_request_t *r, std::string_view type)
{
    bool found = false;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        found = found
                || (header_is(header.key, "accept")
                    && names_type(view(header.value), type));
    });
    return found;
}

StatusFormat metrics_format(ngx_http_request_t *r)
{
    return accepts(r, "application/openmetrics-text")
               ? StatusFormat::openmetrics
               : StatusFormat::prometheus;
}

// What the directive says, else ?format=, else Accept; metrics for a client
// that takes anything.
// `none`: an unknown ?format=.
StatusFormat format_for(ngx_http_request_t *r, StatusFormat written)
{
    if (written != StatusFormat::any) {
        return written == StatusFormat::prometheus ? metrics_format(r)
                                                   : written;
    }
    constexpr std::string_view kArgument = "format";
    ngx_str_t name = to_ngx_str(kArgument);
    ngx_str_t value;
    if (ngx_http_arg(r, name.data, name.len, &value) == NGX_OK) {
        for (const FormatWord &known : kFormats) {
            if (same_word(known.word, view(value))) {
                return known.format;
            }
        }
        return StatusFormat::none;
    }
    if (accepts(r, "text/html")) {
        return StatusFormat::html;
    }
    return accepts(r, "application/json") ? StatusFormat::json
                                          : metrics_format(r);
}

void fill_supports(StatusReport &report, MainConf *mcf)
{
    Worker *worker = mcf->paid ? worker_of(mcf) : nullptr;
    for (const FacilitatorConf *conf : mcf->facilitators) {
        if (worker == nullptr) {
            return;
        }
        auto kinds = supported_kinds(*worker, *conf);
        std::uint32_t row = worker->endpoint_of(*conf).row();
        if (kinds == nullptr || row >= report.facilitators.size()) {
            continue;
        }
        auto &supports = report.facilitators[row].supports;
        supports.clear();
        for (const SupportedKind &kind : kinds->kinds()) {
            supports.push_back(kind.scheme + " " + kind.network);
        }
    }
}

StatusReport report_now(MainConf *mcf)
{
    StatusReport report = read_status(*mcf->books->counters(), ngx_time());
    report.version = NGX_HTTP_X402_VERSION;
    report.server_version = NGINX_VERSION;
    if (const Outbox *outbox = mcf->books->outbox()) {
        report.webhook_waiting = outbox->waiting();
    }
    fill_supports(report, mcf);
    return report;
}

struct StatusBody {
    std::string text;
    std::string_view type;
    std::size_t type_length;
};

StatusBody body_in(const StatusReport &report, StatusFormat format)
{
    constexpr std::string_view kHtml = "text/html; charset=utf-8";
    constexpr std::string_view kJson = "application/json";
    constexpr std::string_view kText =
        "text/plain; version=0.0.4; charset=utf-8";
    constexpr std::string_view kOpen =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";
    switch (format) {
    case StatusFormat::html:
        return {status_page(report), kHtml, 9};
    case StatusFormat::json:
        return {status_json(report), kJson, kJson.size()};
    case StatusFormat::openmetrics:
        return {status_metrics(report, Exposition::openmetrics), kOpen, 28};
    default:
        break;
    }
    return {status_metrics(report, Exposition::prometheus), kText, 10};
}

bool add_status_headers(ngx_http_request_t *r, StatusFormat format)
{
    bool page = format == StatusFormat::html;
    return add_constant_header(r, "Cache-Control", "no-store")
           && add_constant_header(r, "Vary", "Accept")
           && add_constant_header(r, "X-Content-Type-Options", "nosniff")
           && (!page
               || add_constant_header(r, "Content-Security-Policy",
                                      "default-src 'none'; style-src "
                                      "'unsafe-inline'; frame-ancestors "
                                      "'none'"));
}

ngx_int_t send_status(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    StatusFormat format = format_for(r, loc_conf(r)->status);
    if (format == StatusFormat::none) {
        return send_document(r, kUnknownFormat, kPlain, 10,
                             NGX_HTTP_BAD_REQUEST);
    }
    StatusBody body = body_in(report_now(main_conf(r)), format);
    if (!add_status_headers(r, format)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    // It may be megabytes, which are sent from where they were written.
    auto *text = pool_new<std::string>(r->pool, std::move(body.text));
    return text ? send_document(r, *text, body.type, body.type_length)
                : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

ngx_int_t on_status(ngx_http_request_t *r)
{
    return guarded(r->connection->log,
                   static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                   [&] { return send_status(r); });
}

char *set_status(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->status != StatusFormat::none) {
        return const_cast<char *>("is duplicate");
    }
    if (lcf->manifest != nullptr || lcf->did_document != nullptr) {
        return conf_error(cf,
                          "x402_status, x402_manifest and x402_did_document "
                          "each need a location of their own");
    }
    lcf->status = StatusFormat::any;
    if (cf->args->nelts > 1) {
        std::string_view word = view(arguments(cf)[1]);
        for (const FormatWord &known : kFormats) {
            if (known.word == word
                && known.format != StatusFormat::openmetrics) {
                lcf->status = known.format;
            }
        }
        if (lcf->status == StatusFormat::any) {
            return conf_error(cf, "invalid value \"" + std::string(word)
                                      + "\" in \"x402_status\"; write html, "
                                        "json or prometheus, or nothing for "
                                        "what the client asks for");
        }
    }
    main_conf(cf)->status = true;
    set_page(cf, *lcf, on_status);
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_status(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_status, conf);
}
