// SPDX-License-Identifier: Apache-2.0
#include "policy/evm_payment_signature.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "base/keccak256_digest.hpp"
#include "policy/json_amount.hpp"

namespace x402 {

namespace {

constexpr std::string_view kEip155 = "eip155:";
constexpr std::size_t kSignatureBytes = 65;

// The contract of Permit2, the same on every chain, and those of x402 that may
// spend through it.
constexpr std::string_view kPermit2 =
    "0x000000000022D473030F116dDEE9F6B43aC78BA3";
constexpr std::string_view kExactSpender =
    "0x402085c248EeA27D92E8b30b2C58ed07f9E20001";
constexpr std::string_view kUptoSpender =
    "0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002";

// Words of 32 bytes, one after the other (EIP-712, encodeData).
class Words {
public:
    Words &digest(const EvmDigest &bytes)
    {
        text_.append(reinterpret_cast<const char *>(bytes.data()),
                     bytes.size());
        return *this;
    }
    Words &hash(std::string_view text) { return digest(keccak256(text)); }
    Words &address(std::string_view text)
    {
        if (auto parsed = parse_evm_address(text)) {
            EvmDigest word{};
            std::copy(parsed->begin(), parsed->end(), word.begin() + 12);
            return digest(word);
        }
        return fail();
    }
    Words &number(std::string_view decimal)
    {
        auto bytes = atomic_amount_bytes(decimal);
        return bytes ? digest(*bytes) : fail();
    }
    Words &number(JsonValue value)
    {
        auto amount = json_amount(value);
        return amount ? number(*amount) : fail();
    }
    Words &bytes32(JsonValue value)
    {
        auto bytes = hex_decode<32>(value.string());
        return bytes ? digest(*bytes) : fail();
    }
    // nullopt: one of the values was not what its member says.
    std::optional<EvmDigest> hashed() const
    {
        return failed_ ? std::nullopt
                       : std::optional<EvmDigest>(keccak256(text_));
    }

private:
    Words &fail()
    {
        failed_ = true;
        return *this;
    }

    std::string text_;
    bool failed_ = false;
};

// The domains of the tokens that payers pay with: few, and five of the ten
// permutations of a payment.
class KnownDomains {
public:
    // nullptr: not known. `name`: all of the domain's values.
    const EvmDigest *find(std::string_view name) const
    {
        for (const Domain &domain : known_) {
            if (domain.name == name) {
                return &domain.separator;
            }
        }
        return nullptr;
    }
    void add(std::string_view name, const EvmDigest &separator)
    {
        known_[next_] = {std::string(name), separator};
        next_ = (next_ + 1) % known_.size();
    }

private:
    struct Domain {
        std::string name;
        EvmDigest separator;
    };
    std::array<Domain, 8> known_;
    std::size_t next_ = 0;
};

// The separator of the domain that `words` makes.
template <class MakeWords>
std::optional<EvmDigest>
separator_of(std::initializer_list<std::string_view> values, MakeWords words)
{
    static thread_local KnownDomains domains;
    std::string name;
    for (std::string_view value : values) {
        name.append(std::to_string(value.size())).push_back(':');
        name.append(value);
    }
    if (const EvmDigest *known = domains.find(name)) {
        return *known;
    }
    std::optional<EvmDigest> separator = words().hashed();
    if (separator) {
        domains.add(name, *separator);
    }
    return separator;
}

// EIP-712: the digest of a message of a domain.
std::optional<EvmDigest>
signed_digest(const std::optional<EvmDigest> &separator, const Words &message)
{
    auto structure = message.hashed();
    if (!separator || !structure) {
        return std::nullopt;
    }
    std::string text("\x19\x01");
    for (const EvmDigest &part : {*separator, *structure}) {
        text.append(reinterpret_cast<const char *>(part.data()), part.size());
    }
    return keccak256(text);
}

std::optional<EvmDigest> eip3009_digest(JsonValue terms,
                                        const PaymentRequirements &requirements,
                                        std::string_view chain)
{
    JsonValue extra = requirements.extra.root();
    if (!extra["name"].is_string() || !extra["version"].is_string()) {
        return std::nullopt;
    }
    std::string_view name = extra["name"].string();
    std::string_view version = extra["version"].string();
    auto domain =
        separator_of({"token", name, version, chain, requirements.asset}, [&] {
            return Words()
                .hash("EIP712Domain(string name,string version,uint256 chainId,"
                      "address verifyingContract)")
                .hash(name)
                .hash(version)
                .number(chain)
                .address(requirements.asset);
        });
    static const EvmDigest kType = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)");
    Words message;
    message.digest(kType)
        .address(terms["from"].string())
        .address(terms["to"].string())
        .number(terms["value"])
        .number(terms["validAfter"])
        .number(terms["validBefore"])
        .bytes32(terms["nonce"]);
    return signed_digest(domain, message);
}

std::optional<EvmDigest> witness_digest(JsonValue witness, bool upto)
{
    Words words;
    words.hash(upto ? "Witness(address to,address facilitator,uint256 "
                      "validAfter)"
                    : "Witness(address to,uint256 validAfter)");
    words.address(witness["to"].string());
    if (upto) {
        words.address(witness["facilitator"].string());
    }
    words.number(witness["validAfter"]);
    return words.hashed();
}

// The types that a message refers to follow its own, by name (encodeType).
std::string permit2_type(bool upto)
{
    return std::string(
               "PermitWitnessTransferFrom(TokenPermissions permitted,"
               "address spender,uint256 nonce,uint256 deadline,Witness witness)"
               "TokenPermissions(address token,uint256 amount)")
           + (upto ? "Witness(address to,address facilitator,uint256 "
                     "validAfter)"
                   : "Witness(address to,uint256 validAfter)");
}

std::optional<EvmDigest> permit2_digest(JsonValue terms, bool upto,
                                        std::string_view chain)
{
    auto spender = parse_evm_address(terms["spender"].string());
    if (spender != parse_evm_address(upto ? kUptoSpender : kExactSpender)) {
        return std::nullopt;
    }
    Words permitted;
    permitted.hash("TokenPermissions(address token,uint256 amount)")
        .address(terms["permitted"]["token"].string())
        .number(terms["permitted"]["amount"]);
    auto permissions = permitted.hashed();
    auto witness = witness_digest(terms["witness"], upto);
    if (!permissions || !witness) {
        return std::nullopt;
    }
    auto domain = separator_of({"permit2", chain}, [&] {
        return Words()
            .hash("EIP712Domain(string name,uint256 chainId,"
                  "address verifyingContract)")
            .hash("Permit2")
            .number(chain)
            .address(kPermit2);
    });
    Words message;
    message.hash(permit2_type(upto))
        .digest(*permissions)
        .address(terms["spender"].string())
        .number(terms["nonce"])
        .number(terms["deadline"])
        .digest(*witness);
    return signed_digest(domain, message);
}

std::string_view payer_of(JsonValue payload, PaymentForm form)
{
    return payload[form == PaymentForm::eip3009 ? "authorization"
                                                : "permit2Authorization"]
                  ["from"]
                      .string();
}

}  // namespace

std::optional<EvmDigest> payment_digest(JsonValue payload,
                                        const SchemePayload &scheme,
                                        const PaymentRequirements &requirements)
{
    std::string_view network = requirements.network;
    if (network.substr(0, kEip155.size()) != kEip155) {
        return std::nullopt;
    }
    std::string_view chain = network.substr(kEip155.size());
    switch (scheme.form) {
    case PaymentForm::eip3009:
        return eip3009_digest(payload["authorization"], requirements, chain);
    case PaymentForm::permit2:
        return permit2_digest(payload["permit2Authorization"], scheme.upto,
                              chain);
    default:
        return std::nullopt;
    }
}

bool is_signed_by_payer(JsonValue payload, const SchemePayload &scheme,
                        const PaymentRequirements &requirements)
{
    auto digest = payment_digest(payload, scheme, requirements);
    auto signature = hex_decode<kSignatureBytes>(payload["signature"].string());
    auto payer = parse_evm_address(payer_of(payload, scheme.form));
    // A token's contract knows 27 and 28 only.
    if (!digest || !signature || !payer || signature->back() < 27) {
        return false;
    }
    auto signer = recover_evm_signer(
        *digest,
        {reinterpret_cast<const char *>(signature->data()), signature->size()});
    return signer && signer.value() == *payer;
}

}  // namespace x402
