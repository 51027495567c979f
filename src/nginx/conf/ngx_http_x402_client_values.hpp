// SPDX-License-Identifier: Apache-2.0
// Which variables in a value a client writes itself: what is decided by one of
// them is decided by the client.
#ifndef NGX_HTTP_X402_CLIENT_VALUES_HPP
#define NGX_HTTP_X402_CLIENT_VALUES_HPP

#include <string_view>
#include <vector>

namespace x402 {

// The names of the variables in a value: $name and ${name}.
std::vector<std::string_view> variables_in(std::string_view text);

// Variables that the client can set.
bool is_of_client(std::string_view name);

// The first of them in a value; empty: none.
std::string_view client_variable(std::string_view text);

}  // namespace x402

#endif
