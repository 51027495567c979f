// SPDX-License-Identifier: Apache-2.0
// Payments as a client makes them for one way of an offer (the first, or
// way=N): EIP-3009 authorizations of one test key, EIP-712 digests, secp256k1
// signatures that verify. One PAYMENT-SIGNATURE value a line, all of one
// length, each with a nonce of its own.
//
//     sign_payments count=1000 [way=N filler=BYTES seed=N] < offer.json > file
//     sign_payments address=1
//
// The secret number of a signature serves for 1024 of them, which gives the
// test key away and makes signing two multiplications: the key holds no money.
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <iostream>
#include <iterator>

#include "base/base64_codec.hpp"
#include "base/json_document.hpp"
#include "base/keccak256_digest.hpp"
#include "command_line.hpp"

namespace x402_bench {
namespace {

using Word = std::array<std::uint8_t, 32>;

[[noreturn]] void give_up(const char *what)
{
    std::fprintf(stderr, "sign_payments: %s\n", what);
    std::exit(1);
}

std::string_view bytes_of(const Word &word)
{
    return {reinterpret_cast<const char *>(word.data()), word.size()};
}

Word hash(const std::string &bytes)
{
    return x402::keccak256(bytes);
}

std::string hex(std::string_view bytes)
{
    static const char kDigits[] = "0123456789abcdef";
    std::string text = "0x";
    for (char c : bytes) {
        auto byte = static_cast<std::uint8_t>(c);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

// 0x and 40 digits, left-padded to a word.
std::string address_word(std::string_view text)
{
    if (text.size() != 42) {
        give_up("no address");
    }
    std::string word(12, '\0');
    for (std::size_t i = 2; i < text.size(); i += 2) {
        word += static_cast<char>(
            std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
    }
    return word;
}

std::string number_word(std::uint64_t number)
{
    std::string word(32, '\0');
    for (std::size_t i = 0; i < 8; ++i) {
        word[31 - i] = static_cast<char>(number >> (8 * i) & 0xff);
    }
    return word;
}

// One key and its signatures.
class TestKey {
public:
    TestKey()
    {
        Word secret = hash("a key for benchmarks of x402, worth nothing");
        BN_bin2bn(secret.data(), 32, secret_);
        EC_GROUP_get_order(group_, order_, context_);
        BN_rshift1(half_, order_);
        EC_POINT_mul(group_, point_, secret_, nullptr, nullptr, context_);
        BIGNUM *x = BN_new();
        BIGNUM *y = BN_new();
        EC_POINT_get_affine_coordinates(group_, point_, x, y, context_);
        Word words[2];
        BN_bn2binpad(x, words[0].data(), 32);
        BN_bn2binpad(y, words[1].data(), 32);
        Word digest = hash(std::string(bytes_of(words[0]))
                           + std::string(bytes_of(words[1])));
        address_ = hex(bytes_of(digest).substr(12));
        BN_free(x);
        BN_free(y);
    }
    TestKey(const TestKey &) = delete;
    TestKey &operator=(const TestKey &) = delete;

    const std::string &address() const { return address_; }

    // r, s and v: 65 bytes.
    std::string sign(const Word &digest)
    {
        if (used_++ % 1024 == 0) {
            new_secret_number();
        }
        BN_bin2bn(digest.data(), 32, s_);
        BN_mod_add(s_, s_, r_times_secret_, order_, context_);
        BN_mod_mul(s_, s_, inverse_, order_, context_);
        bool odd = odd_;
        if (BN_cmp(s_, half_) > 0) {  // the form that chains accept
            BN_sub(s_, order_, s_);
            odd = !odd;
        }
        std::array<std::uint8_t, 65> signature{};
        BN_bn2binpad(r_, signature.data(), 32);
        BN_bn2binpad(s_, signature.data() + 32, 32);
        signature[64] = odd ? 28 : 27;
        return {reinterpret_cast<char *>(signature.data()), signature.size()};
    }

private:
    void new_secret_number()
    {
        BIGNUM *k = BN_new();
        BIGNUM *y = BN_new();
        do {
            BN_priv_rand_range(k, order_);
        } while (BN_is_zero(k));
        EC_POINT_mul(group_, point_, k, nullptr, nullptr, context_);
        EC_POINT_get_affine_coordinates(group_, point_, r_, y, context_);
        odd_ = BN_is_odd(y) != 0;
        BN_nnmod(r_, r_, order_, context_);
        BN_mod_inverse(inverse_, k, order_, context_);
        BN_mod_mul(r_times_secret_, r_, secret_, order_, context_);
        BN_free(k);
        BN_free(y);
    }

    // Lifetime: the process's.
    EC_GROUP *group_ = EC_GROUP_new_by_curve_name(NID_secp256k1);
    EC_POINT *point_ = EC_POINT_new(group_);
    BN_CTX *context_ = BN_CTX_new();
    BIGNUM *order_ = BN_new();
    BIGNUM *half_ = BN_new();
    BIGNUM *secret_ = BN_new();
    BIGNUM *inverse_ = BN_new();
    BIGNUM *r_ = BN_new();
    BIGNUM *s_ = BN_new();
    BIGNUM *r_times_secret_ = BN_new();
    std::string address_;
    std::uint64_t used_ = 0;
    bool odd_ = false;
};

// What is the same in all payments for one offer.
struct Terms {
    std::string domain;   // digest
    std::string fixed;    // the struct's words up to the nonce
    std::string before;   // JSON up to the signature
    std::string between;  // from the signature to the nonce
    std::string after;
};

std::string text_of(x402::JsonValue value)
{
    return std::string(value.string());
}

Terms terms_of(x402::JsonValue offer, const std::string &from,
               std::size_t way_number, std::size_t filler)
{
    x402::JsonValue option = offer["accepts"].at(way_number);
    std::string network = text_of(option["network"]);
    std::uint64_t chain = std::stoull(network.substr(network.find(':') + 1));
    auto until = static_cast<std::uint64_t>(
        std::time(nullptr)
        + option["maxTimeoutSeconds"].integer().value_or(300));
    std::string amount = text_of(option["amount"]);

    auto digest = [](const std::string &text) {
        return std::string(bytes_of(hash(text)));
    };
    Terms terms;
    terms.domain =
        digest(digest("EIP712Domain(string name,string version,uint256 chainId,"
                      "address verifyingContract)")
               + digest(text_of(option["extra"]["name"]))
               + digest(text_of(option["extra"]["version"]))
               + number_word(chain) + address_word(option["asset"].string()));
    terms.fixed =
        digest("TransferWithAuthorization(address from,address to,uint256 "
               "value,uint256 validAfter,uint256 validBefore,bytes32 nonce)")
        + address_word(from) + address_word(option["payTo"].string())
        + number_word(std::stoull(amount)) + number_word(0)
        + number_word(until);

    std::string accepted;
    std::string resource;
    option.write(accepted);
    offer["resource"].write(resource);
    terms.before = R"({"x402Version":2,"payload":{"signature":")";
    terms.between = R"(","authorization":{"from":")" + from + R"(","to":")"
                    + text_of(option["payTo"]) + R"(","value":")" + amount
                    + R"(","validAfter":"0","validBefore":")"
                    + std::to_string(until) + R"(","nonce":")";
    terms.after = R"("}},)";
    if (filler > 0) {
        terms.after +=
            R"("extensions":{"filler":")" + std::string(filler, 'x') + R"("},)";
    }
    terms.after +=
        R"("resource":)" + resource + R"(,"accepted":)" + accepted + "}";
    return terms;
}

std::string payment(const Terms &terms, TestKey &key, std::uint64_t number)
{
    std::string nonce(bytes_of(hash("nonce " + std::to_string(number))));
    Word inner = hash(terms.fixed + nonce);
    Word digest =
        hash("\x19\x01" + terms.domain + std::string(bytes_of(inner)));
    return x402::base64_encode(terms.before + hex(key.sign(digest))
                               + terms.between + hex(nonce) + terms.after);
}

int write_payments(const CommandLine &line)
{
    TestKey key;
    if (!line.text("address").empty()) {
        std::cout << key.address() << "\n";
        return 0;
    }
    std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    auto offer = x402::JsonDocument::parse(text);
    if (!offer.ok()) {
        give_up("no offer");
    }
    Terms terms = terms_of(offer.value().root(), key.address(),
                           static_cast<std::size_t>(line.number("way", 0)),
                           static_cast<std::size_t>(line.number("filler", 0)));
    auto count = static_cast<std::uint64_t>(line.number("count", 1));
    auto seed = static_cast<std::uint64_t>(line.number("seed", 1));
    std::ios::sync_with_stdio(false);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::cout << payment(terms, key, (seed << 32) + i) << '\n';
    }
    return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace x402_bench

int main(int count, char **words)
{
    using namespace x402_bench;
    return write_payments(CommandLine(
        count, words, {"count", "way", "filler", "seed", "address"}));
}
