#include "nginx/request/ngx_http_x402_batch.hpp"

namespace x402 {

namespace {

ngx_uint_t variable_count(ngx_http_request_t *r)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
    return cmcf->variables.nelts;
}

}  // namespace

bool has_batch(const RequestCtx &ctx)
{
    return ctx.trace.body_document
           && ctx.trace.body_document->root().is_array();
}

ForgottenVariables::ForgottenVariables(ngx_http_request_t *r) : r_(r)
{
    ngx_uint_t count = variable_count(r);
    known_.resize(count);
    for (ngx_uint_t i = 0; i < count; i++) {
        known_[i] = r->variables[i].valid || r->variables[i].not_found;
    }
}

ForgottenVariables::~ForgottenVariables()
{
    for (ngx_uint_t i = 0; i < known_.size(); i++) {
        if (!known_[i]) {
            r_->variables[i].valid = 0;
            r_->variables[i].not_found = 0;
        }
    }
}

}  // namespace x402
