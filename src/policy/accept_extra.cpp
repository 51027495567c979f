// SPDX-License-Identifier: Apache-2.0
#include "policy/accept_extra.hpp"

#include <optional>
#include <utility>

#include "base/json_text.hpp"
#include "policy/network_address.hpp"

namespace x402 {

namespace {

bool is_evm(const ExtraContext &context)
{
    return network_family(context.network) == "eip155";
}

// For the families whose protocol has a word for payment up front.
bool knows_upfront(const ExtraContext &context)
{
    std::string_view family = network_family(context.network);
    return context.scheme == "exact"
           && (family == "eip155" || family == "solana"
               || family == "algorand");
}

bool is_permit2_only(const ExtraContext &context)
{
    return context.asset != nullptr
           && (context.asset->method == TransferMethod::permit2
               || context.asset->method
                      == TransferMethod::permit2_with_eip2612);
}

std::optional<Problem> check_method(JsonValue extra,
                                    const ExtraContext &context)
{
    JsonValue written = extra["assetTransferMethod"];
    if (!written.exists()) {
        return std::nullopt;
    }
    std::string_view method = written.string();
    if (network_family(context.network) == "tron") {
        bool known = method == "permit2" || method == "tip3009";
        return known ? std::nullopt
                     : std::optional<Problem>(parameter_error(
                         "assetTransferMethod", method,
                         "is not known on TRON: write permit2 or tip3009"));
    }
    if (!is_evm(context)) {
        return Problem{"extra has an assetTransferMethod, which only eip155 "
                       "and tron networks have here: leave it out"};
    }
    if (method != "eip3009" && method != "permit2") {
        return parameter_error(
            "assetTransferMethod", method,
            "is not supported: write permit2, or leave it out for "
            "the method the asset is known for");
    }
    if (method == "eip3009"
        && (context.scheme == "upto" || is_permit2_only(context))) {
        return Problem{"extra asks for assetTransferMethod eip3009, but this "
                       "asset or scheme can only be paid by permit2: leave it "
                       "out"};
    }
    return std::nullopt;
}

std::optional<Problem> check_flow(JsonValue extra, const ExtraContext &context)
{
    JsonValue written = extra["paymentFlow"];
    std::string_view flow = written.string();
    if (!written.exists() || (flow == "authorization" && !context.upfront)) {
        return std::nullopt;
    }
    if (flow == "upfront" && !context.upfront) {
        return Problem{"extra asks for paymentFlow upfront, which is what "
                       "\"x402_settle before\" does: write that instead"};
    }
    if (flow == "upfront" && !knows_upfront(context)) {
        return Problem{"extra asks for paymentFlow upfront, which this network "
                       "or scheme does not know: leave it out"};
    }
    if (flow == "authorization") {
        return Problem{"extra asks for paymentFlow authorization and "
                       "\"x402_settle before\" for upfront: leave out one of "
                       "them"};
    }
    return flow == "upfront" ? std::nullopt
                             : std::optional<Problem>(parameter_error(
                                 "paymentFlow", flow,
                                 "is not supported: leave it out, or write "
                                 "\"x402_settle before\" for upfront"));
}

std::optional<Problem> check_domain(JsonValue extra,
                                    const ExtraContext &context)
{
    if (!is_evm(context) && network_family(context.network) != "casper") {
        return std::nullopt;
    }
    bool complete =
        !extra["name"].string().empty() && !extra["version"].string().empty();
    bool written = extra["name"].exists() || extra["version"].exists();
    if (complete
        || (!written && extra["assetTransferMethod"].string() == "permit2")) {
        return std::nullopt;
    }
    if (context.asset != nullptr) {
        return Problem{
            "extra has a name or version that is not text: write the "
            "EIP-712 domain of the token, or leave them out"};
    }
    return parameter_error(
        "asset", context.address,
        "is not known, so its EIP-712 domain is needed: write "
        "'extra={\"name\":\"...\",\"version\":\"...\"}' with the "
        "values of the token's contract");
}

// The members that follow from the token and the scheme.
std::string known_extra(const ExtraContext &context)
{
    std::string known;
    known.reserve(96);
    known.push_back('{');
    const Asset *asset = context.asset;
    auto add = [&known](std::string_view key, std::string_view value) {
        append_json_key(known, key);
        append_json_string(known, value);
    };
    // As the reference: with upto the domain of every token that has one.
    if (asset != nullptr && !asset->eip712_name.empty()
        && (context.scheme == "upto"
            || asset->method != TransferMethod::permit2)) {
        add("name", asset->eip712_name);
        add("version", asset->eip712_version);
    }
    std::string_view family = network_family(context.network);
    if ((context.scheme == "upto" || is_permit2_only(context))
        && family == "eip155") {
        add("assetTransferMethod", "permit2");
    }
    // Clients pay no other offer: the scheme has no payments without a sponsor.
    if (family == "tvm") {
        append_json_key(known, "areFeesSponsored");
        known.append("true");
    }
    known.push_back('}');
    return known;
}

// After all others, as in the reference.
void append_flow(std::string &extra)
{
    extra.pop_back();
    append_json_key(extra, "paymentFlow");
    extra.append("\"upfront\"}");
}

// `text`: all members together.
Result<JsonDocument> checked_extra(const std::string &text,
                                   const std::string &written,
                                   const ExtraContext &context)
{
    Result<JsonDocument> merged = JsonDocument::parse(text);
    if (!merged) {
        return parameter_error("extra", written,
                               "is too much (" + merged.problem().text + ")");
    }
    for (auto check : {check_method, check_flow, check_domain}) {
        std::optional<Problem> problem = check(merged->root(), context);
        if (problem) {
            return *problem;
        }
    }
    return merged;
}

}  // namespace

Problem parameter_error(std::string_view key, std::string_view value,
                        std::string_view advice)
{
    constexpr std::size_t kShown = 128;
    std::string text(key);
    text.append(" \"");
    text.append(value.substr(0, kShown));
    text.append(value.size() > kShown ? "...\" " : "\" ");
    text.append(advice);
    return Problem{std::move(text)};
}

Result<JsonDocument> resolve_extra(const std::string &written,
                                   const ExtraContext &context)
{
    std::string known = known_extra(context);
    if (written.empty()) {
        // Of most options: nothing has to be read and merged.
        if (context.upfront && knows_upfront(context)) {
            append_flow(known);
        }
        // The members of a known token are right.
        return context.asset != nullptr
                   ? JsonDocument::parse(known)
                   : checked_extra(known, written, context);
    }
    Result<JsonDocument> under = JsonDocument::parse(known);
    Result<JsonDocument> over = JsonDocument::parse_explained(written);
    if (!over) {
        return parameter_error("extra", written,
                               "is not JSON (" + over.problem().text
                                   + "): write an object like "
                                     "'extra={\"key\":\"value\"}'");
    }
    if (!over->root().is_object()) {
        return parameter_error("extra", written,
                               "is not a JSON object: write "
                               "'extra={\"key\":\"value\"}'");
    }
    std::string text = merge_json_objects(under->root(), over->root());
    if (context.upfront && knows_upfront(context)
        && !over->root()["paymentFlow"].exists()) {
        append_flow(text);
    }
    return checked_extra(text, written, context);
}

}  // namespace x402
