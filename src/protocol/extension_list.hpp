// The extensions that a location advertises (x402 v2, `extensions`): made when
// the configuration is read, immutable afterwards, asked for every offer and
// for every payment.
#ifndef X402_PROTOCOL_EXTENSION_LIST_HPP
#define X402_PROTOCOL_EXTENSION_LIST_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.hpp"
#include "protocol/bazaar_discovery.hpp"

namespace x402 {

// No single declaration may be longer: base64 makes 8 KB of it, and an offer
// is never larger than that.
constexpr std::size_t kMaxDeclarationBytes = 6 * 1024;

class Extensions {
public:
    // `text` is the declaration as JSON. `route` (empty: none) is for bazaar
    // only. Nothing, or a sentence for the operator.
    std::string add(std::string_view name, std::string_view text,
                    std::string_view route);

    bool empty() const { return list_.empty(); }
    // They are the same for all requests.
    bool is_constant() const { return list_.empty() || !finished_.empty(); }
    // The declaration of that name; one that does not exist.
    JsonValue find(std::string_view name) const;

private:
    friend std::string extensions_for(const Extensions &extensions,
                                      std::string_view method,
                                      std::string_view path);
    friend bool echo_ok(const Extensions &extensions, std::string_view method,
                        std::string_view path, JsonValue echoed);

    struct Extension {
        std::string name;
        JsonDocument declaration;
        std::string json;  // as it goes out, where it never changes
        RouteTemplate route;
    };

    static bool varies(const Extension &extension);

    std::vector<Extension> list_;
    // All of them as one JSON object; empty where one of them varies.
    std::string finished_;
};

// The JSON object of an offer, in the order of the configuration; empty when
// there is nothing to advertise. `path` as the client spelled it, without a
// query.
std::string extensions_for(const Extensions &extensions,
                           std::string_view method, std::string_view path);

// Whether `echoed`, member `extensions` of a payment (absent too), keeps what
// extensions_for() says to the same request. Also for a location that
// advertises nothing: there is something a client may not invent. Payments of
// version 1 have no such member and are not to be asked.
bool echo_ok(const Extensions &extensions, std::string_view method,
             std::string_view path, JsonValue echoed);

}  // namespace x402

#endif
