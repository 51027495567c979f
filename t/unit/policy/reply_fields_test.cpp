// SPDX-License-Identifier: Apache-2.0
#include "policy/reply_fields.hpp"

#include <gtest/gtest.h>

using namespace x402;

namespace {

const JsonNames kNames = {"usage_total_tokens", "x"};

std::string read(ReplyForm form, std::string_view text, std::size_t piece,
                 std::string_view name = "usage_total_tokens")
{
    ReplyFields fields(form, kNames);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        fields.feed(text.substr(at, piece));
    }
    fields.finish();
    return std::string(fields.value(name));
}

TEST(ReplyFields, KnowsTheFormByItsType)
{
    EXPECT_EQ(reply_form("text/event-stream"), ReplyForm::event_stream);
    EXPECT_EQ(reply_form("Text/Event-Stream ; charset=utf-8"),
              ReplyForm::event_stream);
    EXPECT_EQ(reply_form("application/x-ndjson"), ReplyForm::json_lines);
    EXPECT_EQ(reply_form("application/json"), ReplyForm::json);
    EXPECT_EQ(reply_form(""), ReplyForm::json);
}

TEST(ReplyFields, ReadsAJsonAnswerThatIsWhole)
{
    std::string_view text = R"({"usage":{"total_tokens":5}})";
    EXPECT_EQ(read(ReplyForm::json, text, 3), "5");
    EXPECT_EQ(read(ReplyForm::json, text.substr(0, text.size() - 1), 3), "");
    EXPECT_EQ(read(ReplyForm::json, "<html>", 3), "");
    EXPECT_EQ(read(ReplyForm::json, text, 3, "never_asked_for"), "");
}

TEST(ReplyFields, ReadsTheLastLineThatSaysIt)
{
    std::string_view text =
        "{\"done\":false}\r\n\n{\"usage\":{\"total_tokens\":"
        "7}}\n{\"x\":1}\nno json\n";
    for (std::size_t piece = 1; piece < text.size(); piece++) {
        EXPECT_EQ(read(ReplyForm::json_lines, text, piece), "7") << piece;
    }
    EXPECT_EQ(read(ReplyForm::json_lines, "{\"x\":\"8\"}", 1, "x"), "8");
}

constexpr std::string_view kEvents[] = {
    ": a comment\n\ndata: {\"usage\":null}\n\nevent: more\nid: 1\ndata:{\"x\":"
    "1,\ndata: \"usage\":{\"total_tokens\":1000}}\n\ndata: {\"choices\":[]}\n\n"
    "data: [DONE]\n\ndata: {\"usage\":{\"total_tokens\":1}}\n\n",
    "data: {\"usage\":{\"total_tokens\":9}}\n\ndata: {\"usage\":{\"total_tokens"
    "\":1000}}",
    "datas: {\"usage\":{\"total_tokens\":1}}\n\ndata: "
    "{\"usage\":{\"total_tokens\":1000}}\n\ndat: {\"usage\":{\"total_tokens\":"
    "2}}\n\ndata\n\ndata: {\"usage\":{\n\n",
};

TEST(ReplyFields, ReadsAStreamOfEventsWhereverItIsCut)
{
    for (std::string_view written : kEvents) {
        for (std::string_view end : {"\n", "\r\n", "\r"}) {
            std::string text;
            for (char byte : written) {
                text += byte == '\n' ? end : std::string_view(&byte, 1);
            }
            for (std::size_t piece = 1; piece <= text.size(); piece++) {
                EXPECT_EQ(read(ReplyForm::event_stream, text, piece), "1000")
                    << piece << " of " << text;
            }
        }
    }
}

// Clients ignore it, so that what follows is an answer like any other.
TEST(ReplyFields, IgnoresAByteOrderMark)
{
    const std::string json = R"({"usage":{"total_tokens":5}})";
    const std::string mark = "\xef\xbb\xbf";
    for (std::size_t piece : {1, 2, 3, 100}) {
        EXPECT_EQ(read(ReplyForm::json, mark + json, piece), "5");
        EXPECT_EQ(read(ReplyForm::json_lines, mark + json + "\n", piece), "5");
        EXPECT_EQ(read(ReplyForm::event_stream, mark + "data:" + json, piece),
                  "5");
        EXPECT_EQ(read(ReplyForm::json, mark + mark + json, piece), "");
        EXPECT_EQ(read(ReplyForm::json, mark.substr(0, 2) + json, piece), "");
        EXPECT_EQ(read(ReplyForm::event_stream, json + mark, piece), "");
    }
}

TEST(ReplyFields, SaysNothingThatIsNotUnique)
{
    EXPECT_EQ(read(ReplyForm::event_stream,
                   "data: {\"usage\":{\"total_tokens\":1,\"total_tokens\":"
                   "2}}\n\n",
                   100),
              "");
    EXPECT_EQ(read(ReplyForm::event_stream, "", 1), "");
    EXPECT_EQ(read(ReplyForm::event_stream, "data: [DONE]\n\n", 1), "");
}

}  // namespace
