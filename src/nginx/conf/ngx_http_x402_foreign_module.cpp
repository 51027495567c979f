// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_foreign_module.hpp"

namespace x402 {

bool ForeignModule::is_at(const ngx_cycle_t &cycle, ngx_uint_t place) const
{
    const ngx_module_t *module = cycle.modules[place];
    return module->type == NGX_HTTP_MODULE
           && std::string_view(module->name) == name_;
}

const ngx_module_t *ForeignModule::in(const ngx_cycle_t &cycle)
{
    if (place_ < cycle.modules_n && is_at(cycle, place_)) {
        return cycle.modules[place_];
    }
    for (ngx_uint_t i = 0; i < cycle.modules_n; i++) {
        if (is_at(cycle, i)) {
            place_ = i;
            return cycle.modules[i];
        }
    }
    return nullptr;
}

bool ForeignDirective::is_at(const ngx_command_t *commands,
                             ngx_uint_t place) const
{
    return view(commands[place].name) == name_
           && commands[place].set == setter_;
}

const char *ForeignDirective::address(ngx_conf_t *cf, void **confs)
{
    const ngx_module_t *module = module_.in(*cf->cycle);
    if (module == nullptr || confs[module->ctx_index] == nullptr) {
        return nullptr;
    }
    const ngx_command_t *commands = module->commands;
    ngx_uint_t count = 0;
    while (commands[count].name.len != 0) {
        count++;
    }
    if (place_ >= count || !is_at(commands, place_)) {
        place_ = 0;
        while (place_ < count && !is_at(commands, place_)) {
            place_++;
        }
    }
    return place_ < count ? static_cast<const char *>(confs[module->ctx_index])
                                + commands[place_].offset
                          : nullptr;
}

}  // namespace x402
