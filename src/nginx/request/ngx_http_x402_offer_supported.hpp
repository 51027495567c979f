// SPDX-License-Identifier: Apache-2.0
// What facilitators add to offers (a fee payer, a facilitator's address): kept
// by each worker until one of them answers otherwise.
#ifndef NGX_HTTP_X402_OFFER_SUPPORTED_HPP
#define NGX_HTTP_X402_OFFER_SUPPORTED_HPP

#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/worker/ngx_http_x402_supported.hpp"

namespace x402 {

// The offer with what the facilitators of its options say now. An option that
// cannot be offered without their answer is left out; nullptr: none is left.
std::shared_ptr<PaymentOffer> with_supported(Worker &worker,
                                             const LocationConf &conf,
                                             const PaymentOffer &offer);

// The same for the location's constant offer, made once for each answer of the
// facilitators, with the 402 that asks for it. Lifetime: until the next call.
const Worker::SupportedOffer &supplemented_constant(Worker &worker,
                                                    const LocationConf &conf);

// The version of x402 in which the facilitator is asked: the payment's own,
// unless the facilitator lists this option in the other version only.
unsigned version_to_ask(Worker &worker, const FacilitatorConf &facilitator,
                        const PaymentRequirements &option, unsigned own);

// What the location offered before a facilitator changed its answer, for the
// clients that got that offer. nullptr: nothing. Lifetime: until the next call
// above.
const std::vector<OldOffer> *offers_before(Worker &worker,
                                           const LocationConf &conf);

// What other machines may offer here (x402_store), from what facilitators have
// told them lately; never offered by this one. nullptr: nothing.
std::shared_ptr<const PaymentOffer> offered_elsewhere(Worker &worker,
                                                      const LocationConf &conf);

}  // namespace x402

#endif
