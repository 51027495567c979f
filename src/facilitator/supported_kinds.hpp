// SPDX-License-Identifier: Apache-2.0
// The kinds that a facilitator supports: its answer to GET /supported.
//
// Kinds are found by the exact text of the answer, as clients and facilitators
// compare them, or by a wildcard for the whole family (`solana:*`). A similar
// kind, whose network is spelled in another way, is found for the log line that
// tells the operator.
#ifndef X402_FACILITATOR_SUPPORTED_KINDS_HPP
#define X402_FACILITATOR_SUPPORTED_KINDS_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace x402 {

// A kind that a paid location needs.
struct KindNeed {
    std::int64_t version = 2;  // x402Version
    std::string scheme;
    std::string network;

    bool operator==(const KindNeed &other) const;
    // Needs nothing that only the facilitator knows: sold without its answer.
    bool is_evm_exact() const;
};

struct SupportedKind {
    std::int64_t version = 0;
    std::string scheme;
    std::string network;
    std::string extra;  // JSON object as compact text; empty: none
};

class SupportedKinds {
public:
    // `kinds`, or `paymentKinds` of the facilitators of Fast, whose entries are
    // of version 1 unless they name one. An entry with a member of the wrong
    // type makes the whole answer invalid. Signers are ignored, and extensions
    // that are not strings are left out: nothing here depends on them.
    static Result<SupportedKinds> parse(std::string_view answer);

    const std::vector<SupportedKind> &kinds() const { return kinds_; }
    const std::vector<std::string> &extensions() const { return extensions_; }

    // The first kind with exactly this text, else the first for all networks of
    // the family; nullptr: none. Lifetime: this.
    const SupportedKind *find(std::int64_t version, std::string_view scheme,
                              std::string_view network) const;
    // Similar kinds, best first: the same network in another spelling, a
    // wildcard for its family, either of another version.
    const SupportedKind *find_near(const KindNeed &need) const;

    // Removes kinds that neither equal nor resemble one of the needs.
    void keep_only(const std::vector<KindNeed> &needs);
    // Some kind is `exact` on an EVM network.
    bool lists_evm_exact() const;

    // Compact JSON that parse() reads back as the same.
    std::string text() const;

private:
    std::vector<SupportedKind> kinds_;
    std::vector<std::string> extensions_;
};

// A need that the facilitator does not list, as a sentence for the log without
// its subject: "does not list ...".
struct MissingKind {
    bool sold_anyway = false;
    std::string sentence;
};

std::vector<MissingKind> missing_kinds(const SupportedKinds &supported,
                                       const std::vector<KindNeed> &needs);

}  // namespace x402

#endif
