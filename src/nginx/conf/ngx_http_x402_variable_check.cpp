// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_checks.hpp"

#include <string_view>
#include <vector>

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

// The names of all variables that this configuration uses. Lifetime: as long as
// the configuration.
std::vector<std::string_view> used_variables(ngx_conf_t *cf)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto *variables =
        static_cast<const ngx_http_variable_t *>(cmcf->variables.elts);
    std::vector<std::string_view> names;
    for (ngx_uint_t i = 0; i < cmcf->variables.nelts; i++) {
        names.push_back(view(variables[i].name));
    }
    return names;
}

}  // namespace

bool check_member_names(ngx_conf_t *cf)
{
    for (std::string_view name : used_variables(cf)) {
        if (name == "x402_reply_" || name == "x402_body_"
            || name == "x402_answer_" || name == "x402_settled_") {
            log_line(NGX_LOG_EMERG, cf->log,
                     "$" + std::string(name)
                         + " names no member; write one behind it, such as "
                           "$x402_reply_usage_total_tokens");
            return false;
        }
    }
    return true;
}

void check_body_variables(ngx_conf_t *cf, const MainConf &mcf)
{
    if (!mcf.paid || mcf.reads_body) {
        return;
    }
    for (std::string_view name : used_variables(cf)) {
        if (name.substr(0, 10) == "x402_body_") {
            log_conf(cf, NGX_LOG_WARN,
                     "$" + std::string(name)
                         + " is always empty, because no location has "
                           "x402_read_body",
                     mcf.paid_at);
            return;
        }
    }
}

void collect_reply_fields(ngx_conf_t *cf, MainConf &mcf)
{
    constexpr std::string_view kReply = "x402_reply_";
    for (std::string_view name : used_variables(cf)) {
        if (name.substr(0, kReply.size()) == kReply) {
            mcf.reply_fields.emplace_back(name.substr(kReply.size()));
        }
    }
    if (!mcf.reply_fields.empty() && !mcf.charges && mcf.paid) {
        log_conf(cf, NGX_LOG_WARN,
                 "$x402_reply_" + mcf.reply_fields.front()
                     + " is always empty, because no location has x402_charge",
                 mcf.paid_at);
    }
}

}  // namespace x402
