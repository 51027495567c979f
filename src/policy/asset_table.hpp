// SPDX-License-Identifier: Apache-2.0
// The table of known tokens: address, decimals, EIP-712 domain.
#ifndef X402_POLICY_ASSET_TABLE_HPP
#define X402_POLICY_ASSET_TABLE_HPP

#include <string_view>

namespace x402 {

// `plain`: the network's family has one method only.
enum class TransferMethod { eip3009, permit2, permit2_with_eip2612, plain };

struct Asset {
    std::string_view network;  // CAIP-2
    std::string_view symbol;
    std::string_view address;
    unsigned decimals;
    std::string_view eip712_name;  // UTF-8; empty: without a domain
    std::string_view eip712_version;
    TransferMethod method;
};

struct AssetRows {
    const Asset *first;
    const Asset *past_last;

    const Asset *begin() const { return first; }
    const Asset *end() const { return past_last; }
};

// All tokens; the default of a network is its first.
AssetRows known_assets();

// The first asset of a network, the token of a price in dollars. nullptr: none
// is known. The result is static.
const Asset *default_asset(std::string_view caip2);

// By ticker (case is ignored) or by address (case is ignored if it is
// hexadecimal); nullptr: not known on this network. Networks are given by their
// canonical id.
const Asset *find_asset_by_symbol(std::string_view caip2,
                                  std::string_view symbol);
const Asset *find_asset_by_address(std::string_view caip2,
                                   std::string_view address);

}  // namespace x402

#endif
