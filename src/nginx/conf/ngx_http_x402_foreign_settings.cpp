// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_foreign_settings.hpp"

#include <algorithm>

#include "nginx/conf/ngx_http_x402_foreign_module.hpp"

namespace x402 {

namespace {

bool is_set(const void *pointer)
{
    return pointer != nullptr && pointer != NGX_CONF_UNSET_PTR;
}

bool is_own_method(const ngx_str_t &value)
{
    return view(value) == "$request_method"
           || view(value) == "${request_method}";
}

// nginx: the last one counts with PHP, and the file of defaults is included
// before it.
bool sets_param(ngx_conf_t *cf, void **loc_conf, ForeignDirective &directive)
{
    using Params = const ngx_array_t *;
    const Params *params = directive.value<Params>(cf, loc_conf);
    if (params == nullptr || !is_set(*params)
        || (*params)->size != sizeof(ngx_http_upstream_param_t)) {
        return false;
    }
    const auto *param =
        static_cast<const ngx_http_upstream_param_t *>((*params)->elts);
    bool sets = false;
    for (ngx_uint_t i = 0; i < (*params)->nelts; i++) {
        if (view(param[i].key) == "REQUEST_METHOD") {
            sets = !is_own_method(param[i].value);
        }
    }
    return sets;
}

constexpr std::string_view kProxy = "ngx_http_proxy_module";
constexpr std::string_view kFastcgi = "ngx_http_fastcgi_module";
constexpr std::string_view kUwsgi = "ngx_http_uwsgi_module";
constexpr std::string_view kScgi = "ngx_http_scgi_module";

// nginx: each of these begins with what all upstreams have.
template <class Visit>
void each_upstream(ngx_conf_t *cf, void **loc_conf, Visit &&visit)
{
    static ForeignModule modules[] = {
        ForeignModule(kProxy),
        ForeignModule(kFastcgi),
        ForeignModule(kUwsgi),
        ForeignModule(kScgi),
    };
    for (ForeignModule &module : modules) {
        const auto *upstream =
            first_member<ngx_http_upstream_conf_t>(cf, loc_conf, module);
        if (upstream != nullptr) {
            visit(module.name(), *upstream);
        }
    }
}

const ngx_http_upstream_conf_t *storing_upstream(ngx_conf_t *cf,
                                                 void **loc_conf)
{
    const ngx_http_upstream_conf_t *storing = nullptr;
    each_upstream(cf, loc_conf, [&](std::string_view, const auto &upstream) {
        if (storing == nullptr && upstream.store > 0) {
            storing = &upstream;
        }
    });
    return storing;
}

// The directives of the others are inherited and do nothing. Empty: variables
// name the upstream, or there is none.
std::string_view module_of_pass(ngx_conf_t *cf, void **loc_conf)
{
    std::string_view name;
    each_upstream(cf, loc_conf, [&](std::string_view of, const auto &upstream) {
        if (is_set(upstream.upstream)) {
            name = of;
        }
    });
    return name;
}

// The text in front of the first variable.
std::string front_of(const ngx_array_t *script)
{
    using Copy = ngx_http_script_copy_code_t;
    if (!is_set(script) || script->size != 1 || script->nelts < sizeof(Copy)) {
        return {};
    }
    const auto *code = static_cast<const Copy *>(script->elts);
    if (code->code != ngx_http_script_copy_code
        || script->nelts - sizeof(Copy) < code->len) {
        return {};
    }
    return std::string(static_cast<const char *>(script->elts) + sizeof(Copy),
                       code->len);
}

}  // namespace

std::string_view method_setter(ngx_conf_t *cf, void **loc_conf)
{
    using Method = const ngx_http_complex_value_t *;
    std::string_view passes_to = module_of_pass(cf, loc_conf);
    auto counts = [passes_to](const ForeignDirective &directive) {
        return passes_to.empty() || passes_to == directive.module();
    };
    static ForeignDirective proxy(kProxy, "proxy_method",
                                  ngx_http_set_complex_value_slot);
    const Method *method =
        counts(proxy) ? proxy.value<Method>(cf, loc_conf) : nullptr;
    if (method && is_set(*method) && !is_own_method((*method)->value)) {
        return proxy.name();
    }
    static ForeignDirective params[] = {
        ForeignDirective(kFastcgi, "fastcgi_param",
                         ngx_http_upstream_param_set_slot),
        ForeignDirective(kUwsgi, "uwsgi_param",
                         ngx_http_upstream_param_set_slot),
        ForeignDirective(kScgi, "scgi_param", ngx_http_upstream_param_set_slot),
    };
    for (ForeignDirective &param : params) {
        if (counts(param) && sets_param(cf, loc_conf, param)) {
            return param.name();
        }
    }
    return {};
}

std::string stored_file(ngx_conf_t *cf, void **loc_conf)
{
    const auto *core = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    const ngx_http_upstream_conf_t *upstream = storing_upstream(cf, loc_conf);
    if (upstream == nullptr) {
        return {};
    }
    if (upstream->store_lengths != nullptr) {
        std::string folder = front_of(upstream->store_values);
        return folder.empty() ? folder : folder + copy(core->name);
    }
    if (core->root_lengths != nullptr) {
        return {};
    }
    std::string folder = copy(core->root);
    return core->alias ? folder : folder + copy(core->name);
}

bool accepts_any_certificate(ngx_conf_t *cf, void **srv_conf)
{
    constexpr ngx_uint_t kOptionalNoCa = 3;
    static ForeignDirective client("ngx_http_ssl_module", "ssl_verify_client",
                                   ngx_conf_set_enum_slot);
    const auto *verify = client.value<ngx_uint_t>(cf, srv_conf);
    return verify && *verify == kOptionalNoCa;
}

bool takes_any_host(ngx_conf_t *cf, const ngx_http_core_srv_conf_t &server)
{
    auto *names =
        static_cast<const ngx_http_server_name_t *>(server.server_names.elts);
    for (ngx_uint_t i = 0; i < server.server_names.nelts; i++) {
        std::string_view name = view(names[i].name);
        bool pattern = name.find('*') != std::string_view::npos
                       || name.substr(0, 1) == ".";
#if (NGX_PCRE)
        pattern = pattern || names[i].regex != nullptr;
#endif
        if (pattern) {
            return true;
        }
    }
    auto *cmcf = static_cast<const ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    const ngx_array_t *ports = cmcf->ports;
    auto *port = static_cast<const ngx_http_conf_port_t *>(ports->elts);
    for (ngx_uint_t i = 0; i < ports->nelts; i++) {
        auto *address =
            static_cast<const ngx_http_conf_addr_t *>(port[i].addrs.elts);
        for (ngx_uint_t k = 0; k < port[i].addrs.nelts; k++) {
            if (address[k].default_server == &server) {
                return true;
            }
        }
    }
    return false;
}

bool is_of_certificate(std::string_view name)
{
    constexpr std::string_view kNames[] = {
        "ssl_client_s_dn",         "ssl_client_i_dn",
        "ssl_client_s_dn_legacy",  "ssl_client_i_dn_legacy",
        "ssl_client_serial",       "ssl_client_fingerprint",
        "ssl_client_cert",         "ssl_client_raw_cert",
        "ssl_client_escaped_cert", "ssl_client_v_start",
        "ssl_client_v_end",        "ssl_client_v_remain",
    };
    return std::find(std::begin(kNames), std::end(kNames), name)
           != std::end(kNames);
}

}  // namespace x402
