/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between the tables in ngx_http_x402_module.c and the C++ behind
 * them: configuration as directives wrote it, and the functions nginx calls.
 * C only; every function here is guarded (ngx_http_x402_boundary.hpp).
 */

#ifndef _NGX_HTTP_X402_H_INCLUDED_
#define _NGX_HTTP_X402_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


#define NGX_HTTP_X402_SETTLE_AFTER   0
#define NGX_HTTP_X402_SETTLE_BEFORE  1
#define NGX_HTTP_X402_SETTLE_OFF     2

/* In the order of x402::VerifyMode. */
#define NGX_HTTP_X402_VERIFY_REMOTE   0
#define NGX_HTTP_X402_VERIFY_LOCAL    1
#define NGX_HTTP_X402_VERIFY_TRUSTED  2
#define NGX_HTTP_X402_VERIFY_OFF      3

#define NGX_HTTP_X402_UNPROVEN_DELIVER  0
#define NGX_HTTP_X402_UNPROVEN_REFUSE   1

#define NGX_HTTP_X402_BATCH_REFUSE  0
#define NGX_HTTP_X402_BATCH_SUM     1

#define NGX_HTTP_X402_FAILURE_REJECT   0
#define NGX_HTTP_X402_FAILURE_DELIVER  1


/* which variable: the data of ngx_http_x402_get_variable() */

typedef enum {
    NGX_HTTP_X402_STATE,
    NGX_HTTP_X402_PAYER,
    NGX_HTTP_X402_AMOUNT,
    NGX_HTTP_X402_PRICE,
    NGX_HTTP_X402_ASSET,
    NGX_HTTP_X402_NETWORK,
    NGX_HTTP_X402_SCHEME,
    NGX_HTTP_X402_PAY_TO,
    NGX_HTTP_X402_TRANSACTION,
    NGX_HTTP_X402_PROTOCOL_VERSION,
    NGX_HTTP_X402_FACILITATOR,
    NGX_HTTP_X402_REASON,
    NGX_HTTP_X402_VERIFY_TIME,
    NGX_HTTP_X402_SETTLE_TIME,
    NGX_HTTP_X402_PRESENTED,
    NGX_HTTP_X402_PAYMENT,
    NGX_HTTP_X402_PAYMENT_ID,
    NGX_HTTP_X402_REDELIVERY,
    NGX_HTTP_X402_MODULE_VERSION,
    NGX_HTTP_X402_OFFER,
    NGX_HTTP_X402_SIGNED_RECEIPT,
    NGX_HTTP_X402_PROTOCOL,
    NGX_HTTP_X402_PASS_LEFT,
    NGX_HTTP_X402_PASS_EXPIRES
} ngx_http_x402_variable_e;


/*
 * What nginx's own setters write, found by offset. The rest of a location's
 * configuration is C++ (core/ngx_http_x402_conf.hpp), behind these members.
 */

typedef struct {
    ngx_flag_t                 ssl_verify;
    ngx_uint_t                 max_calls;

    ngx_http_complex_value_t  *resource;
    ngx_http_complex_value_t  *description;
    ngx_http_complex_value_t  *mime_type;
    ngx_http_complex_value_t  *redeliver_key;

    size_t                     settle_buffer;
    ngx_msec_t                 settle_wait;
    ngx_uint_t                 unproven;
    ngx_uint_t                 settle_failure;
    ngx_uint_t                 verify;
                                           /* NGX_CONF_UNSET_UINT: as the
                                              dialect has it */
    size_t                     read_body;  /* 0: not read */
    ngx_uint_t                 batch;      /* an array as request body */
    ngx_flag_t                 forward_payment;
    ngx_http_complex_value_t  *error;
    ngx_uint_t                 refuse_status;  /* of an invalid payment */
    ngx_uint_t                 malformed_status;  /* of an unreadable one */
} ngx_http_x402_loc_conf_t;


extern ngx_module_t         ngx_http_x402_module;
extern ngx_module_t         ngx_http_x402_headers_filter_module;
extern ngx_http_variable_t  ngx_http_x402_variables[];


/* directives that are more than one stock setter */

char *ngx_http_x402_set_word(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_verify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_redeliver_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_switch(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_term(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_accept(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_validity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_facilitator(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_facilitator_group(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_facilitator_timeout(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_facilitator_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_facilitator_auth(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_facilitator_proxy(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_trusted_certificate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_protocol(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_mpp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_nevermined(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_token_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_settle(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_bypass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_deny(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_limit_payer(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_quota(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_charge(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_stream(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_free(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_seal_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_sign_in(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_cors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_unpaid_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_paywall(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_extension(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_notify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_label(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_ledger(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_manifest(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_service(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_sign_offers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_did_document(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* configuration */

void *ngx_http_x402_create_main_conf(ngx_conf_t *cf);
void *ngx_http_x402_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_x402_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
ngx_int_t ngx_http_x402_preconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_postconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_hold_postconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_reply_postconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_headers_postconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_source_postconfiguration(ngx_conf_t *cf);

/* requests */

ngx_int_t ngx_http_x402_get_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t which);
ngx_int_t ngx_http_x402_get_body_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t name);
ngx_int_t ngx_http_x402_get_answer_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t name);
ngx_int_t ngx_http_x402_get_reply_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t name);
ngx_int_t ngx_http_x402_get_settled_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t name);

/* process */

ngx_int_t ngx_http_x402_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_x402_init_process(ngx_cycle_t *cycle);
void ngx_http_x402_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_X402_H_INCLUDED_ */
