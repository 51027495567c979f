// SPDX-License-Identifier: Apache-2.0
// The errors with which a store answers (READONLY, OOM, MOVED, ...), by their
// first word: what becomes of the connection, and what the log says to do.
#ifndef X402_STORE_STORE_ERROR_HPP
#define X402_STORE_STORE_ERROR_HPP

#include <string_view>

namespace x402 {

struct StoreErrorAdvice {
    bool reconnect = false;  // the connection is of no use, or leads elsewhere
    bool operator_fault = false;  // only an operator can correct it
    const char *advice = "";      // for the log; empty: none is known
};
StoreErrorAdvice advice_of_store_error(std::string_view word);

}  // namespace x402

#endif
