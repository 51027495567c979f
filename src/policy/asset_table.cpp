// SPDX-License-Identifier: Apache-2.0
#include "policy/asset_table.hpp"

#include <algorithm>
#include <iterator>

namespace x402 {

namespace {

using Method = TransferMethod;

// In the order of the reference's table: the first row of a network is the
// token of a price in dollars. Names and versions are the tokens' EIP-712
// domains: with a wrong one every signature for that token is invalid.
constexpr Asset kAssets[] = {
    {"eip155:8453", "USDC", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 6,
     "USD Coin", "2", Method::eip3009},
    {"eip155:84532", "USDC", "0x036CbD53842c5426634e7929541eC2318f3dCF7e", 6,
     "USDC", "2", Method::eip3009},
    {"eip155:1", "USDC", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", 6,
     "USD Coin", "2", Method::eip3009},
    {"eip155:43114", "USDC", "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", 6,
     "USD Coin", "2", Method::eip3009},
    {"eip155:4326", "MegaUSD", "0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7", 18,
     "MegaUSD", "1", Method::permit2_with_eip2612},
    {"eip155:143", "USDC", "0x754704Bc059F8C67012fEd69BC8A327a5aafb603", 6,
     "USDC", "2", Method::eip3009},
    {"eip155:988", "USDT0", "0x779Ded0c9e1022225f8E0630b35a9b54bE713736", 6,
     "USDT0", "1", Method::eip3009},
    {"eip155:2201", "USDT0", "0x78Cf24370174180738C5B8E352B6D14c83a6c9A9", 6,
     "USDT0", "1", Method::eip3009},
    {"eip155:137", "USDC", "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", 6,
     "USD Coin", "2", Method::eip3009},
    {"eip155:42161", "USDC", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", 6,
     "USD Coin", "2", Method::eip3009},
    {"eip155:421614", "USDC", "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d", 6,
     "USD Coin", "2", Method::eip3009},
    {"eip155:31612", "mUSD", "0xdD468A1DDc392dcdbEf6db6e34E89AA338F9F186", 18,
     "Mezo USD", "1", Method::permit2_with_eip2612},
    {"eip155:31611", "mUSD", "0x118917a40FAF1CD7a13dB0Ef56C86De7973Ac503", 18,
     "Mezo USD", "1", Method::permit2_with_eip2612},
    {"eip155:723487", "SBC", "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", 6,
     "Stable Coin", "1", Method::permit2_with_eip2612},
    {"eip155:72344", "SBC", "0x33ad9e4BD16B69B5BFdED37D8B5D9fF9aba014Fb", 6,
     "Stable Coin", "1", Method::permit2_with_eip2612},
    {"eip155:36900", "USDC.e", "0x9cb8142aEBBcdc60AF7c97Af897A67A8f3CA71C2", 6,
     "USDC.e", "2", Method::eip3009},
    {"eip155:190415", "USDC.e", "0x401eCb1D350407f13ba348573E5630B83638E30D", 6,
     "Bridged USDC", "2", Method::eip3009},
    {"eip155:181228", "USDC.e", "0x401eCb1D350407f13ba348573E5630B83638E30D", 6,
     "Bridged USDC", "2", Method::eip3009},
    {"eip155:50", "USDC", "0xfA2958CB79b0491CC627c1557F441eF849Ca8eb1", 6,
     "USDC", "2", Method::eip3009},
    {"eip155:51", "USDC", "0xb5AB69F7bBada22B28e79C8FFAECe55eF1c771D4", 6,
     "USDC", "2", Method::eip3009},
    {"eip155:38833", "USDC", "0xA5b8BF902b2844dA17d4506cc827F7F1681735E7", 6,
     "USDC", "1", Method::permit2},
    {"eip155:14", "USDT0", "0xe7cd86e13AC4309349F30B3435a9d337750fC82D", 6,
     "USD\u20ae0", "1", Method::eip3009},
    {"eip155:42220", "USDC", "0xcebA9300f2b948710d2653dD7B07f33A8B32118C", 6,
     "USDC", "2", Method::eip3009},
    {"eip155:42220", "USDT", "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e", 6,
     "Tether USD", "1", Method::eip3009},
    {"eip155:42220", "USAT", "0xD2ab3C9A02DBBAB236BfEC45D1d755DF4267F771", 6,
     "Tether America USD", "1", Method::eip3009},
    {"eip155:11142220", "USDC", "0x01C5C0122039549AD1493B8220cABEdD739BC44E", 6,
     "USDC", "2", Method::eip3009},
    {"eip155:1329", "USDC", "0xe15fC38F6D8c56aF07bbCBe3BAf5708A2Bf42392", 6,
     "USDC", "2", Method::eip3009},
    {"eip155:1328", "USDC", "0x4fCF1784B31630811181f670Aea7A7bEF803eaED", 6,
     "USDC", "2", Method::eip3009},

    // In x402 v1 only, where every domain has version "2".
    {"eip155:43113", "USDC", "0x5425890298aed601595a70AB815c96711a31Bc65", 6,
     "USD Coin", "2", Method::eip3009},
    {"eip155:80002", "USDC", "0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582", 6,
     "USDC", "2", Method::eip3009},

    // Other families, of which only Casper has a domain.
    {"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "USDC",
     "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6, "", "", Method::plain},
    {"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "USDT",
     "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6, "", "", Method::plain},
    {"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "USDG",
     "2u1tszSeqZ3qBWF3uNGPFc8TzMk2tdiwknnRMWGWjGWH", 6, "", "", Method::plain},
    {"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "PYUSD",
     "2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo", 6, "", "", Method::plain},
    {"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "CASH",
     "CASHx9KJUStyftLFWGvEVf59SGeG9sh5FfcnZMVPCASH", 6, "", "", Method::plain},
    {"solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "USDC",
     "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU", 6, "", "", Method::plain},
    {"solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "USDG",
     "4F6PM96JJxngmHnZLBh9n58RH4aTVNWvDs2nuwrT5BP7", 6, "", "", Method::plain},
    {"solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", "PYUSD",
     "CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM", 6, "", "", Method::plain},
    {"solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z", "USDC",
     "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU", 6, "", "", Method::plain},
    {"solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z", "USDG",
     "4F6PM96JJxngmHnZLBh9n58RH4aTVNWvDs2nuwrT5BP7", 6, "", "", Method::plain},
    {"solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z", "PYUSD",
     "CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM", 6, "", "", Method::plain},
    {"algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k", "USDC", "31566704", 6, "", "",
     Method::plain},
    {"algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe", "USDC", "10458941", 6, "", "",
     Method::plain},
    {"stellar:pubnet", "USDC",
     "CCW67TSZV3SSS2HXMBQ5JFGCKJNXKZM7UQUWUZPUTHXSTZLEO7SJMI75", 7, "", "",
     Method::plain},
    {"stellar:testnet", "USDC",
     "CBIELTK6YBZJU5UP2WWQEUCYKLPU6AUNZ2BQ4WWFEIE3USCIHMXQDAMA", 7, "", "",
     Method::plain},
    {"aptos:1", "USDC",
     "0xbae207659db88bea0cbead6da0ed00aac12edcdda169e591cd41c94180b46f3b", 6,
     "", "", Method::plain},
    {"aptos:2", "USDC",
     "0x69091fbab5f7d635ee7ac5098cf0c1efbe31d68fec0f2cd565e8d168daf52832", 6,
     "", "", Method::plain},
    {"fast:testnet", "USDC",
     "0xd73a0679a2be46981e2a8aedecd951c8b6690e7d5f8502b34ed3ff4cc2163b46", 6,
     "", "", Method::plain},
    {"fast:mainnet", "USDC",
     "0xc655a12330da6af361d281b197996d2bc135aaed3b66278e729c2222291e9130", 6,
     "", "", Method::plain},
    {"tvm:-239", "USDT",
     "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe", 6,
     "", "", Method::plain},
    {"tvm:-3", "USDT",
     "0:f418a04cf196ebc959366844a6cdf53a6fd6fff1eadafc892f05210bba31593e", 6,
     "", "", Method::plain},
    {"cardano:mainnet", "USDM",
     "c48cbb3d5e57ed56e276bc45f99ab39abe94e6cd7ac39fb402da47ad."
     "0014df105553444d",
     6, "", "", Method::plain},
    {"cardano:preprod", "USDM",
     "e675b46e4d2242c991a8932a99db3044e80515ae14b4c4ccf6b3f4c9."
     "0014df10745553444d",
     6, "", "", Method::plain},
    {"starknet:SN_MAIN", "USDC",
     "0x033068f6539f8e6e6b131e6b2b814e6c34a5224bc66947c47dab9dfee93b35fb", 6,
     "", "", Method::plain},
    {"starknet:SN_SEPOLIA", "USDC",
     "0x0512feac6339ff7889822cb5aa2a86c848e9d392bb0e3e237c008674feed8343", 6,
     "", "", Method::plain},
    {"casper:casper", "csprUSD",
     "23036be872bd574590a2c43d4a4eff76b18b4bca815790742841002fdab22cee", 6,
     "csprUSD", "1", Method::plain},
    {"casper:casper-test", "csprUSD",
     "0cb6f94834c60510d532b0ae077b18b4100874a4c867396d61c2b13c790ead52", 6,
     "csprUSD", "1", Method::plain},
    {"keeta:21378", "USDC",
     "keeta_amnkge74xitii5dsobstldatv3irmyimujfjotftx7plaaaseam4bntb7wnna", 6,
     "", "", Method::plain},
    {"keeta:1413829460", "USDC",
     "keeta_apna75yhhvnv4ei7ape55hndk4yepno7a7i2mhtiwahiygixjcnmvswxhnmnk", 6,
     "", "", Method::plain},
};

char lower(char character)
{
    bool upper = character >= 'A' && character <= 'Z';
    return upper ? static_cast<char>(character - 'A' + 'a') : character;
}

bool equal_but_for_case(std::string_view left, std::string_view right)
{
    return std::equal(
        left.begin(), left.end(), right.begin(), right.end(),
        [](char one, char other) { return lower(one) == lower(other); });
}

template <class Condition> const Asset *find_asset(Condition condition)
{
    for (const Asset &asset : kAssets) {
        if (condition(asset)) {
            return &asset;
        }
    }
    return nullptr;
}

}  // namespace

AssetRows known_assets()
{
    return {std::begin(kAssets), std::end(kAssets)};
}

const Asset *default_asset(std::string_view caip2)
{
    return find_asset(
        [=](const Asset &asset) { return asset.network == caip2; });
}

const Asset *find_asset_by_symbol(std::string_view caip2,
                                  std::string_view symbol)
{
    return find_asset([=](const Asset &asset) {
        return asset.network == caip2
               && equal_but_for_case(asset.symbol, symbol);
    });
}

const Asset *find_asset_by_address(std::string_view caip2,
                                   std::string_view address)
{
    return find_asset([=](const Asset &asset) {
        if (asset.network != caip2) {
            return false;
        }
        if (asset.address == address) {
            return true;
        }
        bool hexadecimal = asset.address.substr(0, 2) == "0x"
                           || caip2.substr(0, 7) == "casper:";
        return hexadecimal && equal_but_for_case(asset.address, address);
    });
}

}  // namespace x402
