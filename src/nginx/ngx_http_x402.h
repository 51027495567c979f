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

#define NGX_HTTP_X402_UNPROVEN_DELIVER  0
#define NGX_HTTP_X402_UNPROVEN_REFUSE   1

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
    NGX_HTTP_X402_MODULE_VERSION
} ngx_http_x402_variable_e;


/* where in the configuration something was written, for late errors */

typedef struct {
    ngx_str_t                  file;
    ngx_uint_t                 line;
} ngx_http_x402_origin_t;


/* one x402_accept, word by word; an empty string was not written */

typedef struct {
    ngx_str_t                  network;
    ngx_str_t                  pay_to;
    ngx_str_t                  price;
    ngx_str_t                  amount;
    ngx_str_t                  asset;
    ngx_str_t                  decimals;
    ngx_str_t                  scheme;
    ngx_str_t                  extra;
    ngx_str_t                  facilitator;
    ngx_str_t                  plan;
    ngx_str_t                  credits;
    ngx_str_t                  agent;
    ngx_uint_t                 timeout;    /* s, NGX_CONF_UNSET_UINT: none */
    ngx_http_x402_origin_t     origin;
} ngx_http_x402_accept_t;


typedef struct {
    ngx_flag_t                 enabled_directive;    /* x402 on|off at this level */
    ngx_str_t                  price;
    ngx_str_t                  network;
    ngx_str_t                  pay_to;
    ngx_array_t               *accepts;    /* ngx_http_x402_accept_t */
    ngx_uint_t                 timeout;    /* s */

    ngx_str_t                  facilitator_url;
                                           /* or the name of a group */
    ngx_http_x402_origin_t     facilitator_origin;
    ngx_msec_t                 connect_timeout;
    ngx_msec_t                 verify_timeout;
    ngx_msec_t                 settle_timeout;
    ngx_str_t                  trusted_certificate;
    ngx_flag_t                 ssl_verify;
    void                      *facilitator_headers;
                                           /* x402::RequestHeaders */
    void                      *facilitator_auth;
                                           /* x402::FacilitatorAuth */
    ngx_uint_t                 max_calls;
    void                      *dialects;   /* x402::Dialects, NULL: v2 */
    void                      *nevermined; /* x402::NeverminedConf */
    ngx_array_t               *token_headers;
                                           /* ngx_str_t, lower case; NULL:
                                              the dialect's own */

    ngx_array_t               *methods;    /* ngx_str_t, NULL: all */
    ngx_http_complex_value_t  *resource;
    ngx_http_complex_value_t  *description;
    ngx_http_complex_value_t  *mime_type;
    ngx_http_complex_value_t  *redeliver_key;

    ngx_uint_t                 settle;
    size_t                     settle_buffer;
    ngx_msec_t                 settle_wait;
    ngx_uint_t                 unproven;
    ngx_uint_t                 settle_failure;
                                           /* NGX_CONF_UNSET_UINT: as the
                                              dialect has it */
    size_t                     read_body;  /* 0: not read */
    ngx_flag_t                 forward_payment;
    ngx_array_t               *bypass;     /* ngx_http_complex_value_t */
    ngx_str_t                  cors;       /* "*", an origin; empty: off */
    ngx_http_complex_value_t  *error;
    ngx_uint_t                 refuse_status;  /* of an invalid payment */
    ngx_http_complex_value_t  *unpaid_body;
    ngx_str_t                  unpaid_type;
    void                      *notices;    /* x402::Notices */
    void                      *paywall;    /* x402::Paywall */
    void                      *extensions; /* x402::Extensions */

    ngx_http_x402_origin_t     origin;     /* of the words that make an offer */

    /* made by merge */
    unsigned                   enabled:1;  /* this location is paid */
    unsigned                   price_in_location:1;      /* its price was written in it or
                                              in a location around it */
    void                      *offer;      /* const x402::LocationOffer */
    void                      *facilitator;/* x402::FacilitatorConf, the
                                              first of the members */
    const void                *facilitator_peers;
                                           /* x402::Members */
    void                      *prepared;   /* const x402::PreparedOffers,
                                              NULL: they vary */
} ngx_http_x402_loc_conf_t;


typedef struct {
    ngx_http_x402_loc_conf_t  *http_loc_conf;  /* of the http block itself */
    ngx_shm_zone_t            *zone;
    ngx_array_t                facilitators;   /* x402::FacilitatorConf * */
    void                      *facilitator_groups;
                                               /* x402::FacilitatorGroups */
    void                      *worker;         /* x402::Worker, per process */
    ngx_uint_t                 paid;           /* some location is paid */
    ngx_uint_t                 cors;           /* one of them has x402_cors */
    void                      *error_pages;    /* x402::ErrorPageCheck */
    void                      *placed_offers;  /* x402::PlacedOffers */
    const char                *only_guard_of;  /* what no chain protects */
    ngx_http_x402_origin_t     only_guard_at;
} ngx_http_x402_main_conf_t;


extern ngx_module_t         ngx_http_x402_module;
extern ngx_http_variable_t  ngx_http_x402_variables[];


/* directives that are more than one stock setter */

char *ngx_http_x402_set_switch(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_term(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_accept(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
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
char *ngx_http_x402_set_trusted_certificate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_protocol(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_nevermined(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_token_header(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_settle(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_cors(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_unpaid_body(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_paywall(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_extension(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_x402_set_notify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_x402_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* configuration */

void *ngx_http_x402_create_main_conf(ngx_conf_t *cf);
void *ngx_http_x402_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_x402_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
ngx_int_t ngx_http_x402_preconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_postconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_hold_postconfiguration(ngx_conf_t *cf);
ngx_int_t ngx_http_x402_stamp_postconfiguration(ngx_conf_t *cf);

/* requests */

ngx_int_t ngx_http_x402_get_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t which);
ngx_int_t ngx_http_x402_get_body_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t name);
ngx_int_t ngx_http_x402_get_answer_field(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t name);

/* process */

ngx_int_t ngx_http_x402_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_x402_hold_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_x402_init_process(ngx_cycle_t *cycle);
void ngx_http_x402_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_X402_H_INCLUDED_ */
