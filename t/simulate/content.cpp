// SPDX-License-Identifier: Apache-2.0
// From the answer to verify to the last byte of the content.
#include "session/payment_order.hpp"
#include "world.hpp"

namespace x402::simulate {

void World::verify_answered(std::uint32_t number)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.payment];
    const Authorization &made = payment.signed_;
    bool good = !made.forged && !chain_.of(made.purse).used
                && now() < made.valid_before;
    unsigned luck = all_honest_ ? 100 : payment.random.below(100);
    if (luck < 3) {
        good = true;  // the facilitator does not look
    } else if (luck < 5) {
        good = false;
    } else if (luck < 8) {
        advance(request, PaymentEvent::verify_failed);
        answered(request, 502, "facilitator_failed");
        return;
    }
    if (good) {
        purses_[made.purse].valid = true;
        accept_verified(number);
        return;
    }
    bool disputed = static_cast<bool>(request.disputed);
    advance(request, PaymentEvent::verify_invalid);
    answered(request, disputed ? 503 : 402, "invalid");
}

// An unknown claim under the same key that was never verified.
void World::settle_disputed(std::uint32_t number)
{
    Request &request = requests_[number];
    request.body = settle_body(request);
    bool taken =
        (!request.named || record_name(request) == PaymentIdNote::noted)
        && claims(request).take_over(request.disputed, request.facts,
                                     workers_[request.worker].owner,
                                     request.body, kFacilitator, now());
    // Also if it could not be written: the claim is for this payment then.
    const ClaimCell *cell = cell_of(request.facts.key);
    if (cell && (cell->flags & kTakenOver)
        && cell->redeliver_key == request.facts.redeliver_key
        && cell->binding.resource == request.facts.binding.resource) {
        Purse &purse = purses_[request.money];
        if (!taken && purse.written == 0) {
            purse.written = purse.payment + 1;
            purse.written_bought = purse.bought;
            purse.written_asked = purse.asked;
        } else if (taken) {
            purse.written = 0;
        }
        hold_purse(request);
    }
    if (!taken) {
        advance(request, PaymentEvent::verify_failed);
        answered(request, 503, "settlement_unknown");
        return;
    }
    request.claim = request.disputed;
    note(request.payment, [] { return "takes an unverified claim over"; });
    request.ever_unknown = true;
    request.was_verified = false;
    advance(request, PaymentEvent::verify_settle_first);
    start_settlement(number);
}

PaymentIdNote World::record_name(Request &request)
{
    std::uint32_t place = 0;
    PaymentIdNote noted = names_->note(name_of(request), request.facts.key,
                                       request.facts.expires, now(), place);
    if (noted == PaymentIdNote::noted) {
        claims(request).set_name(
            request.claim ? request.claim : request.disputed, place);
    }
    return noted;
}

bool World::adopt_older_claim(std::uint32_t number)
{
    Request &request = requests_[number];
    Purchase purchase{request.facts.payer, request.facts.binding};
    ClaimOwner owner = workers_[request.worker].owner;
    ClaimTable &table = claims(request);
    check_adoption(request);
    OlderClaim older = take_older(table, purchase, request.claim, owner, now());
    if (owed_first_ && older.kind != OlderClaim::Kind::owed) {
        violated(request.payment, "M4: charged again for what is owed");
    }
    check_delay(request, older);
    std::string stored;
    switch (older.kind) {
    case OlderClaim::Kind::none:
        return false;
    case OlderClaim::Kind::owed:
        request.claim = older.claim.ref;
        request.money = purse_of(older.claim.key);
        request.bought = older.claim.binding;
        request.resumed = true;
        request.settled_before = false;
        advance(request, PaymentEvent::claim_paid_resumed);
        make_content(number, 20);
        return true;
    case OlderClaim::Kind::unknown:
        stored = claims(request).stored_settle(older.claim.ref);
        if (!stored.empty()
            && take_unknown(claims(request), older.claim.ref, request.claim,
                            owner)) {
            request.money = purse_of(older.claim.key);
            request.bought = older.claim.binding;
            settle_again(request, older.claim, stored);
            advance(request, PaymentEvent::claim_unknown_resumed);
            start_settlement(number);
            return true;
        }
        break;
    case OlderClaim::Kind::in_use:
        break;
    }
    advance(request, PaymentEvent::verify_failed);
    answered(request, 503, "settlement_unknown");
    return true;
}

// x402_settle off: the facilitator's word is all the proof there is.
void World::accept_for_good(std::uint32_t number)
{
    Request &request = requests_[number];
    claims(request).set_paid(request.claim, "{\"success\":true}", now());
    if (claims(request).journal().failed()) {
        advance(request, PaymentEvent::verify_failed);
        answered(request, 503, "busy");
        return;
    }
    advance(request, PaymentEvent::verify_final);
    make_content(number, 20);
}

void World::accept_verified(std::uint32_t number)
{
    Request &request = requests_[number];
    if (request.disputed) {
        settle_disputed(number);
        return;
    }
    if (adopt_older_claim(number)) {
        return;
    }
    if (request.named && record_name(request) != PaymentIdNote::noted) {
        advance(request, PaymentEvent::verify_failed);
        answered(request, 409, "payment_identifier_in_use");
        return;
    }
    if (request.terms.mode == SettleMode::off) {
        accept_for_good(number);
        return;
    }
    bool trusted = claims(request).set_verified(request.claim);
    request.was_verified = true;
    PaymentEvent event =
        verified_event(trusted, request.settled_before, request.terms.upto);
    advance(request, event);
    if (event == PaymentEvent::verify_failed) {
        answered(request, 503, "busy");
        return;
    }
    if (event == PaymentEvent::verify_valid) {
        Payment &payment = payments_[request.payment];
        make_content(number, 20 + payment.random.below(300));
        return;
    }
    request.settled_before = true;
    start_settlement(number);
}

void World::make_content(std::uint32_t number, std::int64_t in_ms)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.payment];
    check_content(request);
    request.cost =
        PriceList::cost(request.wish, purses_[request.money].executions);
    schedule(in_ms, EventKind::content, number);
    if (payment.random.chance(4) && !all_honest_) {
        schedule(payment.random.below(static_cast<unsigned>(in_ms) + 20),
                 EventKind::client_leaves, number);
    }
}

void World::content_made(std::uint32_t number)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.payment];
    unsigned luck = all_honest_ ? 50 : payment.random.below(100);
    if (request.state == PaymentState::verified) {
        verified_content(number, luck);
    } else {
        paid_content(number, luck);
    }
}

void World::verified_content(std::uint32_t number, unsigned luck)
{
    Request &request = requests_[number];
    if (luck < 4) {
        advance(request, PaymentEvent::content_free);
        answered(request, 404, "of the upstream");
        return;
    }
    // Broken content, or what it costs was said in a way that cannot be
    // followed.
    if (luck < 8) {
        advance(request, PaymentEvent::content_broken);
        answered(request, 502, "content_failed");
        return;
    }
    advance(request, PaymentEvent::content_charged);
    if (request.terms.upto) {
        request.amount = request.cost;
    }
    request.whole = luck < 92;
    advance(request, PaymentEvent::settle_due);
    start_settlement(number);
}

void World::paid_content(std::uint32_t number, unsigned luck)
{
    Request &request = requests_[number];
    if (luck < 5) {
        advance(request, PaymentEvent::content_failed);
        end_request(request);
        note(request.payment, [] { return "is answered 500 by the upstream"; });
        no_answer(request);
        return;
    }
    bool off = request.terms.mode == SettleMode::off;
    if (request.resumed && request.terms.upto && !off
        && !pays_for(request.bought, amount_bytes(request.cost))) {
        advance(request, PaymentEvent::content_broken);
        answered(request, 502, "owed_content_costs_more");
        return;
    }
    request.whole = luck < 90;
    advance(request, PaymentEvent::content_charged);
    schedule(2, EventKind::first_bytes, number);
}

void World::first_bytes(std::uint32_t number)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.payment];
    check_first_bytes(request);
    request.first_out = true;
    may_die(request.worker);
    advance(request, PaymentEvent::body_sent);
    std::int64_t length = 2 + payment.random.below(100);
    schedule(length, EventKind::last_bytes, number);
    if (!all_honest_
        && (payment.habit == Habit::leaves_late || payment.random.chance(2))) {
        schedule(length - 1, EventKind::client_leaves, number);
    }
}

void World::last_bytes(std::uint32_t number)
{
    Request &request = requests_[number];
    Purse &purse = purses_[request.money];
    if (!request.whole) {
        note(request.payment, [] { return "its upstream breaks off"; });
        advance(request, end_event(request.state, {false, false}));
        end_request(request);
        no_answer(request);
        return;
    }
    served(request, "has all of its content");
    // The one known window: what was sent is not written down yet.
    bool was_excused = purse.excused;
    purse.excused = true;
    advance(request, end_event(request.state, {true, false}));
    may_die(request.worker);
    purse.excused = was_excused || table_->journal().failed();
    end_request(request);
    if (request.named && !all_honest_) {
        sign_again(request.payment, 1000);  // one order, asked for once more
    }
}

void World::client_leaves(std::uint32_t number)
{
    Request &request = requests_[number];
    if (request.gone || request.background) {
        return;
    }
    request.gone = true;
    note(request.payment, [] { return "its client leaves"; });
    Purse &purse = purses_[request.money];
    bool was_excused = purse.excused;
    if (request.first_out) {
        served(request, "has all of its content but the end");
        purse.excused = true;  // as in last_bytes()
    }
    PaymentAction action =
        advance(request, end_event(request.state, {false, true}));
    purse.excused =
        was_excused || (request.first_out && table_->journal().failed());
    // The settlement goes on without it.
    if (action != PaymentAction::detach_call) {
        end_request(request);
    }
    after_leaving(request.payment);
}

}  // namespace x402::simulate
