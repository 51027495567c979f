// SPDX-License-Identifier: Apache-2.0
// Whether a server can be the memory that machines share: read from what it
// says of itself when a connection is opened.
#ifndef X402_STORE_STORE_CHECK_HPP
#define X402_STORE_STORE_CHECK_HPP

#include <string>
#include <string_view>

#include "store/store_url.hpp"

namespace x402 {

// `info`: the answer to INFO. A sentence for the log that says what to do;
// empty: it can. Money: a server that evicts would forget payments, and one
// that is a replica would refuse them, or have old ones; in a cluster it tells
// where its master is.
std::string check_store_info(std::string_view info, StoreTopology topology);

}  // namespace x402

#endif
