// SPDX-License-Identifier: Apache-2.0
#include "facilitator/supported_kinds.hpp"

#include <algorithm>

#include "base/json_document.hpp"
#include "base/json_text.hpp"
#include "base/text_excerpt.hpp"
#include "facilitator/facilitator_port.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxKinds = 1024;
constexpr std::size_t kMaxSchemeBytes = 64;
constexpr std::size_t kMaxNetworkBytes = 128;
constexpr std::size_t kMaxExtraBytes = 4096;
constexpr std::size_t kMaxExtensions = 64;
constexpr std::size_t kMaxExtensionBytes = 128;

JsonLimits answer_limits()
{
    JsonLimits limits;
    limits.bytes = kMaxReplyBytes;
    limits.keys = 8 * kMaxKinds;
    limits.values = 16 * kMaxKinds;
    return limits;
}

bool is_word(JsonValue value, std::size_t limit)
{
    std::string_view text = value.string();
    return !text.empty() && text.size() <= limit;
}

// Why an entry is not a kind; nullptr: it is one.
const char *validate_kind(JsonValue entry, const SupportedKind &kind)
{
    JsonValue extra = entry["extra"];
    if (!entry.is_object()) {
        return "is not an object";
    }
    if (kind.version < 1) {
        return "has no x402Version";
    }
    if (!is_word(entry["scheme"], kMaxSchemeBytes)) {
        return "has no scheme";
    }
    if (!is_word(entry["network"], kMaxNetworkBytes)) {
        return "has no network";
    }
    if (extra.exists() && !extra.is_null() && !extra.is_object()) {
        return "has an extra that is not an object";
    }
    return kind.extra.size() > kMaxExtraBytes ? "has too long an extra"
                                              : nullptr;
}

SupportedKind kind_of(JsonValue entry, bool named_as_fast)
{
    SupportedKind kind;
    JsonValue version = entry["x402Version"];
    bool implied = named_as_fast && (!version.exists() || version.is_null());
    kind.version = implied ? 1 : version.integer().value_or(0);
    kind.scheme = std::string(entry["scheme"].string());
    kind.network = std::string(entry["network"].string());
    if (entry["extra"].is_object()) {
        entry["extra"].write(kind.extra);
    }
    return kind;
}

std::string_view family_of(std::string_view network)
{
    return network.substr(0, network.find(':'));
}

bool is_wildcard(std::string_view network)
{
    constexpr std::string_view kAll = ":*";
    return network.size() > kAll.size()
           && network.substr(network.size() - kAll.size()) == kAll;
}

// How a facilitator lists all networks of this one's family.
std::string wildcard_of(std::string_view network)
{
    return std::string(family_of(canonical_network(network))) + ":*";
}

// 0: another network; otherwise a higher value is more similar.
int nearness(const SupportedKind &kind, const KindNeed &need)
{
    if (kind.scheme != need.scheme) {
        return 0;
    }
    int rank = 0;
    std::string wanted = canonical_network(need.network);
    if (canonical_network(kind.network) == wanted) {
        rank = 2;
    } else if (kind.network == wildcard_of(wanted)) {
        rank = 1;
    }
    return rank != 0 && kind.version == need.version ? rank + 2 : rank;
}

std::string describe(std::string_view scheme, std::string_view network,
                     std::int64_t version)
{
    return "scheme \"" + log_excerpt(std::string(scheme)) + "\" on \""
           + log_excerpt(std::string(network)) + "\" in x402 version "
           + std::to_string(version);
}

}  // namespace

bool KindNeed::operator==(const KindNeed &other) const
{
    return version == other.version && scheme == other.scheme
           && network == other.network;
}

bool KindNeed::is_evm_exact() const
{
    return scheme == "exact"
           && family_of(canonical_network(network)) == "eip155";
}

Result<SupportedKinds> SupportedKinds::parse(std::string_view answer)
{
    auto document = JsonDocument::parse(answer, answer_limits());
    if (!document) {
        return document.problem();
    }
    JsonValue root = document->root();
    bool named_as_fast = !root["kinds"].exists();
    JsonValue list = root[named_as_fast ? "paymentKinds" : "kinds"];
    if (!list.is_array()) {
        return Problem{"it has no list of kinds"};
    }
    if (list.size() > kMaxKinds) {
        return Problem{"it lists more than " + std::to_string(kMaxKinds)
                       + " kinds"};
    }

    SupportedKinds supported;
    for (std::size_t i = 0; i < list.size(); i++) {
        SupportedKind kind = kind_of(list.at(i), named_as_fast);
        if (const char *why = validate_kind(list.at(i), kind)) {
            return Problem{"kind " + std::to_string(i + 1) + " " + why};
        }
        supported.kinds_.push_back(std::move(kind));
    }
    JsonValue extensions = root["extensions"];
    for (std::size_t i = 0; extensions.is_array() && i < extensions.size()
                            && supported.extensions_.size() < kMaxExtensions;
         i++) {
        if (is_word(extensions.at(i), kMaxExtensionBytes)) {
            supported.extensions_.emplace_back(extensions.at(i).string());
        }
    }
    return supported;
}

const SupportedKind *SupportedKinds::find(std::int64_t version,
                                          std::string_view scheme,
                                          std::string_view network) const
{
    const SupportedKind *of_family = nullptr;
    std::string family;
    for (const SupportedKind &kind : kinds_) {
        if (kind.version != version || kind.scheme != scheme) {
            continue;
        }
        if (kind.network == network) {
            return &kind;
        }
        if (of_family == nullptr && is_wildcard(kind.network)) {
            family = family.empty() ? wildcard_of(network) : family;
            of_family = kind.network == family ? &kind : nullptr;
        }
    }
    return of_family;
}

const SupportedKind *SupportedKinds::find_near(const KindNeed &need) const
{
    const SupportedKind *nearest = nullptr;
    int best = 0;
    for (const SupportedKind &kind : kinds_) {
        int rank = nearness(kind, need);
        if (rank > best) {
            best = rank;
            nearest = &kind;
        }
    }
    return nearest;
}

bool SupportedKinds::lists_evm_exact() const
{
    return std::any_of(
        kinds_.begin(), kinds_.end(), [](const SupportedKind &kind) {
            return KindNeed{kind.version, kind.scheme, kind.network}
                .is_evm_exact();
        });
}

void SupportedKinds::keep_only(const std::vector<KindNeed> &needs)
{
    auto nobody_needs = [&needs](const SupportedKind &kind) {
        return std::none_of(needs.begin(), needs.end(),
                            [&kind](const KindNeed &need) {
                                return nearness(kind, need) != 0;
                            });
    };
    kinds_.erase(std::remove_if(kinds_.begin(), kinds_.end(), nobody_needs),
                 kinds_.end());
}

std::string SupportedKinds::text() const
{
    std::string out = "{\"kinds\":[";
    for (const SupportedKind &kind : kinds_) {
        out += out.back() == '[' ? "{" : ",{";
        append_json_key(out, "x402Version");
        out += std::to_string(kind.version);
        append_json_key(out, "scheme");
        append_json_string(out, kind.scheme);
        append_json_key(out, "network");
        append_json_string(out, kind.network);
        if (!kind.extra.empty()) {
            append_json_key(out, "extra");
            out += kind.extra;
        }
        out += '}';
    }
    out += "],\"extensions\":[";
    for (const std::string &extension : extensions_) {
        out += out.back() == '[' ? "" : ",";
        append_json_string(out, extension);
    }
    return out + "]}";
}

std::vector<MissingKind> missing_kinds(const SupportedKinds &supported,
                                       const std::vector<KindNeed> &needs)
{
    std::vector<MissingKind> missing;
    for (const KindNeed &need : needs) {
        if (supported.find(need.version, need.scheme, need.network)) {
            continue;
        }
        MissingKind kind;
        kind.sentence = "does not list "
                        + describe(need.scheme, need.network, need.version)
                        + ", which is for sale here";
        const SupportedKind *near = supported.find_near(need);
        // One that lists EVM networks, and not this one, means what it says.
        kind.sold_anyway =
            need.is_evm_exact() && (near || !supported.lists_evm_exact());
        if (near != nullptr) {
            kind.sentence +=
                "; it lists "
                + describe(near->scheme, near->network, near->version);
            if (near->version == need.version) {
                kind.sentence += ", write the network as it does";
            }
        }
        missing.push_back(std::move(kind));
    }
    return missing;
}

}  // namespace x402
