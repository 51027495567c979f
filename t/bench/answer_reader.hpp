// SPDX-License-Identifier: Apache-2.0
// One HTTP/1.1 answer after another out of a stream of bytes, with just enough
// understanding to know where it ends and whether it is the right one.
#ifndef X402_BENCH_ANSWER_READER_HPP
#define X402_BENCH_ANSWER_READER_HPP

#include <strings.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace x402_bench {

struct Answer {
    int status = 0;
    bool has_header = false;  // the one that was asked for
    bool keep_alive = true;
    std::string_view body;  // as sent; chunks are joined in `joined`
    std::string joined;
};

class AnswerReader {
public:
    // Room for the next bytes.
    char *room()
    {
        if (buffer_.size() - used_ < kLeastRoom) {
            buffer_.resize(buffer_.size() * 2);
        }
        return buffer_.data() + used_;
    }
    std::size_t room_size() const { return buffer_.size() - used_; }
    void add(std::size_t bytes) { used_ += bytes; }
    void clear() { used_ = 0; }

    // True when a whole answer is there; its bytes are then taken out. Answers
    // are never pipelined here, so nothing may follow. `header` in lower case.
    bool take(std::string_view header, Answer &answer)
    {
        std::string_view all{buffer_.data(), used_};
        std::size_t end = all.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            return false;
        }
        answer = Answer{};
        answer.status = all.size() > 12 ? std::atoi(buffer_.data() + 9) : 0;
        bool chunked = false;
        std::size_t length = 0;
        read_head(all.substr(0, end + 2), header, answer, length, chunked);
        std::string_view rest = all.substr(end + 4);
        if (chunked) {
            if (!join_chunks(rest, answer.joined)) {
                return false;
            }
            answer.body = answer.joined;
        } else {
            if (rest.size() < length) {
                return false;
            }
            answer.body = rest.substr(0, length);
        }
        used_ = 0;
        return true;
    }

private:
    static constexpr std::size_t kLeastRoom = 2048;

    static bool is(std::string_view line, std::string_view name)
    {
        return line.size() > name.size() && line[name.size()] == ':'
               && strncasecmp(line.data(), name.data(), name.size()) == 0;
    }

    static void read_head(std::string_view head, std::string_view header,
                          Answer &answer, std::size_t &length, bool &chunked)
    {
        while (!head.empty()) {
            std::size_t size = head.find('\n');
            std::string_view line = head.substr(0, size);
            if (is(line, "content-length")) {
                length = std::strtoul(line.data() + 15, nullptr, 10);
            } else if (is(line, "transfer-encoding")) {
                chunked = true;
            } else if (is(line, "connection")) {
                answer.keep_alive = line.find("lose") == line.npos;
            } else if (!header.empty() && is(line, header)) {
                answer.has_header = true;
            }
            head.remove_prefix(size + 1);
        }
    }

    static bool join_chunks(std::string_view rest, std::string &joined)
    {
        for (;;) {
            std::size_t line = rest.find("\r\n");
            if (line == rest.npos) {
                return false;
            }
            std::size_t size = std::strtoul(rest.data(), nullptr, 16);
            rest.remove_prefix(line + 2);
            if (rest.size() < size + 2) {
                return false;
            }
            if (size == 0) {
                return true;
            }
            joined += rest.substr(0, size);
            rest.remove_prefix(size + 2);
        }
    }

    std::string buffer_ = std::string(8192, '\0');
    std::size_t used_ = 0;
};

}  // namespace x402_bench

#endif
