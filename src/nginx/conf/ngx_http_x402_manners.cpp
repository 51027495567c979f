#include "nginx/conf/ngx_http_x402_manners.hpp"

namespace x402 {

void unset_manners(ngx_http_x402_loc_conf_t &conf)
{
    conf.refuse_status = NGX_CONF_UNSET_UINT;
    conf.bypass = static_cast<ngx_array_t *>(NGX_CONF_UNSET_PTR);
    conf.error = static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
}

void merge_manners(ngx_http_x402_loc_conf_t &conf,
                   const ngx_http_x402_loc_conf_t &outer)
{
    ngx_conf_merge_uint_value(conf.refuse_status, outer.refuse_status, 402);
    ngx_conf_merge_ptr_value(conf.bypass, outer.bypass, nullptr);
    ngx_conf_merge_str_value(conf.cors, outer.cors, "");
    ngx_conf_merge_ptr_value(conf.error, outer.error, nullptr);
    if (conf.unpaid_body == nullptr) {
        conf.unpaid_body = outer.unpaid_body;
        conf.unpaid_type = outer.unpaid_type;
    }
    if (conf.notices == nullptr) {
        conf.notices = outer.notices;
    }
    if (conf.paywall == nullptr) {
        conf.paywall = outer.paywall;
    }
    if (conf.extensions == nullptr) {
        conf.extensions = outer.extensions;
    }
}

}  // namespace x402
