// What a facilitator sends back, read as HTTP/1.x (RFC 9112) while it arrives.
//
// The transport feeds it the bytes of one connection as they come, in pieces of
// any size, and says when the peer has closed. It is strict: where two readers
// could see two different answers (both framings, a folded line, a bare CR or
// LF, a compressed body) it sees none. It never asks for more than it holds.
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
        failed,    // problem() says why; nothing else of it may be believed
    };

    // All status lines, headers and trailers together.
    static constexpr std::size_t kMaxHeadBytes = 16 * 1024;
    static constexpr std::size_t kMaxChunkLineBytes = 256;
    static constexpr unsigned kMaxInterimAnswers = 8;

    // Bytes as they came. What follows a complete answer is looked at only to
    // know that the connection must not be used again.
    State feed(std::string_view bytes);
    // The peer has closed: the end of an answer without a length.
    State end();

    State state() const { return state_; }
    // A byte of an answer came, an interim one counts.
    bool started() const { return started_; }
    // Why it failed, a sentence for the log. nullptr while it has not.
    const char *problem() const { return problem_; }

    int status() const { return status_; }
    std::string &body() { return body_; }  // at most kMaxReplyBytes
    // As it was written, absolute or not; empty: none.
    std::string &location() { return location_; }
    // All Cache-Control lines, joined by commas.
    std::string &cache_control() { return cache_control_; }
    // The value of Retry-After: seconds or a date (RFC 9110, 10.2.3).
    const std::string &retry_after() const { return retry_after_; }
    // The connection stands where another request may begin.
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
    std::string line_;            // the part of a line that has come
    std::size_t head_bytes_ = 0;  // seen, of kMaxHeadBytes
    std::uint64_t left_ = 0;      // of the body or the chunk
    unsigned interim_ = 0;
    int status_ = 0;
    bool started_ = false;
    bool has_length_ = false;
    bool chunked_ = false;
    bool framed_ = true;  // its end is known without the connection's
    bool old_ = false;    // HTTP/1.0
    bool keep_alive_ = true;
    bool said_close_ = false;
    bool said_keep_alive_ = false;
    bool has_location_ = false;
    std::string location_;
    std::string cache_control_;
    std::string retry_after_;
    std::string body_;
};

}  // namespace x402

#endif
