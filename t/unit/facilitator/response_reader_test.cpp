// SPDX-License-Identifier: Apache-2.0
#include "facilitator/response_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "facilitator/facilitator_port.hpp"

namespace x402 {
namespace {

using State = ResponseReader::State;

constexpr const char *kOk = "HTTP/1.1 200 OK\r\n";

// Everything one can ask, as a line of text.
std::string told_by(ResponseReader &reader)
{
    switch (reader.state()) {
    case State::reading:
        return "reading";
    case State::failed:
        return std::string("failed: ") + reader.problem();
    case State::complete:
        break;
    }
    return std::to_string(reader.status()) + " \"" + reader.body() + "\""
           + (reader.location().empty() ? "" : " -> " + reader.location())
           + (reader.reusable() ? " kept" : " closed");
}

// What is told of the bytes in pieces of a size, and of their end if that is
// part of the case.
std::string told(const std::string &bytes, std::size_t size, bool ends)
{
    ResponseReader reader;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
        reader.feed(std::string_view(bytes).substr(at, size));
    }
    if (ends) {
        reader.end();
    }
    return told_by(reader);
}

// The same for every piece size, or it is said which one differs.
std::string read(const std::string &bytes, bool ends = false)
{
    std::string whole = told(bytes, bytes.size() + 1, ends);
    for (std::size_t size : {1, 2, 3, 5, 7, 16, 61, 1000}) {
        std::string again = told(bytes, size, ends);
        if (again != whole) {
            return "in pieces of " + std::to_string(size) + ": " + again
                   + "; else: " + whole;
        }
    }
    return whole;
}

std::string read_ok(const std::string &rest)
{
    return read(kOk + rest);
}

TEST(ResponseReader, ReadsALength)
{
    EXPECT_EQ(read_ok("Content-Length: 2\r\n\r\n{}"), "200 \"{}\" kept");
    EXPECT_EQ(read_ok("content-length:2\r\nA:\r\n\r\n{}"), "200 \"{}\" kept");
    EXPECT_EQ(read_ok("CONTENT-LENGTH: \t2\t \r\n\r\n{}"), "200 \"{}\" kept");
    EXPECT_EQ(read_ok("Content-Length: 0\r\n\r\n"), "200 \"\" kept");
    EXPECT_EQ(read_ok("Content-Length: 000000000000000002\r\n\r\n{}"),
              "200 \"{}\" kept");
    EXPECT_EQ(read_ok("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
              "200 \"{}\" kept");
    EXPECT_EQ(read_ok("Content-Length: 3\r\n\r\n{}"), "reading");
    EXPECT_EQ(read("HTTP/1.1 404 \r\nContent-Length: 1\r\n\r\n\n"),
              "404 \"\n\" kept");
    EXPECT_EQ(read("HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n"),
              "599 \"\" kept");
}

TEST(ResponseReader, RefusesALengthThatIsNone)
{
    for (const char *value :
         {"", " ", "-1", "+1", "1.0", "0x2", "2 2", "2, 2", "2;", "two", "2\t2",
          "9999999999999999999", "18446744073709551618"}) {
        EXPECT_EQ(
            read_ok(std::string("Content-Length: ") + value + "\r\n\r\n{}"),
            "failed: the answer has a Content-Length that is not a number")
            << value;
    }
    EXPECT_EQ(read_ok("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
              "failed: the answer has two different Content-Lengths");
    EXPECT_EQ(read_ok("Content-Length: 0\r\nContent-Length: 3\r\n\r\n{}"),
              "failed: the answer has two different Content-Lengths");
}

TEST(ResponseReader, ReadsChunks)
{
    const std::string head = "Transfer-Encoding: chunked\r\n\r\n";
    EXPECT_EQ(read_ok(head + "0\r\n\r\n"), "200 \"\" kept");
    EXPECT_EQ(read_ok(head + "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
              "200 \"{}\" kept");
    EXPECT_EQ(read_ok(head + "2;a=b;c=\"d\"\r\n{}\r\n000;x\r\n\r\n"),
              "200 \"{}\" kept");
    EXPECT_EQ(read_ok(head + "2 ;a\r\n{}\r\n0 \r\n\r\n"), "200 \"{}\" kept");
    EXPECT_EQ(read_ok(head + "0b\r\nhello world\r\n00\r\n\r\n"),
              "200 \"hello world\" kept");
    EXPECT_EQ(read_ok(head + "B\r\n\r\n\r\n\r\n\r\n\r\n\n\r\n0\r\n\r\n"),
              "200 \"\r\n\r\n\r\n\r\n\r\n\n\" kept");
    EXPECT_EQ(read_ok(head
                      + "2\r\n{}\r\n0\r\nA: b\r\nContent-Length: 9\r\n"
                        "Transfer-Encoding: x\r\nLocation: /x\r\n\r\n"),
              "200 \"{}\" kept")
        << "trailers mean nothing";
    EXPECT_EQ(read_ok(head + "2\r\n{}\r\n0\r\n"), "reading");
    EXPECT_EQ(read_ok(head + "2\r\n{}\r\n"), "reading");
    EXPECT_EQ(read_ok("transfer-encoding:CHUNKED\r\n\r\n0\r\n\r\n"),
              "200 \"\" kept");
}

TEST(ResponseReader, RefusesChunksThatAreNone)
{
    const std::string head = "Transfer-Encoding: chunked\r\n\r\n";
    const std::string no_size = "failed: the answer has a chunk without a size";
    for (const char *line :
         {"", " ", ";a", "g", "-1", "0x1", "1 1", "+2", " 2", "2 a", "zz"}) {
        EXPECT_EQ(read_ok(head + line + "\r\n{}\r\n0\r\n\r\n"), no_size)
            << line;
    }
    EXPECT_EQ(read_ok(head + "2\r\n{}}\r\n0\r\n\r\n"),
              "failed: the answer has a chunk that is longer than it says");
    EXPECT_EQ(read_ok(head + "2\n{}\r\n0\r\n\r\n"),
              "failed: the answer has a line that does not end in CR LF");
    EXPECT_EQ(read_ok(head + "2\r\n{}\n0\r\n\r\n"),
              "failed: the answer has a line that does not end in CR LF");
    EXPECT_EQ(read_ok(head + "0000000000000002\r\n{}"),
              "failed: the answer has a chunk of an impossible size");
    EXPECT_EQ(read_ok(head + "ffffffffffffffff\r\n{}"),
              "failed: the answer has a chunk of an impossible size");
    EXPECT_EQ(read_ok(head + "fffffffffffffff\r\n{}"),
              "failed: the answer is larger than 256 KB");
    EXPECT_EQ(read_ok(head + "2;" + std::string(300, 'a') + "\r\n{}"),
              "failed: the answer has a chunk line that is too long");
    EXPECT_EQ(read_ok(head + "2;" + std::string(300, 'a')),
              "failed: the answer has a chunk line that is too long");
    EXPECT_EQ(read_ok(head + "0\r\n folded\r\n\r\n"),
              "failed: the answer has a header line without a proper name");
    EXPECT_EQ(read_ok(head + "0\r\n"
                      + std::string(ResponseReader::kMaxHeadBytes, 'a')),
              "failed: the answer's head is larger than 16 KB");
}

TEST(ResponseReader, ReadsToTheEndOfTheConnection)
{
    EXPECT_EQ(read_ok("\r\n{}"), "reading");
    EXPECT_EQ(read(std::string(kOk) + "\r\n{}", true), "200 \"{}\" closed");
    EXPECT_EQ(read(std::string(kOk) + "\r\n", true), "200 \"\" closed");
    EXPECT_EQ(read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n{}", true),
              "200 \"{}\" closed");
}

TEST(ResponseReader, KnowsAnAnswerThatWasCut)
{
    EXPECT_EQ(read("", true),
              "failed: the connection was closed without an answer");
    const std::string whole =
        std::string("HTTP/1.1 100 Continue\r\n\r\n") + kOk
        + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nA: b\r\n\r\n";
    for (std::size_t size = 1; size < whole.size(); size++) {
        EXPECT_EQ(read(whole.substr(0, size), true),
                  "failed: the connection was closed in the middle of the "
                  "answer")
            << size;
    }
    EXPECT_EQ(read(whole, true), "200 \"{}\" kept");
    EXPECT_EQ(read(std::string(kOk) + "Content-Length: 3\r\n\r\n{}", true),
              "failed: the connection was closed in the middle of the answer");
}

TEST(ResponseReader, RefusesTwoFramings)
{
    const std::string both =
        "failed: the answer has Content-Length and Transfer-Encoding";
    EXPECT_EQ(read_ok("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "0\r\n\r\n"),
              both);
    EXPECT_EQ(read_ok("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"
                      "0\r\n\r\n"),
              both);
    const std::string other =
        "failed: the answer has a Transfer-Encoding other than chunked";
    for (const char *value :
         {"", "gzip", "gzip, chunked", "chunked, gzip", "chunked,chunked",
          "identity", "x-chunked", "chunked;q=1"}) {
        EXPECT_EQ(read_ok(std::string("Transfer-Encoding: ") + value
                          + "\r\n\r\n0\r\n\r\n"),
                  other)
            << value;
    }
    EXPECT_EQ(read_ok("Transfer-Encoding: chunked\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
              other);
    EXPECT_EQ(read("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                   "\r\n"),
              "failed: the answer is chunked in HTTP/1.0");
}

TEST(ResponseReader, RefusesOtherStatusLines)
{
    for (const char *line : {"",
                             " ",
                             "HTTP/1.1",
                             "HTTP/1.1 200OK",
                             "HTTP/1.1  200 OK",
                             "HTTP/1.1 20",
                             "HTTP/1.1 20x",
                             "HTTP/1.1 099 OK",
                             "HTTP/1.1 600 OK",
                             "HTTP/1.1 2000 OK",
                             "HTTP/1.2 200 OK",
                             "HTTP/2 200 OK",
                             "HTTP/2.0 200 OK",
                             "http/1.1 200 OK",
                             "HTTP/1.1\t200 OK",
                             " HTTP/1.1 200 OK",
                             "ICY 200 OK",
                             "{\"isValid\":true}",
                             "HTTP/1.1 +20 OK",
                             "HTTP/0.9 200 OK",
                             "HTTP/1.10 200"}) {
        EXPECT_EQ(read(std::string(line) + "\r\nContent-Length: 0\r\n\r\n"),
                  "failed: the answer is not HTTP/1.x")
            << line;
    }
}

TEST(ResponseReader, RefusesHeadsThatReadDifferently)
{
    const std::string rest = "\r\nContent-Length: 0\r\n\r\n";
    const std::string name =
        "failed: the answer has a header line without a proper name";
    for (const char *line :
         {" folded", "\tfolded", "A : b", "A", ":", ": b", "A b: c", "A\t: c",
          "\xc3\xa4: b", "(A): b", "A\"B: c", "Content-Length : 5"}) {
        EXPECT_EQ(read_ok(line + rest), name) << line;
    }
    const std::string control =
        "failed: the answer has a control character in its head";
    for (const std::string &line :
         {std::string("A: b\rc"), std::string("A: b\r"), std::string("A\r: b"),
          std::string("A: \0b", 5), std::string("\0", 1),
          std::string("A: b\x1b"), std::string("A: b\x7f"),
          std::string("A: b\v")}) {
        EXPECT_EQ(read_ok(line + rest), control) << line;
    }
    const std::string ends =
        "failed: the answer has a line that does not end in CR LF";
    EXPECT_EQ(read("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"), ends);
    EXPECT_EQ(read_ok("Content-Length: 0\n\r\n"), ends);
    EXPECT_EQ(read_ok("Content-Length: 0\r\n\n"), ends);
    EXPECT_EQ(read_ok("\n"), ends);
    EXPECT_EQ(read("\n"), ends);
    EXPECT_EQ(read_ok("!#$%&'*+-.^_`|~09aZ: \xe4\t\"\xff" + rest),
              "200 \"\" kept");
}

TEST(ResponseReader, PassesOverInterimAnswers)
{
    const std::string rest = std::string(kOk) + "Content-Length: 2\r\n\r\n{}";
    EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\n" + rest), "200 \"{}\" kept");
    EXPECT_EQ(read("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLocation: /x\r\n"
                   "Connection: close\r\n\r\n"
                   + rest),
              "200 \"{}\" kept")
        << "nothing of their heads stays";
    std::string many;
    for (unsigned i = 0; i < ResponseReader::kMaxInterimAnswers; i++) {
        many += "HTTP/1.1 102 Processing\r\n\r\n";
    }
    EXPECT_EQ(read(many + rest), "200 \"{}\" kept");
    const std::string cannot = "failed: the answer begins with interim answers "
                               "that are invalid or too many";
    EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\n" + many + rest), cannot);
    EXPECT_EQ(
        read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" + rest),
        cannot);
    EXPECT_EQ(read("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n" + rest),
              cannot);
    EXPECT_EQ(read("HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n"
                   + rest),
              cannot);
    EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\n"), "reading");
}

TEST(ResponseReader, KnowsAnswersWithoutABody)
{
    EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n"), "204 \"\" kept");
    EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
              "304 \"\" kept");
    EXPECT_EQ(read("HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n"),
              "204 \"\" closed");
    EXPECT_EQ(read("HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
              "304 \"\" closed");
    EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\nx"), "204 \"\" closed");
}

TEST(ResponseReader, RefusesWhatIsCompressed)
{
    for (const char *value : {"gzip", "br", "identity, gzip", "", "x"}) {
        EXPECT_EQ(read_ok(std::string("Content-Encoding: ") + value
                          + "\r\nContent-Length: 0\r\n\r\n"),
                  "failed: the answer is compressed, which was not asked for");
    }
    EXPECT_EQ(read_ok("Content-Encoding: Identity\r\nContent-Length: 0\r\n"
                      "\r\n"),
              "200 \"\" kept");
}

TEST(ResponseReader, RemembersWhereTo)
{
    const std::string front = "HTTP/1.1 307 Moved\r\nContent-Length: 0\r\n";
    EXPECT_EQ(read(front + "Location: https://a.org/b\r\n\r\n"),
              "307 \"\" -> https://a.org/b kept");
    EXPECT_EQ(read(front + "LOCATION:/b \r\nLocation: /b\r\n\r\n"),
              "307 \"\" -> /b kept");
    EXPECT_EQ(read(front + "Location: /b\r\nLocation: /c\r\n\r\n"),
              "failed: the answer has two different Locations");
    EXPECT_EQ(read(front + "Location:\r\nLocation: /c\r\n\r\n"),
              "failed: the answer has two different Locations");
}

TEST(ResponseReader, KnowsWhetherTheConnectionStays)
{
    struct Row {
        const char *version;
        const char *header;
        bool kept;
    };
    constexpr Row kRows[] = {
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: Close\r\n", false},
        {"1.1", "Connection: keep-alive\r\n", true},
        {"1.1", "Connection: keep-alive, close\r\n", false},
        {"1.1", "Connection: close,keep-alive\r\n", false},
        {"1.1", "Connection: a ,\tclose\t,\r\n", false},
        {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
        {"1.1", "Connection: closed\r\n", true},
        {"1.1", "Connection: ,\r\n", true},
        {"1.1", "Connection:\r\n", true},
        {"1.1", "Keep-Alive: timeout=5\r\n", true},
        {"1.0", "", false},
        {"1.0", "Connection: keep-alive\r\n", true},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
        {"1.0", "Keep-Alive: timeout=5\r\n", false},
    };
    for (const Row &row : kRows) {
        EXPECT_EQ(read(std::string("HTTP/") + row.version + " 200 OK\r\n"
                       + row.header + "Content-Length: 2\r\n\r\n{}"),
                  row.kept ? "200 \"{}\" kept" : "200 \"{}\" closed")
            << row.version << " " << row.header;
    }
}

TEST(ResponseReader, GivesUpAConnectionThatSaysMore)
{
    const std::string whole = std::string(kOk) + "Content-Length: 2\r\n\r\n{}";
    EXPECT_EQ(read(whole + "x"), "200 \"{}\" closed");
    EXPECT_EQ(read(whole + whole), "200 \"{}\" closed")
        << "an answer that nobody asked for";
    EXPECT_EQ(read_ok("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n"),
              "200 \"\" closed");
}

TEST(ResponseReader, HoldsNoMoreThanItMay)
{
    const std::string large(kMaxReplyBytes, 'x');
    const std::string too_large = "failed: the answer is larger than 256 KB";
    auto length = [](std::size_t n) {
        return "Content-Length: " + std::to_string(n) + "\r\n\r\n";
    };
    auto front = [](const std::string &text) { return text.substr(0, 60); };

    EXPECT_EQ(read_ok(length(large.size()) + large),
              "200 \"" + large + "\" kept");
    EXPECT_EQ(read_ok(length(large.size() + 1)), too_large)
        << "is refused before it comes";
    EXPECT_EQ(read(kOk + ("\r\n" + large), true),
              "200 \"" + large + "\" closed");
    EXPECT_EQ(front(read_ok("\r\n" + large + "x")), too_large);

    std::string chunks = "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < kMaxReplyBytes / 1024; i++) {
        chunks += "400\r\n" + std::string(1024, 'x') + "\r\n";
    }
    EXPECT_EQ(read_ok(chunks + "0\r\n\r\n"), "200 \"" + large + "\" kept");
    EXPECT_EQ(front(read_ok(chunks + "1\r\nx\r\n0\r\n\r\n")), too_large);

    const std::string head_too_large =
        "failed: the answer's head is larger than 16 KB";
    std::string many;
    while (many.size() < ResponseReader::kMaxHeadBytes) {
        many += "A: b\r\n";
    }
    EXPECT_EQ(read_ok(many + length(0)), head_too_large);
    EXPECT_EQ(read_ok("A: " + std::string(ResponseReader::kMaxHeadBytes, 'a')),
              head_too_large);
    EXPECT_EQ(read(std::string(ResponseReader::kMaxHeadBytes + 1, 'a')),
              head_too_large);
    std::string fits = "A: ";
    fits.append(ResponseReader::kMaxHeadBytes - 45, 'a');
    EXPECT_EQ(read_ok(fits + "\r\n" + length(0)), "200 \"\" kept");
}

TEST(ResponseReader, KnowsWhetherAnythingCame)
{
    ResponseReader reader;
    EXPECT_FALSE(reader.started());
    EXPECT_EQ(reader.feed(""), State::reading);
    EXPECT_FALSE(reader.started());
    EXPECT_EQ(reader.feed("H"), State::reading);
    EXPECT_TRUE(reader.started());
}

TEST(ResponseReader, StaysAsItEnded)
{
    ResponseReader reader;
    EXPECT_EQ(reader.feed("junk\r\n"), State::failed);
    const char *problem = reader.problem();
    EXPECT_EQ(reader.feed("HTTP/1.1 204 x\r\n\r\n"), State::failed);
    EXPECT_EQ(reader.end(), State::failed);
    EXPECT_EQ(reader.problem(), problem);
    EXPECT_FALSE(reader.reusable());

    ResponseReader other;
    EXPECT_EQ(other.feed("HTTP/1.1 204 x\r\n\r\n"), State::complete);
    EXPECT_EQ(other.end(), State::complete);
    EXPECT_TRUE(other.reusable());
}

// Any cutting of the same bytes, good or spoilt, tells the same.
TEST(ResponseReader, DoesNotCareHowBytesTravel)
{
    const std::vector<std::string> answers = {
        std::string("HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n") + kOk
            + "Content-Type: application/json\r\nContent-Length: 16\r\n"
              "Connection: keep-alive\r\n\r\n{\"isValid\":true}",
        std::string(kOk)
            + "Transfer-Encoding: chunked\r\n\r\n8;a=b\r\n{\"isVali\r\n"
              "8\r\nd\":true}\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.0 307 Moved\r\nLocation: http://a/b\r\n\r\nmoved",
    };
    constexpr char kSpoilers[] = "\r\n :;,0\0a\xff";
    std::mt19937 random(402);
    for (int round = 0; round < 6000; round++) {
        std::string bytes = answers[random() % answers.size()];
        for (unsigned spoilt = random() % 3; spoilt > 0; spoilt--) {
            char byte = kSpoilers[random() % (sizeof(kSpoilers) - 1)];
            std::size_t at = random() % bytes.size();
            if (random() % 2) {
                bytes[at] = byte;
            } else {
                bytes.insert(at, 1, byte);
            }
        }
        ResponseReader whole;
        ResponseReader cut;
        whole.feed(bytes);
        for (std::size_t at = 0; at < bytes.size();) {
            std::size_t size = 1 + random() % 20;
            cut.feed(std::string_view(bytes).substr(at, size));
            at += size;
        }
        if (random() % 2) {
            whole.end();
            cut.end();
        }
        ASSERT_EQ(told_by(cut), told_by(whole)) << bytes;
    }
}

}  // namespace
}  // namespace x402
