// SPDX-License-Identifier: Apache-2.0
// Other modules of nginx, and their directives, which are known by name only:
// their configurations are private to them. Used while a configuration is
// checked, for each of its locations, so that a place is looked for once.
#ifndef NGX_HTTP_X402_FOREIGN_MODULE_HPP
#define NGX_HTTP_X402_FOREIGN_MODULE_HPP

#include <string_view>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

class ForeignModule {
public:
    constexpr explicit ForeignModule(std::string_view name) : name_(name) {}

    // nullptr: this nginx lacks it. Lifetime: the cycle.
    const ngx_module_t *in(const ngx_cycle_t &cycle);

    std::string_view name() const { return name_; }

private:
    bool is_at(const ngx_cycle_t &cycle, ngx_uint_t place) const;

    std::string_view name_;
    // Where it was found last. Lifetime: a number and no pointer, because the
    // next cycle may have other modules.
    ngx_uint_t place_ = 0;
};

// The beginning of the module's configuration, in the form of an nginx that the
// caller knows. nullptr: this nginx lacks the module.
template <class First>
const First *first_member(ngx_conf_t *cf, void **confs, ForeignModule &module)
{
    const ngx_module_t *found = module.in(*cf->cycle);
    return found ? static_cast<const First *>(confs[found->ctx_index])
                 : nullptr;
}

// Where the value of a directive is kept is in the table of its module.
class ForeignDirective {
public:
    using Setter = char *(*)(ngx_conf_t *, ngx_command_t *, void *);

    constexpr ForeignDirective(std::string_view module, std::string_view name,
                               Setter setter)
        : module_(module), name_(name), setter_(setter)
    {
    }

    std::string_view name() const { return name_; }
    std::string_view module() const { return module_.name(); }

    // nullptr: the module or the directive is not there, or has become another
    // one.
    template <class Value> const Value *value(ngx_conf_t *cf, void **confs)
    {
        return reinterpret_cast<const Value *>(address(cf, confs));
    }

private:
    const char *address(ngx_conf_t *cf, void **confs);
    bool is_at(const ngx_command_t *commands, ngx_uint_t place) const;

    ForeignModule module_;
    std::string_view name_;
    Setter setter_;
    ngx_uint_t place_ = 0;  // as in ForeignModule
};

}  // namespace x402

#endif
