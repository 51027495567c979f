// SPDX-License-Identifier: Apache-2.0
// What the module knows of one main request. It survives internal redirects
// (which wipe r->ctx) by being found again through a pool cleanup, and that
// cleanup is the one place that gives a claim back.
#ifndef NGX_HTTP_X402_CTX_HPP
#define NGX_HTTP_X402_CTX_HPP

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_service.hpp"
#include "nginx/worker/ngx_http_x402_settlement.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"
#include "policy/charge_rule.hpp"
#include "policy/refusal_words.hpp"
#include "policy/reply_fields.hpp"
#include "policy/scheme_payload.hpp"
#include "session/payment_outcome.hpp"
#include "session/payment_session.hpp"

namespace x402 {

struct ReturningClient;
struct ReturningState;
struct VerifyRules;

// An answer of the module instead of the content.
struct OwnReply {
    ngx_uint_t status = 0;    // 0: none
    bool offer = false;       // carries PAYMENT-REQUIRED
    bool unpaid = false;      // the request brought no usable payment
    std::string offer_error;  // `error` of that offer; empty: if it is unpaid,
                              // the operator's
    std::string payer;        // of a refused payment, as the facilitator says
    std::string receipt;      // JSON for PAYMENT-RESPONSE; empty: none
    const char *word = nullptr;  // of the JSON body; nullptr: that of a 402
    bool refusal = false;        // by a rule of the location: not a failure
    const char *charged =
        nullptr;                 // JSON value of `charged`; nullptr: left out
    ngx_uint_t retry_after = 0;  // s; 0: no header
};

// The payment of this request, once one was presented that can be read.
struct Payment {
    // The offer that it was read against. It may be an echo of that offer while
    // the request continues in another location with another offer.
    std::shared_ptr<const PaymentOffer> offered;
    PaymentPayload payload;
    SchemePayload scheme;
    ClaimFacts facts;
    std::int64_t valid_before = 0;  // unix seconds; unusable afterwards
    ClaimRef claim;
    std::shared_ptr<StoreHold> hold;        // of it at the store (x402_store)
    std::shared_ptr<StoreHold> older_hold;  // of one that is asked for
    unsigned looks = 0;   // at a claim that another machine has
    bool looked = false;  // at the store, which has nothing to answer with
    // The claim of another payment with this key, unknown and never verified;
    // this payment takes it over if it is valid.
    ClaimRef disputed_claim;
    std::optional<PaymentName> name;  // the client's (payment-identifier)
    const PaymentOffer::Option *option = nullptr;  // nullptr: resumed claim
    // Of a resumed claim: what this request is offered that the claim covers,
    // and what was paid.
    std::shared_ptr<const PaymentOffer> bought_offer;
    const PaymentOffer::Option *bought = nullptr;
    ClaimBinding bought_binding;
    unsigned asked_version = 2;  // of x402, by which the facilitator is asked
    std::string request_body;    // of verify and settle
    FacilitatorPeers others;     // of the group, may verify instead
    std::string payer;
    std::string network;          // CAIP-2
    std::string receipt_network;  // as the dialect calls it
    std::string amount;
    std::string asset;
    std::string pay_to;        // empty when content is owed
    bool payer_known = false;  // not only the client says so
    bool verified = false;     // by a facilitator
    bool resumed = false;      // it continues under an earlier claim
    bool spared = false;  // that claim is of an older payment, this one is free
    std::int64_t settled_at = 0;  // of a resumed claim, unix seconds
    SettleTime settles = SettleTime::after;
};

// One payment header of a request, by its lower-case name.
struct Presented {
    std::string_view name;
    ngx_str_t value;  // of the last of that name
    ngx_uint_t count = 0;
};
using PresentedHeaders = std::vector<Presented>;

// The state of the response with the content.
enum class HoldState {
    open,  // passes
    held,  // kept back
    shut,  // replaced by the module's answer; the rest is discarded
};

// What this request was asked for, fixed at the first location that charges:
// that location, its offer at that moment, and the dialect of the payment (of
// the offer, while there is no payment).
struct Quote {
    const LocationConf *conf = nullptr;
    const LocationOffer *location = nullptr;
    std::shared_ptr<const PaymentOffer> offer;
    std::shared_ptr<const PreparedAnswer> prepared;   // if variables made it
    std::shared_ptr<const PaymentOffer> older_offer;  // the payment is for
    const Dialect *dialect = nullptr;
    // Lifetime of these texts: the request's pool, or the configuration.
    std::string_view resource_url;
    std::string_view description;
    std::string_view mime_type;
    std::string_view unpaid_error;
};

// A subrequest that makes a part of the content. Lifetime: the pool of the main
// request, as it is.
struct ContentPart {
    const ngx_http_request_t *r;
    bool ended;  // its last byte was made
    ContentPart *next;
};

// The response of the content while it is held, and what is known of it.
struct Hold {
    HoldState state = HoldState::open;
    ngx_chain_t *chain = nullptr;
    ngx_chain_t **last = &chain;
    off_t bytes = 0;          // that came to the hold so far
    bool last_seen = false;   // the last of them has come
    off_t made = 0;           // bytes that the content's producer handed over
    bool made_whole = false;  // the last of them, too
    ContentPart *parts = nullptr;
    bool refused = false;   // a filter's header refused it
    bool to_wire = false;   // the header is decided: no filter may judge it
    off_t own_length = -1;  // of the body of an answer of the module
    bool expects_trailers = false;  // r->expect_trailers of the content
    bool released = false;          // it leaves, with or without a receipt
    bool upstream_to_stop = false;  // at its next bytes
    ngx_event_t timer{};
    ngx_msec_t since = 0;
    ngx_msec_t until = 0;
};

// What variables and log lines say of the request. Nothing is decided by it.
struct Trace {
    ReplyKind reply = ReplyKind::none;  // the first answer of the module
    std::string reason;                 // of that answer
    bool let_in = false;  // passed the access phase without a payment
    ngx_msec_t verify_started = 0;
    std::optional<ngx_msec_t> verify_time;
    std::optional<ngx_msec_t> settle_time;
    std::string transaction;     // as the facilitator named it
    std::string signed_receipt;  // JWS, as it was sent
    std::string verify_body;     // the answer to verify, when it was "valid"
    std::optional<JsonDocument> verify_document;  // of it, once asked for
    std::string settle_body;                      // the answer to settle
    std::optional<JsonDocument> settle_document;  // of it, once asked for
    std::optional<JsonDocument> body_document;    // of the request body
    // Of a body that is an array (x402_batch), while it is priced.
    std::optional<std::size_t> batch_element;
};

// What the content says it has cost (x402_charge).
struct ReplyUsage {
    ReplyUsage(ReplyForm form, const JsonNames &names) : fields(form, names) {}

    ReplyFields fields;
    const char *defect = nullptr;  // why it cannot be read
    bool ended = false;
};

class RequestCtx {
public:
    explicit RequestCtx(ngx_http_request_t *request) : r(request) {}

    // Changed by advance() and adopt() alone.
    PaymentState state() const { return state_; }

    ngx_http_request_t *r;
    bool accepted = false;        // a payment admitted this request
    bool challenged = false;      // a PAYMENT-REQUIRED was sent; never a second
    bool answered = false;        // what leaves is an answer of the module
    bool settled_first = false;   // money moved before content was made
    bool settled_before = false;  // because x402_settle is `before`
    bool tunnel = false;          // asked for, and settled before
    bool never_settled = false;   // because nothing is settled here
    bool body_read = false;       // by x402_read_body
    ngx_uint_t body_fault = 0;    // the status of a body without a price
    bool body_missed = false;     // $x402_body_... was asked for before that
    std::optional<Digest> body_digest;  // of a body that it read

    ngx_uint_t label_number = 0;  // of the first paid location it came through
    // x402 shadow: the first such location that would have asked for money.
    const LocationConf *shadow = nullptr;

    // What the request presented, taken out of its headers.
    PresentedHeaders presented;

    Quote quote;
    Hold hold;
    Trace trace;

    // The location that is free for this request: by its price, a free quota,
    // or what the client has bought before.
    const LocationConf *free_at = nullptr;
    // What a client showed that has paid before. Lifetime: the request's pool.
    ReturningClient *returning = nullptr;
    const RefusalWord *returning_fault = nullptr;  // nullptr: none, or good
    std::shared_ptr<ReturningState>
        returning_state;  // what the store says of it
    // Rules about payers that have let this request in. Lifetime: the
    // configuration's.
    std::vector<const PayerRules *> rules_asked;
    // What x402_bypass said, by location.
    std::vector<std::pair<const LocationConf *, bool>> bypasses;

    // "The access phase of the location with this offer was passed." Lost with
    // r->ctx at an internal redirect, on purpose.
    const void *passed = nullptr;
    // The access phase of some location with a price was passed.
    bool met_price = false;

    std::unique_ptr<Payment> payment;
    Slot slot;
    FacilitatorCall *verify = nullptr;
    const VerifyRules *verify_rules = nullptr;  // of that call
    Settlement *settlement = nullptr;
    std::shared_ptr<void>
        store_wait;  // waiting for the store: payment/store_wait
    DiskWait disk;   // of a payment that is not going to be settled
    const FacilitatorConf *asked = nullptr;  // last, about this payment
    OwnReply answer;                         // to be sent by the access handler
    std::string receipt;                     // JSON, once money moved

    // Scheme upto: what upstreams said the content costs, and the last one that
    // was looked at.
    std::vector<std::string> overrides;
    const void *overrides_of = nullptr;
    // Else what the content says; nullptr: it is not asked.
    std::unique_ptr<ReplyUsage> usage;

    // Waiting for another request with the same payment.
    ngx_event_t claim_wait_timer{};
    std::optional<ngx_msec_t> claim_wait_until;
    QuotaSlot wait_slot;  // in its client's share

    // Runs while content is made under a payment that was verified.
    ngx_event_t content_timer{};

    // Headers of the module, told from foreign ones by address.
    ngx_table_elt_t *own_headers[4] = {};
    ngx_uint_t own_header_count = 0;
    // What the last filter writes into Cache-Control. `of_location`: private in
    // a location with a price.
    enum class CacheControl {
        of_location,
        paid,
        no_store,
        untouched
    } cache_control = CacheControl::of_location;

private:
    friend PaymentAction advance(RequestCtx &ctx, PaymentEvent event);
    friend void adopt(RequestCtx &ctx, const PaymentStep &step);

    PaymentState state_ = PaymentState::arrived;
};

// The facilitators that may be called about this payment option, in order.
// Empty: a facilitator that is no longer a peer added something to the option.
// Lifetime: the configuration's, or `few`, which has them if they are not all.
const FacilitatorPeers &peers_of(const RequestCtx &ctx,
                                 const PaymentOffer::Option &option,
                                 FacilitatorPeers &few);

// The facilitator of this payment option, if it is available.
inline FacilitatorConf *facilitator_of(const RequestCtx &ctx,
                                       const PaymentOffer::Option &option)
{
    const FacilitatorPeers &peers = peers_of(*ctx.quote.conf, option.term);
    for (FacilitatorConf *peer : peers) {
        if (peer->id == option.bound_facilitator) {
            return peer;
        }
    }
    return peers.front();
}

// The resource, as a challenge describes it. Lifetime: the context's.
inline ResourceInfo resource_info(const RequestCtx &ctx)
{
    std::string_view path = view(ctx.r->unparsed_uri);
    path = path.substr(0, path.find('?'));
    return {ctx.quote.resource_url,
            ctx.quote.description,
            ctx.quote.mime_type,
            view(ctx.r->method_name),
            ctx.quote.conf->resource ? ctx.quote.resource_url : path,
            service_members(*ctx.quote.conf)};
}

// The context of r->main; nullptr if there is none. A context that an internal
// redirect hid is restored.
RequestCtx *find_ctx(ngx_http_request_t *r);
// The same, made when there is none; nullptr: no memory.
RequestCtx *find_or_make_ctx(ngx_http_request_t *r);

// Steps the session and applies the change to the claim. The caller carries out
// the action.
PaymentAction advance(RequestCtx &ctx, PaymentEvent event);

// Takes over a step that a settlement made; the claim has been changed already.
void adopt(RequestCtx &ctx, const PaymentStep &step);

// Steps the session when header and first body byte have reached the socket.
void record_delivery(RequestCtx &ctx);

// A money event of ctx.payment in the error log, at notice.
void log_payment(const RequestCtx &ctx, std::string_view event);

// What is known of a response that decides whether it is charged, once its
// header is there.
ContentFacts content_facts(ngx_http_request_t *r);

}  // namespace x402

#endif
