/* SPDX-License-Identifier: Apache-2.0 */

/*
 * ngx_http_x402_module: a location that charges money with x402.
 *
 * Tables only: every directive and every hook, and where it is carried out.
 * The code behind them is in src/nginx.
 */

#include "src/nginx/core/ngx_http_x402.h"


#define NGX_HTTP_X402_ANY                                                     \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


static ngx_conf_enum_t  ngx_http_x402_unproven[] = {
    { ngx_string("deliver"), NGX_HTTP_X402_UNPROVEN_DELIVER },
    { ngx_string("refuse"), NGX_HTTP_X402_UNPROVEN_REFUSE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_batch[] = {
    { ngx_string("refuse"), NGX_HTTP_X402_BATCH_REFUSE },
    { ngx_string("sum"), NGX_HTTP_X402_BATCH_SUM },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_settle_failure[] = {
    { ngx_string("reject"), NGX_HTTP_X402_FAILURE_REJECT },
    { ngx_string("deliver"), NGX_HTTP_X402_FAILURE_DELIVER },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_verify[] = {
    { ngx_string("remote"), NGX_HTTP_X402_VERIFY_REMOTE },
    { ngx_string("local"), NGX_HTTP_X402_VERIFY_LOCAL },
    { ngx_string("trusted"), NGX_HTTP_X402_VERIFY_TRUSTED },
    { ngx_string("off"), NGX_HTTP_X402_VERIFY_OFF },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_refuse_statuses[] = {
    { ngx_string("402"), 402 },
    { ngx_string("403"), NGX_HTTP_FORBIDDEN },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_x402_malformed_statuses[] = {
    { ngx_string("402"), 402 },
    { ngx_string("400"), NGX_HTTP_BAD_REQUEST },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_x402_max_calls_bounds = {
    ngx_conf_check_num_bounds, 1, 1000000
};


static ngx_command_t  ngx_http_x402_commands[] = {

    { ngx_string("x402"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_switch,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_price"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE12,
      ngx_http_x402_set_term,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_network"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_term,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_pay_to"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_term,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_protocol"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_protocol,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_mpp"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE12,
      ngx_http_x402_set_mpp,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_nevermined"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE2,
      ngx_http_x402_set_nevermined,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_token_header"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_token_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_accept"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_accept,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_timeout"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_timeout,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_validity"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE12,
      ngx_http_x402_set_validity,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_facilitator,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_group"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_x402_set_facilitator_group,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_timeout"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_facilitator_timeout,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_header"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE23,
      ngx_http_x402_set_facilitator_header,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_auth"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE2,
      ngx_http_x402_set_facilitator_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_proxy"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_facilitator_proxy,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_ssl_trusted_certificate"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_trusted_certificate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_facilitator_ssl_verify"),
      NGX_HTTP_X402_ANY|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, ssl_verify),
      NULL },

    { ngx_string("x402_facilitator_max_calls"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, max_calls),
      &ngx_http_x402_max_calls_bounds },

    { ngx_string("x402_methods"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_methods,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_bypass"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_bypass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_deny"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_deny,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_limit_payer"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_limit_payer,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_quota"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_quota,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_free"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_free,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_charge"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_charge,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_stream"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_stream,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_pass"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_sign_in"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_sign_in,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_seal_key"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE12,
      ngx_http_x402_set_seal_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_cors"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_cors,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_resource"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, resource),
      NULL },

    { ngx_string("x402_description"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, description),
      NULL },

    { ngx_string("x402_mime_type"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, mime_type),
      NULL },

    { ngx_string("x402_refuse_status"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, refuse_status),
      ngx_http_x402_refuse_statuses },

    { ngx_string("x402_malformed_status"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, malformed_status),
      ngx_http_x402_malformed_statuses },

    { ngx_string("x402_notify"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE12,
      ngx_http_x402_set_notify,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_error"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, error),
      NULL },

    { ngx_string("x402_unpaid_body"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE2,
      ngx_http_x402_set_unpaid_body,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_paywall"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_paywall,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_extension"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_extension,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_verify"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_verify,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, verify),
      &ngx_http_x402_verify },

    { ngx_string("x402_settle"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_settle,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_settle_failure"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, settle_failure),
      &ngx_http_x402_settle_failure },

    { ngx_string("x402_read_body"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, read_body),
      NULL },

    { ngx_string("x402_batch"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, batch),
      &ngx_http_x402_batch },

    { ngx_string("x402_settle_buffer"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, settle_buffer),
      NULL },

    { ngx_string("x402_settle_wait"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, settle_wait),
      NULL },

    { ngx_string("x402_unproven"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, unproven),
      &ngx_http_x402_unproven },

    { ngx_string("x402_redeliver_key"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_redeliver_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, redeliver_key),
      NULL },

    { ngx_string("x402_forward_payment"),
      NGX_HTTP_X402_ANY|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_x402_loc_conf_t, forward_payment),
      NULL },

    { ngx_string("x402_label"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1,
      ngx_http_x402_set_label,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_ledger"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE1234,
      ngx_http_x402_set_ledger,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_webhook"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_x402_set_webhook,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_x402_set_store,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_x402_set_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_manifest"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_x402_set_manifest,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_service"),
      NGX_HTTP_X402_ANY|NGX_CONF_1MORE,
      ngx_http_x402_set_service,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_sign_offers"),
      NGX_HTTP_X402_ANY|NGX_CONF_TAKE123,
      ngx_http_x402_set_sign_offers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_did_document"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_x402_set_did_document,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("x402_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_http_x402_set_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


ngx_http_variable_t  ngx_http_x402_variables[] = {

    { ngx_string("x402_state"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_STATE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_payer"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PAYER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_amount"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_AMOUNT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_price"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PRICE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_asset"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_ASSET, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_network"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_NETWORK, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_scheme"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_SCHEME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_pay_to"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PAY_TO, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_transaction"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_TRANSACTION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_version"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PROTOCOL_VERSION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_facilitator"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_FACILITATOR, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_reason"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_REASON, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_verify_time"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_VERIFY_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_settle_time"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_SETTLE_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_presented"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PRESENTED, 0, 0 },

    { ngx_string("x402_payment"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PAYMENT, 0, 0 },

    { ngx_string("x402_payment_id"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PAYMENT_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_redelivery"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_REDELIVERY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_module_version"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_MODULE_VERSION, 0, 0 },

    { ngx_string("x402_offer"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_OFFER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_protocol"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PROTOCOL, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_signed_receipt"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_SIGNED_RECEIPT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_pass_left"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PASS_LEFT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_pass_expires"), NULL,
      ngx_http_x402_get_variable,
      NGX_HTTP_X402_PASS_EXPIRES, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_settled_"), NULL,
      ngx_http_x402_get_settled_field, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("x402_body_"), NULL,
      ngx_http_x402_get_body_field, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("x402_reply_"), NULL,
      ngx_http_x402_get_reply_field, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("x402_answer_"), NULL,
      ngx_http_x402_get_answer_field, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


/* directives, variables, phases, processes */

static ngx_http_module_t  ngx_http_x402_module_ctx = {
    ngx_http_x402_preconfiguration,        /* preconfiguration */
    ngx_http_x402_postconfiguration,       /* postconfiguration */

    ngx_http_x402_create_main_conf,        /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_x402_create_loc_conf,         /* create location configuration */
    ngx_http_x402_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_x402_module = {
    NGX_MODULE_V1,
    &ngx_http_x402_module_ctx,             /* module context */
    ngx_http_x402_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_x402_init_module,             /* init module */
    ngx_http_x402_init_process,            /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_x402_exit_process,            /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* the hold: above the filters that write, below all others */

static ngx_http_module_t  ngx_http_x402_hold_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_x402_hold_postconfiguration,  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_x402_hold_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_x402_hold_filter_module_ctx, /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* below nginx's headers filter: where answers of the module leave the chain */

static ngx_http_module_t  ngx_http_x402_reply_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_x402_reply_postconfiguration, /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_x402_reply_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_x402_reply_filter_module_ctx,/* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* above nginx's headers filter, which runs when the content is decided */

static ngx_http_module_t  ngx_http_x402_headers_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_x402_headers_postconfiguration,/* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_x402_headers_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_x402_headers_filter_module_ctx,/* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* above all others: what the producer of the content hands over */

static ngx_http_module_t  ngx_http_x402_source_filter_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_x402_source_postconfiguration,/* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_x402_source_filter_module = {
    NGX_MODULE_V1,
    &ngx_http_x402_source_filter_module_ctx,/* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};
