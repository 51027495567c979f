// SPDX-License-Identifier: Apache-2.0
// The extensions that a location advertises (x402 v2, `extensions`): built when
// the configuration is read, immutable afterwards, used for every offer and for
// every payment.
#ifndef X402_PROTOCOL_EXTENSION_LIST_HPP
#define X402_PROTOCOL_EXTENSION_LIST_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.hpp"
#include "protocol/bazaar_discovery.hpp"

namespace x402 {

// The limit of one declaration: base64 makes 8 KB of it, the limit of an
// offer.
constexpr std::size_t kMaxDeclarationBytes = 6 * 1024;

class Extensions {
public:
    // `text` is the declaration as JSON. `route` (empty: none) is for bazaar
    // only. Empty, or a sentence for the operator.
    std::string add(std::string_view name, std::string_view text,
                    std::string_view route);

    bool empty() const { return list_.empty(); }
    // Whether they are the same for all requests.
    bool is_constant() const { return list_.empty() || !finished_.empty(); }
    // Whether they are the same for all requests with one method.
    bool vary_by_method_only() const;
    // The declaration of that name, or a value that does not exist.
    JsonValue find(std::string_view name) const;
    // The route of bazaar's declaration; nullptr: none is written.
    const RouteTemplate *route() const;

private:
    friend std::string extensions_for(const Extensions &extensions,
                                      std::string_view method,
                                      std::string_view path);
    friend bool echo_ok(const Extensions &extensions, std::string_view method,
                        std::string_view path, JsonValue echoed);

    struct Extension {
        std::string name;
        JsonDocument declaration;
        std::string json;  // as sent, if it never changes
        RouteTemplate route;
    };

    static bool varies(const Extension &extension);

    std::vector<Extension> list_;
    // All of them as one JSON object; empty if one of them varies.
    std::string finished_;
};

// The JSON object of an offer, in the order of the configuration; empty if
// there is nothing to advertise. `path` as the client spelled it, without a
// query.
std::string extensions_for(const Extensions &extensions,
                           std::string_view method, std::string_view path);

// `extensions`, such an object or empty, with one more of that name; as it is
// if `json` is empty.
std::string with_extension(std::string extensions, std::string_view name,
                           std::string_view json);

// Whether `echoed`, the member `extensions` of a payment (which may be absent),
// keeps the result of extensions_for() for the same request. Also for a
// location that advertises nothing, because a client must not invent some
// members. Not for payments of version 1, which have no such member.
bool echo_ok(const Extensions &extensions, std::string_view method,
             std::string_view path, JsonValue echoed);

}  // namespace x402

#endif
