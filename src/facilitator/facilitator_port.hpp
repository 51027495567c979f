// SPDX-License-Identifier: Apache-2.0
// The interface to the outside: how the pure rooms see a call to a facilitator.
//
// The implementation owns a call from start() until `done` has been called, or
// cancel() or detach(). `done` is called exactly once, after start() has
// returned, never from inside it; the reply is valid during that call.
#ifndef X402_FACILITATOR_FACILITATOR_PORT_HPP
#define X402_FACILITATOR_FACILITATOR_PORT_HPP

#include <cstddef>
#include <string>

namespace x402 {

enum class Transport {
    answered,       // a complete HTTP answer: status, body
    not_sent,       // proof that no byte of the request left: refused, no
                    // address, TLS failure
    no_connection,  // the same, because there was no connection in time
    timed_out,      // sent or partly sent, no complete answer in time
    broken,         // reset, cut, unreadable, too large, second send refused
};

struct FacilitatorReply {
    Transport transport = Transport::not_sent;
    bool sent_completely = false;  // every byte of the request was passed on
    int status = 0;        // also of an answer that broke off after it; 0: none
    std::string body;      // at most kMaxReplyBytes
    std::string location;  // of a 3xx
    std::string cache_control;
    std::string extension_responses;  // Extension-Responses, as sent
    unsigned retry_after = 0;         // s, also if a date was sent; 0: none
    std::string detail;               // for the log: what went wrong, where
};

constexpr std::size_t kMaxReplyBytes = 256 * 1024;

}  // namespace x402

#endif
