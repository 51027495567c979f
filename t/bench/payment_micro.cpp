// SPDX-License-Identifier: Apache-2.0
// What each look at a payment costs, without nginx: decode, shape, match,
// offer, what is said to a facilitator, and what its answers mean.
#include <benchmark/benchmark.h>

#include <string>

#include "base/base64_codec.hpp"
#include "facilitator/settle_answer.hpp"
#include "facilitator/verify_answer.hpp"
#include "policy/accept_terms.hpp"
#include "policy/claim_key.hpp"
#include "policy/scheme_payload.hpp"
#include "protocol/dialect.hpp"
#include "protocol/facilitator_messages.hpp"

namespace x402 {
namespace {

constexpr const char *kPayer = "0x40e4a207c75f2033541c483049bfc3c19646b107";

// `ways` of them, of which the last one is Base Sepolia.
PaymentOffer offer_of(int options)
{
    PaymentOffer offer;
    for (int i = options - 1; i >= 0; --i) {
        AcceptTerms terms;
        terms.network = i == 0 ? "base-sepolia" : "base";
        terms.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
        terms.price = "$0.0" + std::to_string(i + 1);
        auto requirements = build_requirements(terms);
        offer.add(std::move(requirements.value()), 0);
    }
    return offer;
}

ResourceInfo resource()
{
    return {"https://api.example.com/weather?city=Berlin"};
}

// The header of a payment for the last way, `filler` bytes longer than needed.
std::string payment_header(const PaymentOffer &offer, std::size_t filler)
{
    std::string text =
        R"({"x402Version":2,"payload":{"signature":"0x)" + std::string(130, '7')
        + R"(","authorization":{"from":")" + kPayer
        + R"(","to":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C",)"
          R"("value":"10000","validAfter":"0","validBefore":"1795267252",)"
          R"("nonce":"0x)"
        + std::string(64, 'a') + R"("}},)";
    if (filler > 0) {
        text +=
            R"("extensions":{"filler":")" + std::string(filler, 'x') + R"("},)";
    }
    text +=
        R"("resource":{"url":"https://api.example.com/weather?city=Berlin",)"
        R"("description":"","mimeType":""},"accepted":)"
        + offer.options().back().json + "}";
    return base64_encode(text);
}

void decode_payment(benchmark::State &state)
{
    std::string header =
        payment_header(offer_of(1), static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        auto payment = dialect_v2().decode(header, nullptr);
        if (!payment.ok()) {
            state.SkipWithError("no payment");
        }
        benchmark::DoNotOptimize(payment);
    }
    state.SetBytesProcessed(
        static_cast<std::int64_t>(state.iterations() * header.size()));
    state.counters["bytes"] = static_cast<double>(header.size());
}
BENCHMARK(decode_payment)->Arg(0)->Arg(3000)->Arg(22000);

// The same where the way is known, word for word.
void decode_echo(benchmark::State &state)
{
    PaymentOffer offer = offer_of(1);
    offer.prepare(terms_digest);
    std::string header = payment_header(offer, 0);
    for (auto _ : state) {
        auto payment = dialect_v2().decode(header, &offer);
        if (!payment.ok() || payment->echoed == nullptr) {
            state.SkipWithError("no echo");
        }
        benchmark::DoNotOptimize(payment);
    }
}
BENCHMARK(decode_echo);

void decode_base64_only(benchmark::State &state)
{
    std::string header = payment_header(offer_of(1), 0);
    for (auto _ : state) {
        benchmark::DoNotOptimize(base64_decode(header));
    }
}
BENCHMARK(decode_base64_only);

void match_payment(benchmark::State &state)
{
    PaymentOffer offer = offer_of(static_cast<int>(state.range(0)));
    auto payment = dialect_v2().decode(payment_header(offer, 0), nullptr);
    for (auto _ : state) {
        const auto *option = dialect_v2().match(offer, payment.value());
        if (option == nullptr) {
            state.SkipWithError("no match");
        }
        benchmark::DoNotOptimize(option);
    }
}
BENCHMARK(match_payment)->Arg(1)->Arg(5)->Arg(10);

void read_payload(benchmark::State &state)
{
    auto payment = dialect_v2().decode(payment_header(offer_of(1), 0), nullptr);
    const PaymentPayload &payload = payment.value();
    for (auto _ : state) {
        auto read = read_scheme_payload(payload.scheme(), payload.network(),
                                        payload.asset(), payload.payload());
        if (!read.ok()) {
            state.SkipWithError("no payload");
        }
        benchmark::DoNotOptimize(read);
    }
}
BENCHMARK(read_payload);

void build_requirements_from_terms(benchmark::State &state)
{
    for (auto _ : state) {
        benchmark::DoNotOptimize(offer_of(static_cast<int>(state.range(0))));
    }
}
BENCHMARK(build_requirements_from_terms)->Arg(1)->Arg(10);

void encode_offer(benchmark::State &state)
{
    PaymentOffer offer = offer_of(static_cast<int>(state.range(0)));
    ResourceInfo sold = resource();
    for (auto _ : state) {
        benchmark::DoNotOptimize(dialect_v2().offer_value(
            {kPaymentRequired, true, sold, offer, {}, {}}));
    }
}
BENCHMARK(encode_offer)->Arg(1)->Arg(5)->Arg(10);

void write_settle_request(benchmark::State &state)
{
    PaymentOffer offer = offer_of(1);
    auto payment = dialect_v2().decode(payment_header(offer, 0), nullptr);
    ResourceInfo sold = resource();
    for (auto _ : state) {
        benchmark::DoNotOptimize(facilitator_request_json(
            2, payment.value(), offer.options().front(), sold));
    }
}
BENCHMARK(write_settle_request);

FacilitatorReply reply(std::string body)
{
    FacilitatorReply reply;
    reply.transport = Transport::answered;
    reply.sent_completely = true;
    reply.status = 200;
    reply.body = std::move(body);
    return reply;
}

void check_verify_answer(benchmark::State &state)
{
    auto answer =
        reply(std::string(R"({"isValid":true,"payer":")") + kPayer + R"("})");
    for (auto _ : state) {
        benchmark::DoNotOptimize(read_verify_answer(answer));
    }
}
BENCHMARK(check_verify_answer);

void check_settle_answer(benchmark::State &state)
{
    auto answer = reply(std::string(R"({"success":true,"payer":")") + kPayer
                        + R"(","transaction":"0x)" + std::string(64, 'b')
                        + R"(","network":"eip155:84532"})");
    SettleExpectation expected{"eip155:84532", kPayer, "10000"};
    for (auto _ : state) {
        SettleAnswer judged = read_settle_answer(answer, expected);
        if (judged.verdict != SettleVerdict::paid) {
            state.SkipWithError("not paid");
        }
        benchmark::DoNotOptimize(judged);
    }
}
BENCHMARK(check_settle_answer);

}  // namespace
}  // namespace x402
