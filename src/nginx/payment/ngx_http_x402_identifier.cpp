// SPDX-License-Identifier: Apache-2.0
// Extension payment-identifier: a client pays once for the name that it chose,
// even if it asks many times. A second payment under a name that is in use is
// refused before any call.
#include "nginx/payment/ngx_http_x402_identifier.hpp"

#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "protocol/payment_identifier.hpp"
#include "session/payment_name.hpp"

namespace x402 {

namespace {

// The same in all workers and after a reload.
std::string place_of(ngx_http_request_t *r)
{
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_get_module_srv_conf(r, ngx_http_core_module));
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    return copy(cscf->server_name) + "\n" + copy(clcf->name);
}

// Forms that do not name their payer are named within the location alone.
std::string payer_of(const SchemePayload &scheme)
{
    const Digest &payer = scheme.payer_digest;
    return scheme.payer.empty()
               ? std::string()
               : std::string(reinterpret_cast<const char *>(payer.data()),
                             payer.size());
}

bool is_taken(Worker &worker, const PaymentName &name, const Digest &own)
{
    LockedClaims claims(worker.zone);
    PaymentIds names = payment_ids_in(worker.zone);
    return name_is_taken(*claims, names, name, own, ngx_time());
}

OwnReply conflict_answer()
{
    return fault_answer(kPaymentIdentifierInUse);
}

}  // namespace

bool check_identifier(RequestCtx &ctx, Worker &worker)
{
    JsonValue declared =
        extensions_of(*ctx.quote.conf).find(kPaymentIdentifier);
    Payment &payment = *ctx.payment;
    if (!declared.exists() || payment.payload.version == 1) {
        return true;
    }
    PaymentIdentifier parsed =
        read_payment_identifier(payment.payload.extensions());
    bool missing = parsed.kind == PaymentIdentifier::Kind::absent
                   && requires_payment_identifier(declared);
    if (missing || parsed.kind == PaymentIdentifier::Kind::invalid) {
        decide(ctx, fault_answer(missing ? kPaymentIdentifierRequired
                                         : kPaymentIdentifierInvalid));
        return false;
    }
    if (parsed.kind == PaymentIdentifier::Kind::absent) {
        return true;
    }
    Digest id =
        payment_id_key(place_of(ctx.r), payer_of(payment.scheme), parsed.id);
    payment.name = payment.scheme.payer.empty()
                       ? PaymentName(id)
                       : PaymentName(id, payment.scheme.payer_digest);
    // The payer may ask for the content that it is owed under that name: see
    // accept_valid_payment().
    if (is_taken(worker, *payment.name, payment.facts.key)
        && !has_older_claim(ctx, worker)) {
        decide(ctx, conflict_answer());
        return false;
    }
    return true;
}

bool record_identifier(RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    if (!payment.name) {
        return true;
    }
    ngx_shm_zone_t *zone = main_conf(ctx.r)->zone;
    PaymentIdNote noted;
    {
        LockedClaims claims(zone);
        std::uint32_t place = 0;
        noted =
            payment_ids_in(zone).note(*payment.name, payment.facts.key,
                                      payment.facts.expires, ngx_time(), place);
        if (noted == PaymentIdNote::noted) {
            claims->set_name(
                payment.claim ? payment.claim : payment.disputed_claim, place);
        }
    }
    if (noted == PaymentIdNote::noted) {
        return true;
    }
    ctx.answer = noted == PaymentIdNote::full ? busy_answer(kRetryStore)
                                              : conflict_answer();
    return false;
}

}  // namespace x402
