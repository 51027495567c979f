// SPDX-License-Identifier: Apache-2.0
// Finds the variables in a value that a client writes itself. What one of them
// decides, the client decides.
#ifndef NGX_HTTP_X402_CLIENT_VALUES_HPP
#define NGX_HTTP_X402_CLIENT_VALUES_HPP

#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// The names of the variables in a value: $name and ${name}. nginx: they are the
// same in letters of another case, and are in small ones here.
std::vector<std::string> variables_in(std::string_view text);

// Variables that the client can set.
bool is_of_client(std::string_view name);

// The first of them in a value; empty: none.
std::string client_variable(std::string_view text);

}  // namespace x402

#endif
