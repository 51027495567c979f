#include "policy/accept_extra.hpp"

#include <optional>
#include <utility>

#include "base/json_text.hpp"

namespace x402 {

namespace {

// Members of `extra` that change how a payment is made must not promise what
// the module does not do.
std::optional<Problem> check_extra(JsonValue extra, std::string_view address,
                                   const Asset *known_asset)
{
    constexpr std::string_view kServed[][2] = {
        {"assetTransferMethod", "eip3009"},
        {"paymentFlow", "authorization"},
    };
    for (const auto &[name, served] : kServed) {
        if (extra[name].exists() && extra[name].string() != served) {
            return Problem{"extra asks for another " + std::string(name)
                           + " than " + std::string(served)
                           + ", which is not served yet: leave it out"};
        }
    }
    // A value that is no string has an empty text.
    if (!extra["name"].string().empty() && !extra["version"].string().empty()) {
        return std::nullopt;
    }
    if (known_asset != nullptr) {
        return Problem{"extra has a name or version that is no text: write "
                       "the EIP-712 domain of the token, or leave them out"};
    }
    return objection("asset", address,
                     "is not known, so its EIP-712 domain is needed: write "
                     "'extra={\"name\":\"...\",\"version\":\"...\"}' with the "
                     "values of the token's contract");
}

}  // namespace

Problem objection(std::string_view key, std::string_view value,
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

// What is known of the token, the operator's members laid over it.
Result<JsonDocument> resolve_extra(const std::string &written,
                                   std::string_view address,
                                   const Asset *known_asset)
{
    std::string known = "{";
    if (known_asset != nullptr) {
        append_json_key(known, "name");
        append_json_string(known, known_asset->eip712_name);
        append_json_key(known, "version");
        append_json_string(known, known_asset->eip712_version);
    }
    known.push_back('}');

    Result<JsonDocument> under = JsonDocument::parse(known);
    Result<JsonDocument> over =
        JsonDocument::parse(written.empty() ? "{}" : written);
    if (!over) {
        return objection("extra", written,
                         "is no JSON (" + over.problem().text
                             + "): write an object like "
                               "'extra={\"key\":\"value\"}'");
    }
    if (!over->root().is_object()) {
        return objection("extra", written,
                         "is no JSON object: write "
                         "'extra={\"key\":\"value\"}'");
    }
    Result<JsonDocument> merged =
        JsonDocument::parse(merge_json_objects(under->root(), over->root()));
    if (!merged) {
        return objection("extra", written,
                         "is too much (" + merged.problem().text + ")");
    }
    std::optional<Problem> problem =
        check_extra(merged->root(), address, known_asset);
    if (problem) {
        return *problem;
    }
    return merged;
}

}  // namespace x402
