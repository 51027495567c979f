// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_checks.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/conf/ngx_http_x402_foreign_module.hpp"
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

// nginx: the configurations of other modules are private to them; `before` is
// what stands in front of the key in that of a zone.
void check_zones_of(ngx_conf_t *cf, std::string_view module_name,
                    std::size_t before)
{
    const ngx_module_t *module = ForeignModule(module_name).in(*cf->cycle);
    const ngx_list_part_t *part = &cf->cycle->shared_memory.part;
    for (; module && part; part = part->next) {
        auto *zones = static_cast<const ngx_shm_zone_t *>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (zones[i].tag != module || zones[i].data == nullptr) {
                continue;
            }
            auto *key = reinterpret_cast<const ngx_http_complex_value_t *>(
                static_cast<const char *>(zones[i].data) + before);
            // With another variable beside them it limits by that one.
            auto names = variables_in(view(key->value));
            if (!names.empty()
                && std::all_of(names.begin(), names.end(), is_known_late)) {
                log_line(NGX_LOG_WARN, cf->log,
                         "zone \"" + copy(zones[i].shm.name)
                             + "\" limits nothing: $" + names[0]
                             + " is empty until the payment is checked, and "
                               "nginx evaluates it before; write "
                               "x402_limit_payer");
            }
        }
    }
}

}  // namespace

void check_limit_zones(ngx_conf_t *cf)
{
    // The same in 1.22 to 1.31; a later nginx may have moved the key, and a
    // warning is not worth a wrong read.
    if (nginx_version >= 1032000) {
        return;
    }
    check_zones_of(cf, "ngx_http_limit_req_module",
                   2 * sizeof(void *) + sizeof(ngx_uint_t));
    check_zones_of(cf, "ngx_http_limit_conn_module", 2 * sizeof(void *));
}

bool check_member_names(ngx_conf_t *cf)
{
    for (std::string_view name : used_variables(cf)) {
        if (name == "x402_reply_" || name == "x402_body_"
            || name == "x402_answer_" || name == "x402_settled_") {
            log_line(NGX_LOG_EMERG, cf->log,
                     "$" + std::string(name)
                         + " has no member name; write one after it, such as "
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
