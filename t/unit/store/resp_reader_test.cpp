// SPDX-License-Identifier: Apache-2.0
#include "store/resp_reader.hpp"

#include <gtest/gtest.h>

#include <string>

#include "store/resp_writer.hpp"

namespace x402 {
namespace {

using State = RespReply::State;

std::string item_text(const RespReply &reply, const RespItem &item)
{
    switch (item.type) {
    case RespType::text:
        return "+" + std::string(item.text);
    case RespType::error:
        return "-" + std::string(item.text);
    case RespType::integer:
        return std::to_string(item.integer);
    case RespType::bytes:
        return "\"" + std::string(item.text) + "\"";
    case RespType::nothing:
        return "null";
    case RespType::list:
        break;
    }
    std::string all;
    for (std::size_t i = 0; i < item.count; i++) {
        all += (i ? " " : "") + item_text(reply, reply.member(item, i));
    }
    return "[" + all + "]";
}

// What is read of the bytes. Each shorter part of a whole reply must be
// incomplete, and each shorter part of a broken one incomplete or broken.
std::string read(const std::string &bytes)
{
    RespReply whole;
    State state = whole.read(bytes);
    std::size_t end = state == State::complete ? whole.used() : bytes.size();
    for (std::size_t size = 0; size < end; size++) {
        // On the heap, without a byte behind it: the sanitizer sees a step
        // beyond the end.
        std::string cut = bytes.substr(0, size);
        RespReply part;
        State cut_state = part.read(cut);
        bool as_expected = cut_state == State::incomplete
                           || (state == State::broken && cut_state == state);
        if (!as_expected) {
            return "cut at " + std::to_string(size) + " it is another";
        }
    }
    switch (state) {
    case State::incomplete:
        return "incomplete";
    case State::broken:
        return std::string("broken: ") + whole.problem();
    case State::complete:
        break;
    }
    std::string rest = bytes.substr(whole.used());
    return item_text(whole, whole.root())
           + (rest.empty() ? "" : " and " + std::to_string(rest.size()));
}

TEST(RespReader, ReadsEachTypeCutAtEveryByte)
{
    EXPECT_EQ(read("+OK\r\n"), "+OK");
    EXPECT_EQ(read("+\r\n"), "+");
    EXPECT_EQ(read("-ERR unknown\r\n"), "-ERR unknown");
    EXPECT_EQ(read(":0\r\n"), "0");
    EXPECT_EQ(read(":-9223372036854775808\r\n"), "-9223372036854775808");
    EXPECT_EQ(read("$0\r\n\r\n"), "\"\"");
    EXPECT_EQ(read("$4\r\na\r\nb\r\n"), "\"a\r\nb\"");
    EXPECT_EQ(read("$-1\r\n"), "null");
    EXPECT_EQ(read("*-1\r\n"), "null");
    EXPECT_EQ(read("*0\r\n"), "[]");
    EXPECT_EQ(read("*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n+b\r\n"),
              "[1 [\"a\" null] +b]");
}

TEST(RespReader, LeavesTheNextReplyAlone)
{
    EXPECT_EQ(read("+OK\r\n:1\r\n"), "+OK and 4");
    EXPECT_EQ(read("*1\r\n:1\r\ngarbage"), "[1] and 7");
}

TEST(RespReader, RefusesWhatTwoReadersCouldReadInTwoWays)
{
    EXPECT_EQ(read("HTTP/1.1 400 Bad Request\r\n"),
              "broken: a reply of no type that RESP2 has");
    EXPECT_EQ(read("%1\r\n+a\r\n:1\r\n"),
              "broken: a reply of no type that RESP2 has");
    EXPECT_EQ(read("+OK\n"), "broken: a line feed without a carriage return");
    EXPECT_EQ(read("+O\rK\r\n"),
              "broken: a carriage return without a line feed");
    for (const char *number : {"", "+1", "01", "-0", "1 ", " 1", "0x1", "1.0",
                               "9223372036854775808", "--1"}) {
        EXPECT_EQ(read(std::string(":") + number + "\r\n"),
                  "broken: an integer that is not written as one")
            << number;
    }
    for (const char *number : {"", "-2", "01", "-0", "a", "1a"}) {
        EXPECT_EQ(read(std::string("$") + number + "\r\n"),
                  "broken: a string without a length")
            << number;
        EXPECT_EQ(read(std::string("*") + number + "\r\n"),
                  "broken: a list without a length")
            << number;
    }
    EXPECT_EQ(read("$1\r\nab\r\n"),
              "broken: a string that is longer than it says");
    EXPECT_EQ(read("$1\r\na\n"),
              "broken: a string that is longer than it says");
    EXPECT_EQ(read("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"),
              "broken: lists in lists beyond four levels");
}

TEST(RespReader, HasLimits)
{
    EXPECT_EQ(read("$262145\r\n"), "broken: a reply of more than 256 KB");
    EXPECT_EQ(read("*257\r\n"), "broken: a reply of more than 256 items");
    EXPECT_EQ(read("+" + std::string(4097, 'a') + "\r\n"),
              "broken: a line of more than 4 KB");
    EXPECT_EQ(read("+" + std::string(4096, 'a') + "\r\n"),
              "+" + std::string(4096, 'a'));
    std::string items = "*2\r\n*128\r\n";
    std::string hundred;
    for (int i = 0; i < 128; i++) {
        hundred += ":1\r\n";
    }
    RespReply reply;
    EXPECT_EQ(reply.read(items + hundred + "*128\r\n" + hundred),
              State::broken);
    std::string half = "$140000\r\n" + std::string(140000, 'a') + "\r\n";
    EXPECT_EQ(reply.read("*2\r\n" + half + half), State::broken);
    EXPECT_EQ(reply.read("*2\r\n" + half + half.substr(0, 130000)),
              State::broken);
    EXPECT_EQ(reply.read("*1\r\n" + half), State::complete);
    EXPECT_EQ(reply.problem(), nullptr);
}

TEST(RespReader, AnAnswerOfAnotherFormHasNoMembers)
{
    RespReply reply;
    ASSERT_EQ(reply.read(":1\r\n"), State::complete);
    EXPECT_EQ(reply.member(0).type, RespType::nothing);
    ASSERT_EQ(reply.read("*1\r\n:1\r\n"), State::complete);
    EXPECT_EQ(reply.member(0).integer, 1);
    EXPECT_EQ(reply.member(1).type, RespType::nothing);
    EXPECT_EQ(reply.error_word(), "");
    ASSERT_EQ(reply.read("-NOSCRIPT No matching\r\n"), State::complete);
    EXPECT_EQ(reply.error_word(), "NOSCRIPT");
    ASSERT_EQ(reply.read("-ERR\r\n"), State::complete);
    EXPECT_EQ(reply.error_word(), "ERR");
}

TEST(RespWriter, WritesCommandsOneBehindTheOther)
{
    char buffer[256];
    RespWriter writer(buffer, sizeof(buffer));
    writer.begin(1).add("PING");
    writer.begin(3).add("SET").add(std::string_view("a\0b", 3)).add(-7);
    EXPECT_TRUE(writer.complete());
    EXPECT_EQ(writer.text(), std::string("*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET"
                                         "\r\n$3\r\na\0b\r\n$2\r\n-7\r\n",
                                         44));
}

TEST(RespWriter, SaysWhatDidNotFitOrIsNotWhole)
{
    char buffer[32];
    for (std::size_t room = 0; room < 14; room++) {
        RespWriter writer(buffer, room);
        writer.begin(1).add("PING");
        EXPECT_FALSE(writer.complete()) << room;
        EXPECT_LE(writer.size(), room);
    }
    RespWriter exact(buffer, 14);
    EXPECT_TRUE(exact.begin(1).add("PING").complete());
    RespWriter few(buffer, sizeof(buffer));
    EXPECT_FALSE(few.begin(2).add("PING").complete());
    RespWriter many(buffer, sizeof(buffer));
    EXPECT_FALSE(many.begin(1).add("a").add("b").complete());
    RespWriter early(buffer, sizeof(buffer));
    EXPECT_FALSE(early.begin(2).add("a").begin(1).add("b").complete());
    std::size_t most = kRespCommandBytes + resp_argument_bytes(4);
    EXPECT_LE(exact.size(), most);
}

}  // namespace
}  // namespace x402
