// SPDX-License-Identifier: Apache-2.0
// The errors with which a store answers (READONLY, OOM, MOVED, ...), by their
// first word, or by what they say: what becomes of the connection, whether
// something was done, and what the log says to do.
#ifndef X402_STORE_STORE_ERROR_HPP
#define X402_STORE_STORE_ERROR_HPP

#include <string_view>

namespace x402 {

struct StoreErrorAdvice {
    bool reconnect = false;  // the connection is of no use, or leads elsewhere
    bool operator_fault = false;  // only an operator can correct it
    const char *advice = "";      // for the log; empty: none is known
};
// `error`: the whole text.
StoreErrorAdvice advice_of_store_error(std::string_view error);

// Money: the call was refused before it did anything. A script that an error
// ends in the middle may have written a part.
bool did_nothing(std::string_view error);

// The text without the place in the script, which is another for each of them:
// what the log says of all of them at once.
std::string_view store_error_text(std::string_view error);

}  // namespace x402

#endif
