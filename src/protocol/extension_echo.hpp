// Whether a client's `extensions` are what it was offered (x402 v2). Pure
// comparison, called for every payment; what an extension means is elsewhere.
#ifndef X402_PROTOCOL_EXTENSION_ECHO_HPP
#define X402_PROTOCOL_EXTENSION_ECHO_HPP

#include <string_view>
#include <vector>

#include "base/json_document.hpp"

namespace x402 {

// `error` of the 402 that answers a bad echo.
constexpr std::string_view kExtensionEchoMismatch = "extension_echo_mismatch";

using FieldNames = std::vector<std::string_view>;

// Members of `info` that a server makes anew with each answer, so that an echo
// may hold older ones, or none.
FieldNames fields_of_one_answer(std::string_view extension);

// What an extension says: its `info`, or all of it where there is no such
// wrapper.
JsonValue extension_info(JsonValue extension);

// Members may have been added to objects at any depth; arrays and scalars are
// equal, with their type. `ignored` members of the outermost object may differ
// or lack.
bool keeps_info(JsonValue advertised, JsonValue echoed,
                const FieldNames &ignored);

// One extension that was advertised and that the client sent as well.
bool is_echo(std::string_view extension, JsonValue advertised,
             JsonValue echoed);

// One extension that was not advertised: free, but for what belongs to us.
bool may_be_added(std::string_view extension, JsonValue echoed);

}  // namespace x402

#endif
