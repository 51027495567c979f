// SPDX-License-Identifier: Apache-2.0
// What the access phase does with a presented payment, up to its claim.
#include "facilitator/settle_request.hpp"
#include "policy/claim_key.hpp"
#include "session/claim_answer.hpp"
#include "session/payment_name.hpp"
#include "session/payment_order.hpp"
#include "world.hpp"

namespace x402::simulate {

namespace {

// The server does not read this body, and what it costs depends on it.
bool reads_bodies(const Wish &wish)
{
    return wish.server != 1;
}

std::string_view bytes_of(const Digest &digest)
{
    return {reinterpret_cast<const char *>(digest.data()), digest.size()};
}

}  // namespace

void World::fill_facts(Request &request)
{
    constexpr const char *kNames[] = {"shop.example", "shop.example",
                                      "other.example"};
    constexpr const char *kHosts[] = {"shop.example", "www.shop.example",
                                      "other.example"};
    constexpr const char *kUris[] = {"/a", "/b", "/before", "/upto", "/off"};
    constexpr const char *kTexts[] = {"", "short", "long"};
    const Payment &payment = payments_[request.payment];
    const Wish &wish = request.wish;
    ResourceParts parts;
    parts.server = kNames[wish.server];
    parts.port = 8080u + wish.server;
    parts.method = wish.body == 0 ? "GET" : "POST";
    parts.host = kHosts[wish.host];
    parts.request_uri = kUris[wish.path];
    if (wish.path == kPathUpto && wish.body != 0) {
        parts.body = reads_bodies(wish) ? std::string_view(kTexts[wish.body])
                                        : bytes_of(payment.key);
    }
    ClaimFacts &facts = request.facts;
    facts.key = payment.key;
    facts.binding.resource = resource_digest(parts);
    facts.redeliver_key = request.client == payment.client
                              ? payment.redeliver_key
                              : sha256(std::to_string(request.client));
    facts.payer = payment.payer;
    facts.client = request.client + 1;
    facts.expires = payment.signed_.valid_before + kAfterlife;
}

void World::present(std::uint32_t number)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.payment];
    if (request.arrived_at < 0) {
        sign(request.payment);
        payment.tries++;
        payment.honest_tries += all_honest_ ? 1 : 0;
        totals_.presented++;
        request.arrived_at = now();
        request.worker = active_[payment.random.below(kActive)];
        workers_[request.worker].requests++;
        request.money = payment.signed_.purse;
        request.epoch = prices_.epoch();
        request.worth = prices_.worth(request.wish, now(), request.epoch);
        fill_facts(request);
        note(request.payment, [&] {
            const Wish &wish = request.wish;
            return "is presented by client " + std::to_string(request.client)
                   + " to worker " + std::to_string(request.worker)
                   + ": server " + std::to_string(wish.server) + ", host "
                   + std::to_string(wish.host) + ", path "
                   + std::to_string(wish.path) + ", tier "
                   + std::to_string(wish.tier) + ", body "
                   + std::to_string(wish.body) + ", purse "
                   + std::to_string(request.money) + ", worth "
                   + std::to_string(request.worth);
        });
        if (payment.habit == Habit::copies && payment.tries == 1) {
            std::int64_t soon = payment.random.below(90);
            new_request(request.payment, payment.wish, soon);
            soon = payment.random.below(400);
            new_request(request.payment, payment.wish, soon);
        }
        if (payment.random.chance(3) && !all_honest_) {
            schedule(payment.random.below(400), EventKind::client_leaves,
                     number);
        }
    }
    Request &here = requests_[number];
    ClaimView claim = claims(here).look_up(here.facts, now());
    if (!answer_from_claim(number, claim)) {
        begin(number, claim.state == ClaimState::refused);
    }
}

bool World::wait_for_claim(std::uint32_t number)
{
    if (requests_[number].waited >= 5) {
        return false;
    }
    requests_[number].waited++;
    schedule(400, EventKind::present, number);
    return true;
}

bool World::is_bought_here(Request &request, const ClaimBinding &bought) const
{
    Offers offers =
        prices_.offers(request.wish, request.arrived_at, request.epoch);
    for (unsigned i = 0; i < offers.count; i++) {
        const Terms &terms = offers.terms[i];
        if (covers(bought,
                   PriceList::binding(request.facts.binding.resource, terms))) {
            request.terms = terms;
            request.bought = bought;
            return true;
        }
    }
    return false;
}

bool World::answer_from_claim(std::uint32_t number, const ClaimView &claim)
{
    if (is_in_flight(claim) && wait_for_claim(number)) {
        return true;
    }
    Request &request = requests_[number];
    ClaimPresenter presenter;
    presenter.same_purchase = may_be_answered(claim) && claim.same_client
                              && is_bought_here(request, claim.binding);
    presenter.without_body = request.wish.body == 0;
    presenter.waited = request.waited > 0;
    if (claim.state != ClaimState::free) {
        note(request.payment, [&] {
            return std::string("its claim is ") + claim_state_name(claim.state)
                   + (claim.in_use ? ", in use" : "") + ", made "
                   + std::to_string(claim.executions) + " times"
                   + (claim.same_client ? ", same client" : "")
                   + (presenter.same_purchase ? ", for this" : "");
        });
    }
    if (claim.state == ClaimState::unknown && take_over_claim(number, claim)) {
        return true;
    }
    switch (answer_of(claim, presenter)) {
    case ClaimAnswer::none:
        return false;
    case ClaimAnswer::in_use:
        answered(request, 409, "payment_in_use");
        break;
    case ClaimAnswer::unknown:
        answered(request, 503, "settlement_unknown");
        break;
    case ClaimAnswer::ask_again:
        resume_unknown(number, claim);
        break;
    case ClaimAnswer::deliver:
        resume_paid(number, claim);
        break;
    case ClaimAnswer::used:
        answered(request, 402, "payment_already_used");
        break;
    }
    return true;
}

// What the first settle asked for, from the zone, or from the presenter's own
// bytes if only their digest was kept.
void World::resume_unknown(std::uint32_t number, const ClaimView &claim)
{
    Request &request = requests_[number];
    std::string stored = claims(request).stored_settle(claim.ref);
    if (stored.empty()) {
        request.amount = payments_[request.payment].signed_.terms.amount;
        std::string own = settle_body(request);
        if (claims(request).settle_digest_is(claim.ref, sha256(own))) {
            stored = own;
        }
    }
    if (stored.empty()
        || !claims(request).resume(claim.ref, workers_[request.worker].owner)) {
        answered(request, 503, "settlement_unknown");
        return;
    }
    settle_again(request, claim, stored);
    advance(request, PaymentEvent::claim_unknown_resumed);
    start_settlement(number);
}

void World::resume_paid(std::uint32_t number, const ClaimView &claim)
{
    Request &request = requests_[number];
    if (!claims(request).resume(claim.ref, workers_[request.worker].owner)) {
        answered(request, 402, "payment_already_used");
        return;
    }
    request.claim = claim.ref;
    request.resumed = true;
    advance(request, PaymentEvent::claim_paid_resumed);
    make_content(number, 20);
}

// nullptr: it does, and request.terms are those of the offer.
const char *World::meets_offer(Request &request) const
{
    const Authorization &made = payments_[request.payment].signed_;
    Offers offers =
        prices_.offers(request.wish, request.arrived_at, request.epoch);
    bool found = false;
    for (unsigned i = 0; i < offers.count && !found; i++) {
        const Terms &terms = offers.terms[i];
        found = request.lies
                || (terms.same_money(made.terms)
                    && terms.amount == made.terms.amount);
        request.terms = terms;
    }
    if (!found) {
        return "No matching payment requirements";
    }
    SchemePayload payload;
    payload.form =
        made.terms.upto ? PaymentForm::permit2 : PaymentForm::eip3009;
    payload.value = std::to_string(made.terms.amount);
    payload.recipient = receiver_text(made.terms.receiver);
    payload.token = asset_text(made.terms.asset);
    payload.upto = made.terms.upto;
    payload.valid_before = made.valid_before;
    // The form that a scheme is paid in is checked when it is read.
    if (made.terms.upto != request.terms.upto) {
        return "invalid_payload";
    }
    return validate_payload(payload, PriceList::requirements(request.terms),
                            now());
}

PaymentName World::name_of(const Request &request) const
{
    // One order of a payer at a location.
    std::string place = "shop\n" + std::to_string(request.wish.path);
    const Payment &payment = payments_[request.payment];
    return {payment_id_key(place, bytes_of(payment.payer), "order"),
            payment.payer};
}

bool World::check_name(Request &request)
{
    if (!request.named) {
        return true;
    }
    bool taken = name_is_taken(claims(request), *names_, name_of(request),
                               request.facts.key, now());
    if (taken
        && !claims(request).has_older(
            {request.facts.payer, request.facts.binding}, now())) {
        answered(request, 409, "payment_identifier_in_use");
        return false;
    }
    return true;
}

// The payment is for other terms than those of an unknown claim that was never
// verified.
bool World::take_over_claim(std::uint32_t number, const ClaimView &claim)
{
    Request &request = requests_[number];
    if (claim.was_verified || claim.in_use) {
        return false;
    }
    std::string sent = claims(request).stored_settle(claim.ref);
    auto own = JsonDocument::parse(settle_body(request));
    JsonValue payload = own->root()["paymentPayload"]["payload"];
    if (!signs_other_terms(sent, payload)) {
        return false;
    }
    if (meets_offer(request) || request.terms.mode == SettleMode::off
        || request.terms.upto) {
        answered(request, 503, "settlement_unknown");
        return true;
    }
    if (!check_name(request)) {
        return true;
    }
    request.facts.binding =
        PriceList::binding(request.facts.binding.resource, request.terms);
    request.amount = request.terms.amount;
    request.disputed = claim.ref;
    request.settled_before = true;
    advance(request, PaymentEvent::claim_taken);
    ask_to_verify(number);
    return true;
}

void World::begin(std::uint32_t number, bool distrusted)
{
    Request &request = requests_[number];
    if (const char *why = meets_offer(request)) {
        answered(request, 402, why);
        return;
    }
    ClaimFacts &facts = request.facts;
    facts.binding = PriceList::binding(facts.binding.resource, request.terms);
    facts.only_guard = request.terms.mode == SettleMode::off;
    if (!check_name(request)) {
        return;
    }
    TakeOutcome taken = claims(request).take(
        facts, workers_[request.worker].owner, now(), request.claim);
    if (taken == TakeOutcome::in_use) {
        if (!wait_for_claim(number)) {
            answered(request, 409, "payment_in_use");
        }
        return;
    }
    if (taken == TakeOutcome::full) {
        answered(request, 503, "busy");
        return;
    }
    begin_purse(request);
    ask_facilitator(number, distrusted);
}

// The claim under this purse is for this payment from now on.
void World::hold_purse(const Request &request)
{
    Purse &purse = purses_[request.money];
    purse.payment = request.payment;
    purse.bought = request.wish;
    purse.client = request.client;
    purse.asked = request.terms.amount;
    purse.expires = request.facts.expires;
}

void World::begin_purse(const Request &request)
{
    Purse &purse = purses_[request.money];
    // Another signature under the same nonce may live longer: by then the chain
    // alone stands behind it, for whatever facilitator.
    if (purse.known_paid && now() < purse.expires) {
        violated(request.payment, "M3: its claim is taken again");
    }
    hold_purse(request);
    purse.off = request.terms.mode == SettleMode::off;
    purse.named = request.named;
    purse.valid = purse.known_paid = false;
    purse.executions = 0;
}

void World::ask_facilitator(std::uint32_t number, bool distrusted)
{
    Request &request = requests_[number];
    const ClaimFacts &facts = request.facts;
    request.amount = request.terms.amount;
    bool before = request.terms.mode == SettleMode::before;
    if (request.terms.mode == SettleMode::after && !request.terms.upto) {
        before =
            distrusted || claims(request).settles_first(facts.payer, now());
    }
    request.settled_before = before;
    if (!before && serve_unverified(number)) {
        return;
    }
    bool skips_verify =
        before
        && verify_need(claims(request), facts, request.named, now())
               == VerifyNeed::none;
    if (skips_verify) {
        advance(request, PaymentEvent::claim_taken_to_settle);
        start_settlement(number);
        return;
    }
    advance(request, PaymentEvent::claim_taken);
    ask_to_verify(number);
}

// x402_verify: at one server a path verifies no payment, at the others none of
// a payer with a good record whose signature is right.
bool World::serve_unverified(std::uint32_t number)
{
    Request &request = requests_[number];
    const ClaimFacts &facts = request.facts;
    Payment &payment = payments_[request.payment];
    VerifyMode mode = request.wish.path != 1     ? VerifyMode::remote
                      : request.wish.server == 0 ? VerifyMode::off
                                                 : VerifyMode::trusted;
    if (request.terms.mode != SettleMode::after
        || !may_serve_unverified(claims(request), facts, request.named, mode,
                                 now())
        || (mode == VerifyMode::trusted && payment.signed_.forged)
        || !claims(request).set_served_unverified(
            request.claim, mode == VerifyMode::trusted)) {
        return false;
    }
    request.unverified = true;
    advance(request, PaymentEvent::claim_taken_to_serve);
    make_content(number, 20 + payment.random.below(300));
    return true;
}

void World::ask_to_verify(std::uint32_t number)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.payment];
    schedule(20 + payment.random.below(200), EventKind::verified, number);
    if (payment.random.chance(4) && !all_honest_) {
        schedule(payment.random.below(250), EventKind::client_leaves, number);
    }
}

}  // namespace x402::simulate
