// SPDX-License-Identifier: Apache-2.0
// Reads a facilitator's HTTP/1.x response (RFC 9112) while it arrives.
//
// The transport passes the bytes of one connection as they arrive, in pieces of
// any size, and reports when the peer has closed. The reader is strict: a
// response that two readers could understand in two ways (both framings, a
// folded line, a bare CR or LF, a compressed body) is an error.
#ifndef X402_FACILITATOR_RESPONSE_READER_HPP
#define X402_FACILITATOR_RESPONSE_READER_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace x402 {

class ResponseReader {
public:
    enum class State {
        reading,   // more bytes are needed
        complete,  // status(), body(), location() and reusable() are known
        failed,    // problem() says why; nothing else of it may be used
    };

    // All status lines, headers and trailers together.
    static constexpr std::size_t kMaxHeadBytes = 16 * 1024;
    static constexpr std::size_t kMaxChunkLineBytes = 256;
    static constexpr unsigned kMaxInterimAnswers = 8;

    // Bytes as they arrived. Bytes after a complete answer only show that the
    // connection must not be used again.
    State feed(std::string_view bytes);
    // The peer has closed: the end of an answer without a length.
    State end();

    State state() const { return state_; }
    // Whether a byte of an answer came; an interim answer counts.
    bool started() const { return started_; }
    // Why it failed, a sentence for the log; nullptr: it has not failed.
    const char *problem() const { return problem_; }

    int status() const { return status_; }
    std::string &body() { return body_; }  // at most kMaxReplyBytes
    // As written, absolute or not; empty: none.
    std::string &location() { return location_; }
    // All Cache-Control lines, joined by commas.
    std::string &cache_control() { return cache_control_; }
    // The value of Retry-After: seconds or a date (RFC 9110, 10.2.3).
    const std::string &retry_after() const { return retry_after_; }
    // The value of Extension-Responses (x402 v2): see extension_responses.hpp.
    std::string &extension_responses() { return extension_responses_; }
    // Whether another request may follow on the connection.
    bool reusable() const
    {
        return state_ == State::complete && framed_ && keep_alive_;
    }

private:
    enum class Expecting {
        status_line,
        header_line,
        body,
        chunk_line,
        chunk_bytes,
        chunk_end,
        trailer_line,
        end,
    };

    void read_line(std::string_view line);
    void read_status_line(std::string_view line);
    void read_field(std::string_view line);
    void read_header(std::string_view name, std::string_view value);
    void read_content_length(std::string_view value);
    void read_transfer_encoding(std::string_view value);
    void read_connection(std::string_view value);
    void read_location(std::string_view value);
    void read_chunk_line(std::string_view line);
    void head_ended();
    void take_body(std::string_view &bytes);
    void take_line(std::string_view &bytes);
    void complete();
    void fail(const char *problem);

    State state_ = State::reading;
    Expecting expecting_ = Expecting::status_line;
    const char *problem_ = nullptr;
    std::string line_;            // the part of a line that has arrived
    std::size_t head_bytes_ = 0;  // read, of kMaxHeadBytes
    std::uint64_t left_ = 0;      // of the body or the chunk
    unsigned interim_ = 0;
    int status_ = 0;
    bool started_ = false;
    bool has_length_ = false;
    bool chunked_ = false;
    bool framed_ = true;  // its end does not depend on the connection's
    bool old_ = false;    // HTTP/1.0
    bool keep_alive_ = true;
    bool said_close_ = false;
    bool said_keep_alive_ = false;
    bool has_location_ = false;
    std::string location_;
    std::string cache_control_;
    std::string retry_after_;
    std::string extension_responses_;
    std::string body_;
};

}  // namespace x402

#endif
