// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_rewrite_phase.hpp"

#include <algorithm>

#include "nginx/conf/ngx_http_x402_foreign_module.hpp"

namespace x402 {

namespace {

// nginx: the script of a location is the first member of the rewrite module's
// own configuration; its parts are the public structures of
// ngx_http_script.h, each begins with the function that carries it out.
const ngx_array_t *rewrite_codes(ngx_conf_t *cf)
{
    static ForeignModule module("ngx_http_rewrite_module");
    void **loc_conf = static_cast<ngx_http_conf_ctx_t *>(cf->ctx)->loc_conf;
    auto *codes = first_member<ngx_array_t *>(cf, loc_conf, module);
    return codes && *codes && (*codes)->size == 1 ? *codes : nullptr;
}

// A part of the script, if there is room for all of it.
struct Part {
    const u_char *at;
    std::size_t left;

    template <class Code> const Code *as(ngx_http_script_code_pt function) const
    {
        return left >= sizeof(Code)
                       && *reinterpret_cast<const uintptr_t *>(at)
                              == reinterpret_cast<uintptr_t>(function)
                   ? reinterpret_cast<const Code *>(at)
                   : nullptr;
    }
};

// The text that stands in front of the first variable.
std::string text_of(const Part &part)
{
    using Copy = ngx_http_script_copy_code_t;
    const auto *code = part.as<Copy>(ngx_http_script_copy_code);
    if (code == nullptr || part.left - sizeof(Copy) < code->len) {
        return {};
    }
    return std::string(reinterpret_cast<const char *>(part.at) + sizeof(Copy),
                       code->len);
}

void read_rewrite(const Part &part, RewriteUse &use)
{
#if (NGX_PCRE)
    using Regex = ngx_http_script_regex_code_t;
    const auto *code = part.as<Regex>(ngx_http_script_regex_start_code);
    if (code && code->uri && !code->test && !code->redirect) {
        Part target{part.at + sizeof(Regex), part.left - sizeof(Regex)};
        use.rewrites.push_back(
            {code->regex->regex, text_of(target), !code->break_cycle});
    }
#endif
}

void read_variable(ngx_conf_t *cf, const Part &part, RewriteUse &use)
{
    using Variable = ngx_http_script_var_code_t;
    const auto *code = part.as<Variable>(ngx_http_script_var_code);
    if (code == nullptr) {
        code = part.as<Variable>(ngx_http_script_copy_var_code);
    }
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto *names =
        static_cast<const ngx_http_variable_t *>(cmcf->variables.elts);
    if (code && code->index < cmcf->variables.nelts
        && is_known_late(view(names[code->index].name))) {
        use.early_variable = copy(names[code->index].name);
    }
}

}  // namespace

bool is_known_late(std::string_view name)
{
    return name.substr(0, 5) == "x402_" && name != "x402_presented"
           && name != "x402_payment" && name != "x402_module_version";
}

RewriteUse read_rewrite_phase(ngx_conf_t *cf)
{
    RewriteUse use;
    const ngx_array_t *codes = rewrite_codes(cf);
    std::size_t size = codes ? codes->nelts : 0;
    std::size_t condition_ends = 0;
    for (std::size_t at = 0; at + sizeof(uintptr_t) <= size;
         at += sizeof(uintptr_t)) {
        Part part{static_cast<const u_char *>(codes->elts) + at, size - at};
        using If = ngx_http_script_if_code_t;
        using Return = ngx_http_script_return_code_t;
        if (const auto *code = part.as<If>(ngx_http_script_if_code)) {
            auto next = static_cast<std::size_t>(code->next);
            condition_ends = std::max(condition_ends, at + next);
        }
        if (const auto *code = part.as<Return>(ngx_http_script_return_code)) {
            use.returns_content =
                use.returns_content
                || (code->status >= 200 && code->status < 300);
            if (at >= condition_ends && use.always_returns == 0) {
                use.always_returns = static_cast<ngx_uint_t>(code->status);
            }
        }
        read_rewrite(part, use);
        read_variable(cf, part, use);
    }
    return use;
}

}  // namespace x402
