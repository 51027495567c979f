// SPDX-License-Identifier: Apache-2.0
// Whether a client's `extensions` match what it was offered (x402 v2). Pure
// comparison, called for every payment; the meaning of extensions is elsewhere.
#ifndef X402_PROTOCOL_EXTENSION_ECHO_HPP
#define X402_PROTOCOL_EXTENSION_ECHO_HPP

#include <string_view>
#include <vector>

#include "base/json_document.hpp"

namespace x402 {

// `error` of the 402 for an echo that does not match.
constexpr std::string_view kExtensionEchoMismatch = "extension_echo_mismatch";

using FieldNames = std::vector<std::string_view>;

// Members of `info` that a server makes for each response, so that an echo
// may contain older ones, or none.
FieldNames fields_of_one_answer(std::string_view extension);

// The content of an extension: its `info`, or the whole object if it has no
// `info`.
JsonValue extension_info(JsonValue extension);

// Members may have been added to objects at any depth; arrays and scalars are
// equal, with their type. `ignored` members of the outermost object may differ
// or be missing.
bool keeps_info(JsonValue advertised, JsonValue echoed,
                const FieldNames &ignored);

// One extension that was advertised and that the client sent, too.
bool is_echo(std::string_view extension, JsonValue advertised,
             JsonValue echoed);

// One extension that was not advertised: allowed, except what the server sets.
bool may_be_added(std::string_view extension, JsonValue echoed);

}  // namespace x402

#endif
