// SPDX-License-Identifier: Apache-2.0
// What is for sale, what a payer signs, and where the money is: the truth that
// the module's memory is compared with.
#ifndef X402_SIMULATE_MARKET_HPP
#define X402_SIMULATE_MARKET_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "policy/scheme_payload.hpp"
#include "protocol/payment_requirements.hpp"
#include "session/claim_binding.hpp"

namespace x402::simulate {

enum class SettleMode : std::uint8_t { after, before, off };

// What a request wants. The tier is a header that only the price reads (a
// `map`); all else is on the request line, in the Host header or in the body.
struct Wish {
    std::uint8_t server = 0;  // where the request was sent to
    std::uint8_t host = 0;    // what its Host header says
    std::uint8_t path = 0;
    std::uint8_t tier = 0;
    std::uint8_t body = 0;  // 0: a GET without a body

    bool operator==(const Wish &other) const
    {
        return server == other.server && host == other.host
               && path == other.path && tier == other.tier
               && body == other.body;
    }
};

// What a location asks for at a moment. Amounts are atomic units.
struct Terms {
    std::uint8_t receiver = 0;
    std::uint8_t asset = 0;
    bool upto = false;
    SettleMode mode = SettleMode::after;
    std::uint64_t amount = 0;

    bool same_money(const Terms &other) const
    {
        return receiver == other.receiver && asset == other.asset
               && upto == other.upto;
    }
};

// What was signed.
struct Authorization {
    std::uint32_t payer = 0;
    std::uint32_t nonce = 0;
    std::uint32_t purse = 0;  // of payer and nonce: two signatures may share it
    Terms terms;
    std::int64_t valid_before = 0;  // s
    bool forged = false;            // another's name, a worthless signature
};

constexpr unsigned kServers = 3;
constexpr unsigned kPaths = 5;
constexpr unsigned kTiers = 4;  // cheap, expensive, other receiver, other asset
constexpr unsigned kBodies = 3;
constexpr std::uint8_t kPathBefore = 2;
constexpr std::uint8_t kPathUpto = 3;
constexpr std::uint8_t kPathOff = 4;
constexpr std::int64_t kTimeout = 300;  // x402_timeout, s
constexpr std::int64_t kGrace = 300;    // of a price that a reload replaced, s
constexpr std::uint64_t kMostUse = 500;
constexpr const char *kNetwork = "eip155:84532";

std::string payer_text(std::uint32_t payer);
const std::string &receiver_text(std::uint8_t receiver);
const std::string &asset_text(std::uint8_t asset);
AmountBytes amount_bytes(std::uint64_t amount);

// The offers of a moment: that of now, and one that a reload has just replaced.
struct Offers {
    Terms terms[2];
    unsigned count = 0;
};

// Paths 0 and 1 are settled after content, path 2 before; path 3 charges by use
// (scheme upto), path 4 is verified only (`x402_settle off`).
class PriceList {
public:
    // `epoch`: reloads so far, when the request arrived.
    Offers offers(const Wish &wish, std::int64_t now, std::size_t epoch) const;
    // What this execution of the content costs the seller's upstream.
    static std::uint64_t cost(const Wish &wish, unsigned execution);
    // The least that a request has to be paid for with, at its arrival.
    std::uint64_t worth(const Wish &wish, std::int64_t now,
                        std::size_t epoch) const;
    std::size_t epoch() const { return reloads_.size(); }
    void reload(std::int64_t now) { reloads_.push_back(now); }

    static ClaimBinding binding(const Digest &resource, const Terms &terms);
    // Shared by all calls: valid until the next one.
    static const PaymentRequirements &requirements(const Terms &terms);

private:
    std::vector<std::int64_t> reloads_;
};

// Which authorizations moved money, and how much: known here, whatever a
// facilitator answers.
class Chain {
public:
    struct Movement {
        bool used = false;     // the nonce: settled, or burnt by its payer
        bool settled = false;  // by us
        std::uint64_t amount = 0;
        std::int64_t at = 0;        // s
        std::uint32_t payment = 0;  // whose signature it was
        Terms terms;
        unsigned settlements = 0;
    };

    explicit Chain(std::size_t purses) : movements_(purses) {}

    bool settle(const Authorization &made, std::uint32_t payment,
                std::uint64_t amount, std::int64_t now);
    void burn(std::uint32_t purse) { movements_[purse].used = true; }
    const Movement &of(std::uint32_t purse) const { return movements_[purse]; }

private:
    std::vector<Movement> movements_;
};

}  // namespace x402::simulate

#endif
