// SPDX-License-Identifier: Apache-2.0
// Extension bazaar (x402 v2): what catalogues read about a resource. The
// operator writes a declaration; the request's method and the varying parts of
// its path are added for each offer.
#ifndef X402_PROTOCOL_BAZAAR_DISCOVERY_HPP
#define X402_PROTOCOL_BAZAAR_DISCOVERY_HPP

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_document.hpp"
#include "base/result.hpp"

namespace x402 {

// A path with parameters: `/users/:id`, `/users/[id]`, `/files/v-:number.zip`;
// a segment `*` is a parameter called var1, var2 and so on.
class RouteTemplate {
public:
    // No template: the path has no parameters.
    RouteTemplate() = default;

    // Problem: what is wrong with it, for the operator. A segment has at most
    // one parameter, so that a path matches in one way, in one pass.
    static Result<RouteTemplate> parse(std::string_view text);

    bool exists() const { return !segments_.empty(); }
    // With `:name` for every parameter.
    const std::string &text() const { return text_; }
    // With `{name}` for every parameter, as in OpenAPI.
    std::string openapi_path() const;

    using Parameters = std::vector<std::pair<std::string_view, std::string>>;
    // The parameters in a path as the client spelled it; none if the path does
    // not match. Lifetime of the names: the template.
    Parameters match(std::string_view path) const;

private:
    struct Segment {
        std::string before;
        std::string name;  // empty: `before` is the whole segment
        std::string after;
    };

    static Result<Segment> read_segment(std::string_view part);
    // Empty, or the reason why not.
    std::string add(Segment segment);

    std::string text_;
    std::vector<Segment> segments_;
};

// The declaration as sent: `method` in info.input and in the schema, and with a
// template `routeTemplate` and info.input.pathParams. Compact text, byte for
// byte the reference's. That of an MCP tool is returned as it is. Precondition:
// `declaration` is an object.
std::string enriched_bazaar(JsonValue declaration, std::string_view method,
                            const RouteTemplate &route, std::string_view path);

}  // namespace x402

#endif
