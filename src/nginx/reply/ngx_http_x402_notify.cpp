// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_notify.hpp"

#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

struct EventWord {
    std::string_view word;
    NotifyEvent event;
};

constexpr EventWord kWords[] = {
    {"verify", NotifyEvent::verify},
    {"settle", NotifyEvent::settle},
    {"failure", NotifyEvent::failure},
};

// nginx: a subrequest that ends in an error ends its main request too. A
// notification must not change the answer.
ngx_int_t ignore_result(ngx_http_request_t *sr, void *, ngx_int_t)
{
    constexpr ngx_int_t kIgnored = NGX_OK;
    return guarded(sr->connection->log, kIgnored, [&] { return kIgnored; });
}

// nginx: an upstream would be promised the main request's body, and its file
// closed, by a filter that only borrows its headers.
void take_body_away(ngx_http_request_t *sr, ngx_http_request_body_t *none)
{
    sr->request_body = none;
    sr->headers_in.content_length = nullptr;
    sr->headers_in.content_length_n = -1;
    sr->headers_in.chunked = 0;
    sr->header_only = 1;
}

void start(ngx_http_request_t *r, const Notice &notice)
{
    auto *done = static_cast<ngx_http_post_subrequest_t *>(
        ngx_pcalloc(r->pool, sizeof(ngx_http_post_subrequest_t)));
    auto *none = static_cast<ngx_http_request_body_t *>(
        ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t)));
    ngx_http_request_t *sr = nullptr;
    ngx_str_t uri = notice.uri;
    ngx_str_t args = notice.args;
    if (done && none) {
        done->handler = ignore_result;
        if (ngx_http_subrequest(r, &uri, &args, &sr, done,
                                NGX_HTTP_SUBREQUEST_BACKGROUND)
            == NGX_OK) {
            take_body_away(sr, none);
            return;
        }
    }
    log_line(NGX_LOG_ERR, r->connection->log,
             "no subrequest to \"" + copy(notice.uri)
                 + "\" could be started for x402_notify");
}

char *set_notify(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    Notices *notices = lcf->notices;
    if (notices == nullptr) {
        notices = pool_new<Notices>(cf->pool);
        if (notices == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
        lcf->notices = notices;
    }
    std::string_view word = view(arguments(cf)[1]);
    if (cf->args->nelts == 2) {
        return word == "off" && notices->empty()
                   ? NGX_CONF_OK
                   : conf_error(cf,
                                "write \"x402_notify event uri\", or \"off\" "
                                "alone");
    }
    ngx_str_t uri = arguments(cf)[2];
    if (uri.len == 0 || uri.data[0] != '/' || has_variable(view(uri))) {
        return conf_error(cf,
                          "\"" + copy(uri)
                              + "\" must be a path of this server, without "
                                "variables: the subrequest has those of its "
                                "main request");
    }
    ngx_str_t args = ngx_null_string;
    std::size_t question = view(uri).find('?');
    if (question != std::string_view::npos) {
        args.data = uri.data + question + 1;
        args.len = uri.len - question - 1;
        uri.len = question;
    }
    for (const EventWord &known : kWords) {
        if (known.word == word) {
            notices->push_back({known.event, uri, args});
            return NGX_CONF_OK;
        }
    }
    return conf_error(cf, "unknown event \"" + std::string(word)
                              + "\"; write verify, settle or failure");
}

}  // namespace

void notify(const RequestCtx &ctx, NotifyEvent event)
{
    if (ctx.quote.conf == nullptr || ctx.quote.conf->notices == nullptr) {
        return;
    }
    for (const Notice &notice : *ctx.quote.conf->notices) {
        if (notice.event == event) {
            start(ctx.r, notice);
        }
    }
}

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_notify(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_notify, conf);
}
