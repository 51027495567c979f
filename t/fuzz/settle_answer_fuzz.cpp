// SPDX-License-Identifier: Apache-2.0
// The first byte chooses status and transport, the rest is the body.
#include "facilitator/settle_answer.hpp"

#include "facilitator/settle_reasons.hpp"
#include "fuzz_check.hpp"
#include "jansson_view.hpp"
#include "policy/evm_address.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"

using namespace x402;

namespace {

constexpr int kStatuses[] = {200, 201, 204, 302, 307, 400, 401, 402,
                             403, 404, 409, 429, 500, 502, 503, 100};

constexpr SettleExpectation kExpected = {
    "eip155:84532", "0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9", "10000"};

bool is_given(json_t *value)
{
    return value && !json_is_null(value);
}

// Money: all that has to be there before content goes out.
void check_paid(const FacilitatorReply &reply, const Jansson &body)
{
    must(reply.transport == Transport::answered, "paid is an answer");
    must(reply.status >= 200 && reply.status < 300, "paid is an answer of 2xx");
    must(json_is_true(json_object_get(body.get(), "success")),
         "paid is the JSON word true");
    must(json_is_string(json_object_get(body.get(), "transaction")),
         "paid names a transaction, if only an empty one");
    must(canonical_network(member_text(body, "network")) == kExpected.network,
         "paid is on our network");
    if (is_given(json_object_get(body.get(), "payer"))) {
        must(parse_evm_address(member_text(body, "payer"))
                 == parse_evm_address(kExpected.payer),
             "paid is by the payer");
    }
    if (is_given(json_object_get(body.get(), "amount"))) {
        must(member_text(body, "amount") == kExpected.amount,
             "paid is what was asked");
    }
}

void check_refused(const FacilitatorReply &reply, const Jansson &body,
                   SettleVerdict verdict)
{
    must(reply.transport == Transport::answered, "a refusal is an answer");
    must((reply.status >= 200 && reply.status < 300)
             || (reply.status >= 400 && reply.status < 500),
         "a refusal is an answer of 2xx or 4xx");
    must(json_is_false(json_object_get(body.get(), "success")),
         "a refusal is the JSON word false");
    json_t *transaction = json_object_get(body.get(), "transaction");
    must(!is_given(transaction) || json_is_string(transaction),
         "a refusal hides no transaction");
    std::string_view reason = member_text(body, "errorReason");
    bool sent = !member_text(body, "transaction").empty();
    if (verdict == SettleVerdict::pending) {
        must(sent && reason == "settlement_pending", "pending was broadcast");
    } else if (verdict == SettleVerdict::nonce_used) {
        must(!sent && is_nonce_used_reason(reason), "used is one reason");
    } else {
        std::string network = canonical_network(kExpected.network);
        must(sent ? is_mined_revert(reason, member_text(body, "errorMessage"),
                                    network_family(network))
                  : is_pre_broadcast_reason(reason),
             "refused has a reason that proves it");
    }
}

void check_not_processed(const FacilitatorReply &reply, SettleVerdict verdict)
{
    if (verdict == SettleVerdict::not_sent) {
        must(reply.transport == Transport::not_sent
                 || reply.transport == Transport::no_connection,
             "not sent is known by the transport");
        return;
    }
    must(reply.transport == Transport::answered, "the rest was answered");
    must(verdict == SettleVerdict::rate_limited
             ? reply.status == 429
             : reply.status == 401 || reply.status == 403 || reply.status == 404
                   || reply.status / 100 == 3,
         "and is known by the status");
}

void check_receipt(const SettleAnswer &answer)
{
    bool paid = answer.verdict == SettleVerdict::paid;
    bool due = paid || answer.verdict == SettleVerdict::refused
               || answer.verdict == SettleVerdict::nonce_used;
    must(answer.receipt.empty() != due, "who answered gets a receipt");
    if (due) {
        Jansson receipt = read_by_jansson(answer.receipt);
        json_t *word = json_object_get(receipt.get(), "success");
        must(paid ? json_is_true(word) : json_is_false(word),
             "and it says what the answer was");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view rest = text_of(data, size);
    unsigned choice = take_byte(rest);
    FacilitatorReply reply;
    reply.transport = choice >= 240 ? static_cast<Transport>(choice % 5)
                                    : Transport::answered;
    reply.status = kStatuses[choice % 16];
    reply.body = std::string(rest);
    SettleAnswer answer = read_settle_answer(reply, kExpected);
    Jansson body = read_by_jansson(reply.body);

    switch (answer.verdict) {
    case SettleVerdict::paid:
        check_paid(reply, body);
        break;
    case SettleVerdict::refused:
    case SettleVerdict::nonce_used:
    case SettleVerdict::pending:
        check_refused(reply, body, answer.verdict);
        break;
    case SettleVerdict::operator_fault:
    case SettleVerdict::rate_limited:
    case SettleVerdict::not_sent:
        check_not_processed(reply, answer.verdict);
        break;
    case SettleVerdict::unknown:
        break;
    }
    check_receipt(answer);
    must(answer.reason.size() <= 256, "a reason fits a header");

    reply.transport = Transport::answered;
    reply.status = 500;
    must(read_settle_answer(reply, kExpected).verdict == SettleVerdict::unknown,
         "a broken server proves nothing");
    return 0;
}
