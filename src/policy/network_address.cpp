// SPDX-License-Identifier: Apache-2.0
#include "policy/network_address.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/address_codec.hpp"
#include "base/sha256_digest.hpp"
#include "policy/evm_address.hpp"
#include "policy/ledger_address.hpp"
#include "policy/network_table.hpp"
#include "policy/ton_address.hpp"

namespace x402 {

namespace {

constexpr std::size_t kKeyBytes = 32;

bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool is_hex_digit(char character)
{
    char lower = static_cast<char>(character | 0x20);
    return is_digit(character) || (lower >= 'a' && lower <= 'f');
}

// 0x and at least one, at most `most` hex digits.
bool is_hex_number(std::string_view text, std::size_t most)
{
    return text.size() > 2 && text.size() <= 2 + most
           && text.substr(0, 2) == "0x"
           && std::all_of(text.begin() + 2, text.end(), is_hex_digit);
}

std::string evm_fault(std::string_view text)
{
    if (!parse_evm_address(text)) {
        return "is not an EVM address: write 0x and 40 hexadecimal digits";
    }
    if (!evm_checksum_ok(text)) {
        return "does not match its checksum (EIP-55), so a character is "
               "wrong: copy the address again";
    }
    return "";
}

std::string solana_fault(std::string_view text)
{
    auto key = base58_decode(text);
    return key && key->size() == kKeyBytes
               ? ""
               : "is not a Solana address: write 32 bytes in base58, usually "
                 "43 or 44 characters";
}

std::string algorand_fault(std::string_view text)
{
    constexpr std::size_t kCharacters = 58;
    constexpr std::size_t kChecksum = 4;

    auto bytes = base32_decode(text);
    if (text.size() != kCharacters || !bytes) {
        return "is not an Algorand address: write its 58 characters A-Z and "
               "2-7";
    }
    Digest digest = sha512_256(std::string_view(*bytes).substr(0, kKeyBytes));
    if (!std::equal(digest.end() - kChecksum, digest.end(),
                    bytes->begin() + kKeyBytes,
                    [](std::uint8_t one, char other) {
                        return one == static_cast<std::uint8_t>(other);
                    })) {
        return std::string(kMistyped);
    }
    return "";
}

std::string algorand_asset_fault(std::string_view text)
{
    constexpr std::size_t kLongest = 20;

    return !text.empty() && text.size() <= kLongest && text.front() != '0'
                   && std::all_of(text.begin(), text.end(), is_digit)
               ? ""
               : "is not an Algorand asset: write the number of the ASA, like "
                 "31566704";
}

// SEP-23: a version byte, 32 bytes, CRC-16 with the low byte first.
bool is_strkey(std::string_view text, char kind)
{
    constexpr std::size_t kCharacters = 56;

    auto bytes = base32_decode(text);
    if (text.size() != kCharacters || text.front() != kind || !bytes) {
        return false;
    }
    std::uint16_t sum =
        crc16_xmodem(std::string_view(*bytes).substr(0, 1 + kKeyBytes));
    return static_cast<std::uint8_t>((*bytes)[1 + kKeyBytes]) == (sum & 0xff)
           && static_cast<std::uint8_t>((*bytes)[2 + kKeyBytes]) == sum >> 8
           // The letter encodes the five high bits; the others are zero.
           && (static_cast<std::uint8_t>(bytes->front()) & 7) == 0;
}

std::string stellar_fault(std::string_view text)
{
    return is_strkey(text, 'G') || is_strkey(text, 'C')
               ? ""
               : "is not a Stellar address: write the 56 characters of an "
                 "account "
                 "(G...) or contract (C...), with a valid checksum";
}

std::string stellar_asset_fault(std::string_view text)
{
    return is_strkey(text, 'C') ? ""
                                : "is not a Stellar asset: write the 56 "
                                  "characters of its contract "
                                  "(C...), with a valid checksum";
}

std::string aptos_fault(std::string_view text)
{
    return is_hex_number(text, 64)
               ? ""
               : "is not an Aptos address: write 0x and up to 64 hexadecimal "
                 "digits";
}

// Three numbers: shard, realm and account.
std::string hedera_fault(std::string_view text)
{
    constexpr std::string_view kAdvice =
        "is not a Hedera id: write three numbers, like 0.0.1234";
    std::size_t dots = 0;
    char before = '.';
    for (char character : text) {
        bool dot = character == '.';
        if ((!dot && !is_digit(character)) || (dot && before == '.')) {
            return std::string(kAdvice);
        }
        dots += dot ? 1 : 0;
        before = character;
    }
    return std::string(dots == 2 && before != '.' ? "" : kAdvice);
}

std::string sui_fault(std::string_view text)
{
    return text.size() == 66 && is_hex_number(text, 64)
               ? ""
               : "is not a Sui address: write 0x and 64 hexadecimal digits";
}

// An address, optionally followed by module and type.
std::string move_asset_fault(std::string_view text)
{
    bool blank = std::any_of(text.begin(), text.end(), [](char character) {
        return character <= ' ' || character > '~';
    });
    return !blank && is_hex_number(text.substr(0, text.find("::")), 64)
               ? ""
               : "is not an asset of that network: write 0x and up to 64 "
                 "hexadecimal digits, with ::module::TYPE after them where "
                 "it has those";
}

std::string fast_fault(std::string_view text)
{
    return bech32m_ok(text, "fast") ? ""
                                    : "is not a Fast address: write fast1 and "
                                      "what follows, with a valid checksum";
}

std::string fast_asset_fault(std::string_view text)
{
    return text.size() == 66 && is_hex_number(text, 64)
               ? ""
               : "is not a Fast token: write 0x and 64 hexadecimal digits";
}

std::string printable_fault(std::string_view text)
{
    bool printable = std::all_of(text.begin(), text.end(), [](char character) {
        return character > ' ' && character <= '~';
    });
    return printable && !text.empty()
               ? ""
               : "has a character no address has: write printable ASCII "
                 "without blanks";
}

using Fault = std::string (*)(std::string_view text);

constexpr std::string_view kTon = "tvm";

struct Family {
    std::string_view name;
    Fault address;
    Fault asset;
    std::string_view nobody;
    // Of a valid address; nullptr: no address says it.
    AddressMoney (*money)(std::string_view text) = nullptr;
};

constexpr Family kFamilies[] = {
    {"eip155", evm_fault, evm_fault,
     "0x0000000000000000000000000000000000000000"},
    {"solana", solana_fault, solana_fault, "11111111111111111111111111111111"},
    {"algorand", algorand_fault, algorand_asset_fault,
     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAY5HFKQ"},
    {"stellar", stellar_fault, stellar_asset_fault, ""},
    {"aptos", aptos_fault, move_asset_fault, "0x0"},
    {"hedera", hedera_fault, hedera_fault, "0.0.0"},
    {"sui", sui_fault, move_asset_fault,
     "0x0000000000000000000000000000000000000000000000000000000000000000"},
    {"fast", fast_fault, fast_asset_fault, ""},
    {"xrpl", xrpl_fault, printable_fault, "rrrrrrrrrrrrrrrrrrrrrhoLvTp"},
    {"near", near_fault, near_fault, ""},
    {"ccd", concordium_fault, printable_fault, ""},
    {kTon, ton_fault, ton_fault,
     "0:0000000000000000000000000000000000000000000000000000000000000000",
     ton_money},
    {"tron", tron_fault, tron_fault, "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"},
    {"cardano", cardano_fault, cardano_asset_fault, "", cardano_money},
    {"starknet", starknet_fault, starknet_fault, ""},
    {"casper", casper_fault, casper_asset_fault,
     "000000000000000000000000000000000000000000000000000000000000000000"},
    {"keeta", keeta_fault, keeta_asset_fault, ""},
};

constexpr Family kUnknownFamily = {"", printable_fault, printable_fault, ""};

const Family &family_of(std::string_view caip2)
{
    std::string_view name = network_family(caip2);
    for (const Family &family : kFamilies) {
        if (family.name == name) {
            return family;
        }
    }
    return kUnknownFamily;
}

// The phrase for a valid address of a network with the other kind of money.
std::string wrong_network(std::string_view caip2, const Family &family,
                          std::string_view address)
{
    if (family.money == nullptr) {
        return {};
    }
    AddressMoney said = family.money(address);
    auto test = is_testnet(caip2);
    if (said == AddressMoney::unsaid || !test
        || (said == AddressMoney::test) == *test) {
        return "";
    }
    return !*test ? "is an address of a test network, and this one has real "
                    "money: write your address on the main network"
                  : "is an address of the main network, and this one has test "
                    "money: write your address on the test network";
}

}  // namespace

std::string_view network_family(std::string_view caip2)
{
    return caip2.substr(0, std::min(caip2.find(':'), caip2.size()));
}

std::string address_fault(std::string_view caip2, std::string_view address)
{
    const Family &family = family_of(caip2);
    std::string fault = family.address(address);
    return fault.empty() ? wrong_network(caip2, family, address) : fault;
}

std::string asset_fault(std::string_view caip2, std::string_view asset)
{
    const Family &family = family_of(caip2);
    // A token may be named by its address.
    return family.asset == family.address ? address_fault(caip2, asset)
                                          : family.asset(asset);
}

std::string wire_address(std::string_view caip2, std::string_view address)
{
    return network_family(caip2) == kTon ? raw_ton_address(address)
                                         : std::string(address);
}

bool is_unowned_address(std::string_view caip2, std::string_view address)
{
    bool zero_in_hex =
        address.substr(0, 2) == "0x"
        && address.find_first_not_of('0', 2) == std::string_view::npos;
    const Family &family = family_of(caip2);
    return zero_in_hex
           || (!family.nobody.empty()
               && (address == family.nobody
                   || (family.name == kTon
                       && raw_ton_address(address) == family.nobody)));
}

bool may_be_private_key(std::string_view text)
{
    constexpr std::size_t kFewestWords = 12;
    constexpr std::size_t kXrplSeedLeast = 29;
    constexpr std::size_t kXrplSeedMost = 31;

    bool prefix = text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X";
    std::string_view hex = text.substr(prefix ? 2 : 0);
    bool number = hex.size() == 2 * kKeyBytes
                  && std::all_of(hex.begin(), hex.end(), is_hex_digit);
    auto blanks = std::count(text.begin(), text.end(), ' ');
    bool mnemonic = static_cast<std::size_t>(blanks) + 1 >= kFewestWords;
    bool xrpl_seed = text.substr(0, 1) == "s" && text.size() >= kXrplSeedLeast
                     && text.size() <= kXrplSeedMost;
    // "ed25519:" of NEAR, "ed25519-priv-0x" of Aptos, "suiprivkey1" of Sui,
    // "addr_sk1" and "addr_xsk1" of Cardano.
    bool labelled = text.substr(0, 8) == "ed25519:"
                    || text.find("priv") != std::string_view::npos
                    || text.find("_sk1") != std::string_view::npos
                    || text.find("_xsk1") != std::string_view::npos;
    // Solana writes the secret and the public half one after the other.
    auto pair = base58_decode(text);
    return number || mnemonic || xrpl_seed || labelled || is_strkey(text, 'S')
           || (pair && pair->size() == 2 * kKeyBytes);
}

}  // namespace x402
