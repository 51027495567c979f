// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of all targets: make_seeds <vectors> <output>. One directory
// for each target, one file for each input.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "base/base64_codec.hpp"
#include "base/json_document.hpp"
#include "fuzz_check.hpp"
#include "session/claim_journal.hpp"

using namespace x402;

namespace {

class Seeds {
public:
    explicit Seeds(std::filesystem::path output) : output_(std::move(output)) {}

    void add(const std::string &target, std::string_view input)
    {
        std::filesystem::path directory = output_ / target;
        std::filesystem::create_directories(directory);
        std::ofstream file(directory / std::to_string(++counts_[target]),
                           std::ios::binary);
        file.write(input.data(), static_cast<std::streamsize>(input.size()));
        must(file.good(), "seeds can be written");
    }

    // With the byte in front that chooses a status.
    void add(const std::string &target, char choice, std::string_view input)
    {
        add(target, std::string(1, choice) + std::string(input));
    }

    bool complete() const
    {
        for (const auto &[target, count] : counts_) {
            std::printf("%s: %u seeds\n", target.c_str(), count);
        }
        return counts_.size() == 18;  // one for each *_fuzz.cpp
    }

private:
    std::filesystem::path output_;
    std::map<std::string, unsigned> counts_;
};

JsonDocument read_vectors(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    auto document =
        JsonDocument::parse(text, {1024 * 1024, 100, 100000, 100000});
    must(document.ok(), "vectors can be read");
    return std::move(document.value());
}

void add_header(Seeds &seeds, std::string_view header)
{
    seeds.add("base64_fuzz", header);
    seeds.add("payment_header_fuzz", header);
    if (auto text = base64_decode(header)) {
        seeds.add("payment_header_fuzz", *text);
        seeds.add("json_fuzz", *text);
        seeds.add("json_readers_fuzz", *text);
    }
}

void add_headers(Seeds &seeds, const std::string &vectors)
{
    for (const char *name : {"/evm-payments.json", "/payment-required.json",
                             "/header-decode-vectors.json"}) {
        JsonDocument document = read_vectors(vectors + name);
        for (const char *list : {"vectors", "negative"}) {
            JsonValue rows = document.root()[list];
            for (std::size_t index = 0; index < rows.size(); ++index) {
                add_header(seeds, rows.at(index)["header"].string());
            }
        }
    }
}

// Our own words, where they are an echo and where they are none.
void add_echoes(Seeds &seeds, const std::string &vectors)
{
    JsonDocument document = read_vectors(vectors + "/evm-payments.json");
    JsonValue payment = document.root()["vectors"].at(0)["decoded"];
    std::string option;
    payment["accepted"].write(option);
    const std::string open = R"({"x402Version":2,)";
    const std::string echo = R"("accepted":)" + option;
    for (const std::string &text :
         {open + echo + "}", open + R"("a":{)" + echo + "}}",
          open + R"("a":{)" + echo + R"(},"\u0061ccepted":1})",
          open + R"("a":{)" + echo + R"(},"accepted":9007199254740993})",
          open + R"("a\"accepted":)" + option + R"(,"accepted":1})",
          open + echo + "," + echo + "}"}) {
        add_header(seeds, base64_encode(text));
    }
}

void add_prices(Seeds &seeds, const std::string &vectors)
{
    JsonDocument document = read_vectors(vectors + "/price-vectors.json");
    JsonValue rows = document.root()["vectors"];
    for (std::size_t index = 0; index < rows.size(); ++index) {
        seeds.add("price_text_fuzz", rows.at(index)["price"].string());
    }
    for (const char *text : {"0.01 USDC", "$0.01 usd", "5 USDC.e", "1e6"}) {
        seeds.add("price_text_fuzz", text);
    }
}

void add_answers(Seeds &seeds)
{
    const std::string asked = R"("network":"eip155:84532",)"
                              R"("payer":"0x2c106B8378311AF25df8E16BAf7Ca35A)"
                              R"(fA89E5B9","amount":"10000")";
    const std::string settles[] = {
        R"({"success":true,"transaction":"0xfe",)" + asked + "}",
        R"({"success":true,"transaction":"","network":"base-sepolia"})",
        R"({"success":true,"transaction":"0xfe","network":"eip155:8453"})",
        R"({"success":true,"transaction":null,)" + asked + "}",
        R"({"success":false,"errorReason":"insufficient_funds",)"
        R"("transaction":"",)"
            + asked + "}",
        R"({"success":false,"errorReason":"transaction_failed",)"
        R"("transaction":"0xfe",)"
            + asked + "}",
        R"({"success":false,"errorReason":"settlement_pending",)"
        R"("transaction":"0xfe"})",
        R"({"success":false,"transaction":"","errorReason":)"
        R"("invalid_exact_evm_nonce_already_used"})",
        "Bad Gateway",
    };
    for (const std::string &body : settles) {
        for (char choice : {0, 5, 9, 11, 12, 4}) {
            seeds.add("settle_answer_fuzz", choice, body);
        }
    }
    for (const char *body :
         {R"({"isValid":true,"payer":"0xab"})",
          R"({"isValid":false,)"
          R"("invalidReason":"expired","invalidMessage":"late"})",
          "{}"}) {
        for (char choice : {0, 5, 9, 11, 12, 4}) {
            seeds.add("verify_answer_fuzz", choice, body);
        }
    }
    for (const char *body :
         {R"({"kinds":[{"x402Version":2,"scheme":"exact","network":)"
          R"("eip155:8453","extra":{"feePayer":"a"}}],"extensions":["b"],)"
          R"("signers":{"eip155:*":["0xab"]}})",
          R"({"paymentKinds":[{"scheme":"exact","network":"base"}]})",
          R"({"kinds":[],"extensions":null})"}) {
        seeds.add("supported_answer_fuzz", ' ',
                  std::string("max-age=5\n") + body);
    }
}

void add_urls(Seeds &seeds)
{
    for (const char *text :
         {"https://x402.org/facilitator", "http://127.0.0.1:4022/a\n/b",
          "https://x402.org\nhttps://www.x402.org/v", "https://[::1]:8443\n//h",
          "http://h\nhttps://h:443/", "https://u:p@h/", "https://h?x=1",
          "https://h\nhttp://h/v", "https://h\nhttps://y.org/v"}) {
        for (char choice : {0, 1, 2, 8, 9}) {
            seeds.add("facilitator_url_fuzz", choice, text);
        }
    }
}

// The target's names by number are in extension_echo_fuzz.cpp.
char number_of(std::string_view name)
{
    return name == "builder-code" ? 3 : name == "payment-identifier" ? 5 : 0;
}

void add_extensions(Seeds &seeds, const std::string &vectors)
{
    const char *target = "extension_echo_fuzz";
    JsonDocument echoes = read_vectors(vectors + "/extension-vectors.json");
    JsonValue rows = echoes.root()["echo"];
    for (std::size_t index = 0; index < rows.size(); ++index) {
        for (const auto &[name, parsed] : rows.at(index)["client"].members()) {
            std::string text;
            rows.at(index)["server"][name].write(text);
            text += "\n";
            parsed.write(text);
            seeds.add(target, number_of(name), text);
        }
    }
    JsonDocument bazaar = read_vectors(vectors + "/bazaar-vectors.json");
    rows = bazaar.root()["vectors"];
    for (std::size_t index = 0; index < rows.size(); ++index) {
        std::string text;
        rows.at(index)["declaration"].write(text);
        text += "\n" + std::string(rows.at(index)["enriched"].string());
        seeds.add(target, 4, text);
    }
    for (char name : {1, 2}) {
        seeds.add(target, name,
                  R"({"info":{"nonce":"1","offers":[1],"k":1}})"
                  "\n"
                  R"({"info":{"nonce":"2","offers":[],"k":1}})");
    }
}

void add_payloads(Seeds &seeds, const std::string &vectors)
{
    JsonDocument document = read_vectors(vectors + "/evm-payments.json");
    JsonValue rows = document.root()["vectors"];
    for (std::size_t index = 0; index < rows.size(); ++index) {
        std::string payload;
        rows.at(index)["decoded"]["payload"].write(payload);
        for (char choice : {0, 1}) {
            seeds.add("scheme_payload_fuzz", choice, payload);
        }
    }
    // One signature, a legacy message with one account and no instruction.
    seeds.add("scheme_payload_fuzz", 2,
              "\x01" + std::string(64, 's') + "\x01" + std::string(2, '\0')
                  + "\x01" + std::string(64, 'k') + std::string(1, '\0'));
    seeds.add("scheme_payload_fuzz", 3,
              "\x81\xa3txn\x83\xa3"
              "amt\x05\xa3snd\xc4\x20"
                  + std::string(32, 's') + "\xa4type\xa3pay");
    seeds.add("scheme_payload_fuzz", 4,
              R"({"type":"signAndSendTransaction","transactionCertificate":)"
              R"({"envelope":{"transaction":{"sender":")"
                  + std::string(64, 'a')
                  + R"(","nonce":7},"signature":[1]},"signatures":[[1]]}})");
    seeds.add("scheme_payload_fuzz", 5, R"({"transaction":"AA==","a":[1.0]})");
}

void add_terms(Seeds &seeds)
{
    const char *const kTerms[] = {
        "base\n0x209693Bc6afc0C5328bA36FaF03C514EF312287C\n$0.01\n\n\n\n",
        "base\n0x209693Bc6afc0C5328bA36FaF03C514EF312287C\n1\n\n6\nupto\n"
        R"({"a":{"b":1}})",
        "megaeth\n0x209693Bc6afc0C5328bA36FaF03C514EF312287C\n$price\n\n\n\n",
        "solana\n2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4\n"
        "0.01 PYUSD\n\n\nexact\n"
        R"({"feePayer":"x"})",
        "algorand\nRESOURCESERVERADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALTSRPAE"
        "\n1\n31566704\n",
        "fast-testnet\n"
        "fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh\n1\n",
        "stellar:testnet\n"
        "GAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7JZX\n1\nUSDC\n",
        "hedera:mainnet\n0.0.5\n2\n0.0.0\n8\n",
        "sui:mainnet\n"
        "0x0000000000000000000000000000000000000000000000000000000000000005\n"
        "1\n0x2::sui::SUI\n9\n",
        "cosmos:hub\nanybody\n1\nuatom\n6\n",
        "eip155:08453\n$who\n1\n",
    };
    for (const char *terms : kTerms) {
        seeds.add("accept_terms_fuzz", 0, terms);
        seeds.add("accept_terms_fuzz", 1, terms);
    }
}

void add_overrides(Seeds &seeds, const std::string &vectors)
{
    JsonDocument document =
        read_vectors(vectors + "/settlement-override-vectors.json");
    JsonValue rows = document.root()["vectors"];
    for (std::size_t index = 0; index < rows.size(); ++index) {
        std::string_view amount = rows.at(index)["overrideAmount"].string();
        seeds.add("settlement_override_fuzz", 6, amount);
    }
    seeds.add("settlement_override_fuzz", '\x92', R"({"amount":"50%"})");
}

void add_replies(Seeds &seeds)
{
    for (const char *text :
         {R"({"usage":{"total_tokens":1000},"a_b":1,"a":{"b":[1,{"c":"x"}]}})",
          "data: {\"usage\":null}\n\ndata: {\"usage\":{\"total_tokens\":7}}"
          "\r\n\r\ndata: [DONE]\n\n",
          ": x\n\nevent: a\ndata:{\"a\":\ndata: {\"b\":\"\\u00e9\\ud83d\\ude00"
          "\"}}\n\n",
          "{\"a\":{\"b\":1e-5}}\n{\"a_b\":2}\r\nno\n",
          "{\"usage\":{\"total_tokens\":1,\"total_tokens\":2}}",
          "{\"usage\":{\"total_tokens\":123456789012345678901234567890}}"}) {
        for (char choice : {0, 1, 2, 64, 65, 66}) {
            seeds.add("reply_fields_fuzz", choice, text);
        }
    }
}

void add_credentials(Seeds &seeds, const std::string &vectors)
{
    JsonDocument document = read_vectors(vectors + "/mpp-vectors.json");
    seeds.add("mpp_credential_fuzz", document.root()["credential"].string());
    seeds.add("mpp_credential_fuzz", "2026-11-28T08:44:52.000Z");
    seeds.add("mpp_credential_fuzz", R"({"challenge":{},"payload":{}})");
}

void add_responses(Seeds &seeds)
{
    for (const char *text :
         {"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"isValid\":true}",
          "HTTP/1.1 103 A\r\nLink: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-"
          "Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nC: d\r\n\r\n",
          "HTTP/1.0 307 A\r\nLocation: https://b/c\r\n\r\nmoved",
          "HTTP/1.0 200\r\nConnection: a, Keep-Alive\r\nContent-Length: 0"
          "\r\n\r\n",
          "HTTP/1.1 204 A\r\nConnection: close\r\n\r\n",
          "HTTP/1.1 200 A\r\nContent-Encoding: identity\r\n\r\n{}"}) {
        for (char choice : {0, 1, 40}) {
            seeds.add("response_reader_fuzz", choice, text);
        }
    }
}

void add_store_replies(Seeds &seeds)
{
    for (const char *text :
         {"+OK\r\n", "-NOSCRIPT No matching script.\r\n", ":-1\r\n", "$-1\r\n",
          "*-1\r\n", "$3\r\na\r\n\r\n",
          "*3\r\n$6\r\nmaster\r\n:3129659\r\n*1\r\n*2\r\n$9\r\n"
          "127.0.0.1\r\n$4\r\n9001\r\n",
          "*3\r\n:1\r\n$0\r\n\r\n*0\r\n+PONG\r\n:7\r\n"}) {
        seeds.add("resp_reader_fuzz", '\x02', text);
    }
}

void add_journals(Seeds &seeds)
{
    std::string all;
    for (std::uint32_t kind = 1; kind <= 7; kind++) {
        for (std::uint32_t state : {3u, 4u, 7u, 2u}) {
            JournalRecord record;
            record.kind = static_cast<JournalKind>(kind);
            record.key.fill(static_cast<std::uint8_t>(state));
            record.state = state;
            record.expires = 1800000600;
            record.receipt = R"({"success":true})";
            record.settle = std::string(state == 3 ? 1500 : 0, 's');
            // Of the smallest table, which the target has.
            record.used.words = 38;
            record.used.bits = std::string(8 * state, 'u');
            std::string bytes = journal_bytes(record);
            seeds.add("claim_journal_fuzz", bytes);
            all += bytes;
        }
    }
    seeds.add("claim_journal_fuzz", all);
    seeds.add("claim_journal_fuzz", all.substr(all.size() / 3));
}

}  // namespace

int main(int argc, char **argv)
{
    must(argc == 3, "usage: make_seeds <vectors> <output>");
    Seeds seeds(argv[2]);
    add_headers(seeds, argv[1]);
    add_echoes(seeds, argv[1]);
    add_prices(seeds, argv[1]);
    add_answers(seeds);
    add_urls(seeds);
    add_extensions(seeds, argv[1]);
    add_payloads(seeds, argv[1]);
    add_terms(seeds);
    add_overrides(seeds, argv[1]);
    add_replies(seeds);
    add_credentials(seeds, argv[1]);
    add_responses(seeds);
    add_store_replies(seeds);
    add_journals(seeds);
    return seeds.complete() ? 0 : 1;
}
