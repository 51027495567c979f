// SPDX-License-Identifier: Apache-2.0
// A settlement: its claim, the facilitator behind it, and the chain.
#include "facilitator/settle_request.hpp"
#include "session/claim_change.hpp"
#include "session/settle_event.hpp"
#include "world.hpp"

namespace x402::simulate {

namespace {

FacilitatorReply reply_of(Transport transport, int status, std::string body)
{
    FacilitatorReply reply;
    reply.transport = transport;
    reply.sent_completely =
        transport == Transport::answered || transport == Transport::timed_out;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

std::string success(const std::string &payer, std::uint64_t amount,
                    const char *network)
{
    return R"({"success":true,"transaction":"0x1","network":")"
           + std::string(network) + R"(","payer":")" + payer + R"(","amount":")"
           + std::to_string(amount) + "\"}";
}

std::string refusal(const char *reason, const char *transaction = "")
{
    return R"({"success":false,"errorReason":")" + std::string(reason)
           + R"(","transaction":")" + transaction
           + R"(","network":"eip155:84532"})";
}

}  // namespace

PaymentAction World::advance(Request &request, PaymentEvent event)
{
    PaymentStep next = step(request.state, event);
    note(request.payment, [&] {
        return std::string(state_name(request.state)) + ", " + event_name(event)
               + " -> " + state_name(next.next);
    });
    if (next.action == PaymentAction::fail) {
        violated(request.payment, std::string("I7: event \"")
                                      + event_name(event) + "\" in state \""
                                      + state_name(request.state)
                                      + "\" should not happen");
    }
    request.state = next.next;
    totals_.unknown += next.claim == ClaimChange::unknown ? 1 : 0;
    if (request.claim && next.claim != ClaimChange::keep) {
        apply_claim_change(claims(request), request.claim, next.claim, now());
    }
    return next.action;
}

std::string World::settle_body(const Request &request) const
{
    const Authorization &made = payments_[request.payment].signed_;
    std::string body = R"({"x402Version":2,"paymentPayload":{"resource":{)";
    body += R"("url":"/)" + std::to_string(request.payment);
    body += R"("},"payload":{"authorization":{"to":")";
    body += receiver_text(made.terms.receiver);
    body += R"(","value":")" + std::to_string(made.terms.amount);
    body += R"(","validBefore":")" + std::to_string(made.valid_before);
    body += R"("}}},"paymentRequirements":{"scheme":")";
    body += made.terms.upto ? "upto" : "exact";
    body += R"(","network":"eip155:84532","amount":")";
    body += std::to_string(request.amount) + R"(","asset":")";
    body += asset_text(made.terms.asset) + R"(","payTo":")";
    body += receiver_text(made.terms.receiver) + "\"}}";
    return body;
}

// The first settle of the claim is repeated, byte for byte.
void World::settle_again(Request &request, const ClaimView &claim,
                         const std::string &stored)
{
    auto asked = read_settle_request(stored);
    request.body = stored;
    request.settles =
        static_cast<std::uint32_t>(std::stoul(asked->resource.substr(1)));
    request.amount = std::stoull(asked->amount);
    request.terms.upto = asked->at_most;
    request.claim = claim.ref;
    request.resumed = true;
    request.settled_before = false;
    request.ever_unknown = true;
    request.was_verified = claim.was_verified;
    request.first_settle_sent = claim.first_settle_sent;
}

void World::start_settlement(std::uint32_t number)
{
    Request &request = requests_[number];
    if (request.body.empty()) {
        request.body = settle_body(request);
    }
    if (!request.ever_unknown) {
        claims(request).set_texts(
            request.claim, kNetwork,
            payer_text(payments_[request.settles].signed_.payer),
            asset_text(request.terms.asset));
        claims(request).set_amount_paid(request.claim,
                                        amount_bytes(request.amount));
    }
    if (!claims(request).set_settling(request.claim, request.body, kFacilitator,
                                      now())) {
        request.answer = {};
        request.answer.verdict = SettleVerdict::not_sent;
        schedule(1, EventKind::settle_answered, number);
        return;
    }
    may_die(request.worker);
    send_settle(number);
}

void World::send_settle(std::uint32_t number)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.payment];
    Habit habit = payment.habit;
    check_settle(request);
    request.answer = {};
    std::int64_t way = 20 + payment.random.below(200);
    bool leaves = habit == Habit::steals || habit == Habit::uses_more
                  || habit == Habit::signs_again || habit == Habit::names_order
                  || payment.random.chance(5);
    if (leaves && !request.resumed && !all_honest_) {
        // Once the money is on its way.
        schedule(way + 1, EventKind::client_leaves, number);
    }
    unsigned luck = all_honest_ ? 50 : payment.random.below(100);
    SettleExpectation none;
    if (luck < 3) {
        request.answer =
            read_settle_answer(reply_of(Transport::not_sent, 0, ""), none);
        schedule(way, EventKind::settle_answered, number);
        return;
    }
    request.sent = true;
    purses_[request.money].on_wire++;
    if (luck < 6) {  // it never arrives, and this side cannot know
        request.answer =
            read_settle_answer(reply_of(Transport::broken, 0, ""), none);
    } else {
        schedule(way, EventKind::settle_arrives, number);
    }
    schedule(way + 20 + payment.random.below(200), EventKind::settle_answered,
             number);
}

// What the facilitator says. A proof of refusal is given only if nothing moved.
FacilitatorReply World::settle_reply(const Request &request, bool moved,
                                     bool used)
{
    Payment &payment = payments_[request.settles];
    const Authorization &made = payment.signed_;
    std::string payer = payer_text(made.payer);
    unsigned luck = all_honest_ ? 50 : payment.random.below(100);
    Transport answered = Transport::answered;
    switch (luck) {
    case 0:
    case 1:
    case 2:
    case 3:
        return reply_of(Transport::timed_out, 0, "");
    case 4:
        return reply_of(Transport::broken, 0, "");
    case 5:
        return reply_of(answered, 500, refusal("insufficient_funds"));
    case 6:
        return reply_of(answered, 200, refusal("something"));
    case 7:
        return reply_of(answered, 200, refusal("duplicate_settlement"));
    case 8:
        return reply_of(answered, 200, refusal("settlement_pending", "0x1"));
    case 9:
        return reply_of(answered, 200,
                        success(payer, request.amount, "eip155:1"));
    case 10:
        return reply_of(answered, 200,
                        success(payer_text(7777777), request.amount, kNetwork));
    case 11:
        return reply_of(answered, 200,
                        success(payer, request.amount + 1, kNetwork));
    case 12:
    case 13:
        if (!moved && !used) {
            return reply_of(answered, luck == 12 ? 429 : 403, "{}");
        }
        break;
    default:
        break;
    }
    const Chain::Movement &movement = chain_.of(made.purse);
    bool own = movement.settled && movement.payment == request.settles;
    if (moved || (own && idempotent_)) {
        return reply_of(answered, 200,
                        success(payer, movement.amount, kNetwork));
    }
    const char *reason =
        now() >= made.valid_before
            ? "invalid_exact_evm_payload_authorization_valid_before"
        : used        ? "invalid_exact_evm_nonce_already_used"
        : made.forged ? "invalid_exact_evm_payload_signature"
                      : "insufficient_funds";
    return reply_of(answered, 200, refusal(reason));
}

// Money moves here, or it does not; the request may be gone.
void World::settle_arrives(std::uint32_t number)
{
    Request &request = requests_[number];
    Payment &payment = payments_[request.settles];
    const Authorization &made = payment.signed_;
    bool used = chain_.of(made.purse).used;
    bool moved = now() >= payment.poor_until
                 && chain_.settle(made, request.settles, request.amount, now());
    if (moved) {
        paid_ += request.amount;
        check_moved(request);
        note(request.settles,
             [&] { return "money moves: " + std::to_string(request.amount); });
    }
    FacilitatorReply reply = settle_reply(request, moved, used);
    if (request.ended) {
        return;
    }
    std::string payer = payer_text(made.payer);
    std::string amount = std::to_string(request.amount);
    request.answer = read_settle_answer(
        reply, {kNetwork, payer, amount, request.terms.upto});
    if (reply.sent_completely && !request.ever_unknown) {
        table_->set_first_settle_sent(request.claim);
    }
}

PaymentEvent World::outcome_of(const Request &request)
{
    PaymentEvent event = settle_event(
        request.answer.verdict, {request.ever_unknown, request.was_verified,
                                 request.first_settle_sent});
    if (event != PaymentEvent::settle_unproven) {
        return event;
    }
    // The unproven rule is for a client that comes for its content.
    bool delivers = !request.background
                    && claims(request).count_unproven(
                        payments_[request.settles].payer, kMaxUnproven, now());
    return delivers ? event : PaymentEvent::settle_unknown;
}

void World::settle_answered(std::uint32_t number)
{
    Request &request = requests_[number];
    Purse &purse = purses_[request.money];
    if (request.sent) {
        request.sent = false;
        purse.on_wire--;
    }
    PaymentEvent event = outcome_of(request);
    bool orphaned = request.state == PaymentState::orphaned;
    if (event == PaymentEvent::settle_paid
        || event == PaymentEvent::settle_unproven) {
        purse.unproven |= event == PaymentEvent::settle_unproven;
        bool fits = claims(request).set_paid(
            request.claim, request.answer.receipt, now(), !orphaned);
        if (!fits) {
            claims(request).set_paid(request.claim, "{\"success\":true}", now(),
                                     !orphaned);
        }
        purse.known_paid |= !table_->journal().failed();
    }
    PaymentAction action = advance(request, event);
    if (orphaned) {
        end_request(request);
        return;
    }
    switch (action) {
    case PaymentAction::release:
        schedule(2, EventKind::first_bytes, number);
        break;
    case PaymentAction::proceed:
        make_content(number, 20);
        break;
    default:
        answered(request,
                 event == PaymentEvent::settle_refused         ? 402
                 : event == PaymentEvent::settle_not_processed ? 502
                                                               : 503,
                 event_name(event));
    }
}

// What a worker does every second for outcomes that are unknown.
void World::worker_asks_again(std::uint32_t worker)
{
    for (;;) {
        DueClaim due = claims(worker).next_due(workers_[worker].owner, now());
        if (due.kind == DueClaim::Kind::nothing) {
            return;
        }
        if (due.kind == DueClaim::Kind::closed) {
            continue;
        }
        ClaimView claim = claims(worker).view(due.ref);
        std::string stored = claims(worker).stored_settle(due.ref);
        auto number = static_cast<std::uint32_t>(requests_.size());
        Request request;
        settle_again(request, claim, stored);
        request.payment = request.settles;
        request.money = purse_of(claim.key);
        request.background = true;
        request.worker = worker;
        request.arrived_at = now();
        request.state = PaymentState::orphaned;
        requests_.push_back(std::move(request));
        workers_[worker].requests++;
        note(requests_[number].payment,
             [] { return "its outcome is asked for again"; });
        start_settlement(number);
    }
}

}  // namespace x402::simulate
