// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_payload.hpp"

#include <cstddef>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "protocol/dialect.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

using namespace std::string_view_literals;

// "" for a payload that was taken, else the error word.
std::string error_of(std::string_view header)
{
    Result<PaymentPayload> payload = decode_payment_header(header, 2);
    return payload ? std::string() : payload.problem().text;
}

std::string error_of_json(std::string_view text)
{
    return error_of(base64_encode(text));
}

TEST(PaymentPayload, KeepsTheTextAsItWasSent)
{
    std::string text = " {\"x402Version\" : 2, \"unknown\" : 1e-7,\n"
                       "\"payload\":{\"a\":1},\"accepted\":{\"b\":2}} ";
    Result<PaymentPayload> payload =
        decode_payment_header(base64_encode(text), 2);
    ASSERT_TRUE(payload);
    EXPECT_EQ(payload->text, text);
    EXPECT_EQ(payload->payload()["a"].integer(), 1);
    EXPECT_EQ(payload->accepted()["b"].integer(), 2);
}

TEST(PaymentPayload, MissingMembersDoNotExist)
{
    Result<PaymentPayload> payload =
        decode_payment_header(base64_encode("{\"x402Version\":2}"), 2);
    ASSERT_TRUE(payload);
    EXPECT_FALSE(payload->payload().exists());
    EXPECT_FALSE(payload->accepted().exists());
}

TEST(PaymentPayload, SaysWhyAHeaderCannotBeRead)
{
    for (std::string_view header : {"!!!"sv, "e30=="sv, "A"sv, " e30="sv}) {
        EXPECT_EQ(error_of(header), kHeaderNotBase64) << header;
    }
    for (std::string_view header : {""sv, "bnVsbA=="sv, "e30K"sv, "ew=="sv}) {
        EXPECT_EQ(error_of(header), header == "e30K"
                                        ? "Unsupported x402 version: undefined"
                                        : kHeaderNotJson)
            << header;
    }
    for (std::string_view word :
         {kHeaderTooLong, kHeaderNotBase64, kHeaderNotJson, kHeaderRepeated}) {
        EXPECT_TRUE(is_unreadable(Problem{std::string(word)}));
    }
    EXPECT_FALSE(is_unreadable(Problem{"Unsupported x402 version: 3"}));
    EXPECT_FALSE(is_unreadable(Problem{""}));
    EXPECT_EQ(wrong_header_error("x-payment", "payment-signature"),
              "Payment in X-PAYMENT, but this resource takes it in "
              "PAYMENT-SIGNATURE");
}

// Where a second reader could understand something else, we do not read at all.
TEST(PaymentPayload, RefusesWhatTheReferenceWouldGuessAt)
{
    EXPECT_EQ(error_of_json(R"({"x402Version":1,"x402Version":2})"),
              kHeaderNotJson);
    EXPECT_EQ(error_of_json(R"({"x402Version":2,"a":"\u0000"})"),
              kHeaderNotJson);
    EXPECT_EQ(error_of_json("\xef\xbb\xbf{\"x402Version\":2}"), kHeaderNotJson);
    EXPECT_EQ(error_of_json("{\"x402Version\":2}\0"sv), kHeaderNotJson);
    EXPECT_EQ(error_of_json(R"({"x402Version":2,"a":18446744073709551616})"),
              kHeaderNotJson);
}

TEST(PaymentPayload, NamesTheVersionItDoesNotSpeak)
{
    struct Row {
        const char *text;
        const char *shown;
    };
    constexpr Row kRows[] = {
        {"{}", "undefined"},
        {"[]", "undefined"},
        {"5", "undefined"},
        {"\"x\"", "undefined"},
        {R"({"x402Version":1})", "1"},
        {R"({"x402Version":3})", "3"},
        {R"({"x402Version":2.5})", "2.5"},
        {R"({"x402Version":"2"})", "2"},
        {R"({"x402Version":null})", "null"},
        {R"({"x402Version":true})", "true"},
        {R"({"x402Version":{ "a" : 2 }})", R"({"a":2})"},
        {R"({"x402Version":"0123456789012345678901234567890123456789"})",
         "01234567890123456789012345678901"},
        // 31 bytes, then a character of two that is not cut in half.
        {"{\"x402Version\":\"0123456789012345678901234567890\u00e9\"}",
         "0123456789012345678901234567890"},
    };
    for (const Row &row : kRows) {
        EXPECT_EQ(error_of_json(row.text),
                  std::string("Unsupported x402 version: ") + row.shown);
    }
}

TEST(PaymentPayload, HoldsItsLimits)
{
    auto padded = [](std::size_t header_size) {
        std::string text = "{\"x402Version\":2}";
        text.append(header_size / 4 * 3 - text.size(), ' ');
        return base64_encode(text);
    };
    EXPECT_EQ(padded(kMaxPaymentHeaderBytes).size(), kMaxPaymentHeaderBytes);
    EXPECT_EQ(error_of(padded(kMaxPaymentHeaderBytes)), "");
    EXPECT_EQ(error_of(padded(kMaxPaymentHeaderBytes + 4)), kHeaderTooLong);

    std::string deep = "{\"x402Version\":2,\"a\":";
    deep.append(10000, '[');
    deep.append(10000, ']');
    deep.push_back('}');
    EXPECT_EQ(error_of_json(deep), kHeaderNotJson);
}

TEST(PaymentPayload, ReadsHeadersAsTheReferenceDoes)
{
    JsonDocument document = read_vectors("header-decode-vectors.json");
    JsonValue vectors = document.root()["vectors"];
    ASSERT_EQ(vectors.size(), 29u);

    std::size_t stricter = 0;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        std::string_view name = row["name"].string();
        SCOPED_TRACE(std::string(name));
        std::string error = error_of(row["header"].string());

        // Text that is not UTF-8 cannot be passed on unchanged.
        if (name == "JSON with invalid UTF-8 byte in string"
            || name == "lone surrogate escape") {
            EXPECT_TRUE(row["decodes"].is_true());
            EXPECT_EQ(error, kHeaderNotJson);
            ++stricter;
            continue;
        }
        // The reference decodes these, then answers by their version.
        bool versionless =
            name == "\"e30=\" ({})" || name == "array" || name == "string";
        std::string expected;
        if (!row["decodes"].is_true() || name == "null") {
            EXPECT_EQ(error.compare(0, 11, "Unreadable "), 0) << error;
            continue;
        }
        if (versionless) {
            expected = "Unsupported x402 version: undefined";
        }
        EXPECT_EQ(error, expected);
        if (error.empty()) {
            Result<PaymentPayload> payload =
                decode_payment_header(row["header"].string(), 2);
            EXPECT_TRUE(payload->document.root().equals(
                parse_json(row["decoded"].string()).root()));
        }
    }
    EXPECT_EQ(stricter, 2u);
}

// A header that lost its end is unpaid, unless all it lost is padding. (What is
// left of a broken header may be a whole one: a blank behind it, for example.)
void expect_cuts_refused(std::string_view header)
{
    Result<PaymentPayload> whole = decode_payment_header(header, 2);
    for (std::size_t length = 0; length < header.size(); ++length) {
        Result<PaymentPayload> cut =
            decode_payment_header(header.substr(0, length), 2);
        if (cut && whole) {
            EXPECT_EQ(header[length], '=');
            EXPECT_EQ(cut->text, whole->text);
        }
    }
}

TEST(PaymentPayload, NoCutHeaderIsAPayment)
{
    for (const char *name :
         {"header-decode-vectors.json", "evm-payments.json"}) {
        JsonDocument document = read_vectors(name);
        JsonValue rows = document.root()["vectors"];
        for (std::size_t index = 0; index < rows.size(); ++index) {
            expect_cuts_refused(rows.at(index)["header"].string());
        }
    }
}

TEST(PaymentPayload, ReadsSignedPaymentsOfTheOfficialClient)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    std::size_t version_two = 0;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        Result<PaymentPayload> payload =
            decode_payment_header(row["header"].string(), 2);
        if (row["headerName"].string() == "X-PAYMENT") {
            EXPECT_EQ(payload.problem().text, "Unsupported x402 version: 1");
            continue;
        }
        ASSERT_TRUE(payload) << row["name"].string();
        EXPECT_TRUE(payload->document.root().equals(row["decoded"]));
        EXPECT_TRUE(payload->accepted().equals(row["decoded"]["accepted"]));
        ++version_two;
    }
    EXPECT_EQ(version_two, 8u);
}

Digest no_terms(const PaymentRequirements &)
{
    return {};
}

PaymentOffer prepared_offer(JsonValue accepts)
{
    PaymentOffer offer;
    for (std::size_t index = 0; index < accepts.size(); ++index) {
        JsonValue json = accepts.at(index);
        PaymentRequirements option;
        option.scheme = json["scheme"].string();
        option.network = json["network"].string();
        option.amount = json["amount"].string();
        option.asset = json["asset"].string();
        option.pay_to = json["payTo"].string();
        option.max_timeout_seconds =
            static_cast<std::uint32_t>(*json["maxTimeoutSeconds"].integer());
        std::string extra;
        json["extra"].write(extra);
        option.extra = parse_json(extra);
        offer.add(std::move(option), index);
    }
    offer.prepare(no_terms);
    return offer;
}

std::string text_of(JsonValue value)
{
    std::string text;
    value.write(text);
    return text;
}

// Whether the echo was known without being read.
bool same_either_way(std::string_view text, const PaymentOffer &offer)
{
    std::string header = base64_encode(text);
    auto read = decode_payment_header(header, 2);
    auto known = decode_payment_header(header, 2, &offer);
    EXPECT_EQ(read.ok(), known.ok()) << text;
    if (read.ok() != known.ok()) {
        return false;
    }
    if (!read) {
        EXPECT_EQ(read.problem().text, known.problem().text) << text;
        return false;
    }
    EXPECT_EQ(read->echoed, nullptr);
    EXPECT_EQ(known->text, text);
    EXPECT_EQ(known->version, 2u);
    EXPECT_EQ(text_of(known->accepted()), text_of(read->accepted())) << text;
    EXPECT_EQ(text_of(known->payload()), text_of(read->payload())) << text;
    EXPECT_EQ(text_of(known->extensions()), text_of(read->extensions()))
        << text;
    EXPECT_EQ(dialect_v2().match(offer, known.value()),
              dialect_v2().match(offer, read.value()))
        << text;
    EXPECT_EQ(known->document.root().size(), read->document.root().size());
    return known->echoed != nullptr;
}

TEST(PaymentPayload, KnowsTheEchoOfTheOfficialClient)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    std::size_t known = 0;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        PaymentOffer offer = prepared_offer(row["paymentRequired"]["accepts"]);
        auto text = base64_decode(row["header"].string());
        known += same_either_way(*text, offer) ? 1 : 0;
        EXPECT_FALSE(same_either_way(*text, PaymentOffer()));
    }
    EXPECT_EQ(known, 8u);
}

TEST(PaymentPayload, SaysTheSameOfATextWithAFault)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue row = document.root()["vectors"].at(0);
    PaymentOffer offer = prepared_offer(row["paymentRequired"]["accepts"]);
    const std::string whole = *base64_decode(row["header"].string());
    ASSERT_TRUE(same_either_way(whole, offer));
    std::size_t known = 0;
    for (std::size_t place = 0; place < whole.size(); ++place) {
        std::string text = whole;
        same_either_way(text.erase(place, 1), offer);
        for (char byte : {'"', '\\', '}', ',', '0'}) {
            text = whole;
            text[place] = byte;
            known += same_either_way(text, offer) ? 1 : 0;
        }
    }
    EXPECT_GT(known, 1000u);
}

TEST(PaymentPayload, AnEchoIsTheMemberOfTheRootOrNone)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue row = document.root()["vectors"].at(0);
    PaymentOffer offer = prepared_offer(row["paymentRequired"]["accepts"]);
    const std::string option = offer.options()[0].json;
    const std::string parsed = "\"accepted\":" + option;
    const std::string head = "{\"x402Version\":2,";
    for (const std::string &text : {
             head + parsed + "}",
             head + parsed + ",\"a\":\"9007199254740992\"}",
             head + parsed + " , \"b\" : [ ] }",
             head + parsed + ",\"x\":{" + parsed + "}}",
         }) {
        EXPECT_TRUE(same_either_way(text, offer)) << text;
    }
    for (const std::string &text : {
             head + "\"x\":{" + parsed + "}}",
             head + "\"x\":{" + parsed + "}," + parsed + "}",
             head + "\"x\":{" + parsed + "},\"accepted\":0}",
             head + "\"x\":{" + parsed + "},\"\\u0061ccepted\":0}",
             head + "\"x\":{" + parsed + "},\"accepted\":9007199254740993}",
             head + "\"x\":{" + parsed + "},\"accepted\":9007199254740993.0}",
             head + "\"x\":{" + parsed + "},\"accepted\":9.007199254740993e15}",
             head + "\"x\":{" + parsed + "},\"accepted\":90071992547409930e-1}",
             head + "\"a\\\"accepted\":" + option + ",\"accepted\":1}",
             head + "\"a\\\"accepted\":" + option + "}",
             head + "\"a\\\\\"accepted\":" + option + "}",
             head + "\"a\":\"\"accepted\":" + option + "}",
             head + parsed + "," + parsed + "}",
             head + parsed + ",\"accepted\":1}",
             head + parsed + ",\"\\u0061ccepted\":1}",
             head + "\"accepted\":1," + parsed + "}",
             head + parsed + ",\"a\":9007199254740993}",
             head + parsed + ",\"a\":\"\\u0000\"}",
             head + parsed + ",\"a\":\"\xff\"}",
             head + parsed + "0}",
             head + parsed + ".5}",
             head + parsed + "\"\"}",
             head + parsed + "]}",
             head + parsed,
             "[" + parsed + "]",
             "[{\"x402Version\":2," + parsed + "}]",
             parsed,
             head + "\"accepted\": " + option + "}",
         }) {
        EXPECT_FALSE(same_either_way(text, offer)) << text;
    }
}

TEST(PaymentPayload, AnEchoCountsAgainstTheLimits)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue row = document.root()["vectors"].at(0);
    PaymentOffer offer = prepared_offer(row["paymentRequired"]["accepts"]);
    const std::string parsed = "\"accepted\":" + offer.options()[0].json;
    // Nine members in `accepted`, with those of `extra`.
    std::size_t known = 0;
    for (std::size_t more = 1000; more < 1024; ++more) {
        std::string text = "{\"x402Version\":2," + parsed;
        for (std::size_t index = 0; index < more; ++index) {
            text += ",\"" + std::to_string(index) + "\":0";
        }
        known += same_either_way(text + "}", offer) ? 1 : 0;
    }
    EXPECT_EQ(known, 1024u - 2u - 9u - 1000u + 1u);
}

}  // namespace
}  // namespace x402
