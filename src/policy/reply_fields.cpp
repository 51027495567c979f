// SPDX-License-Identifier: Apache-2.0
#include "policy/reply_fields.hpp"

#include <algorithm>
#include <utility>

namespace x402 {

namespace {

constexpr std::string_view kData = "data";
constexpr std::string_view kDone = "[DONE]";

bool is_blank(std::string_view text)
{
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

ReplyForm reply_form(std::string_view content_type)
{
    std::string type(content_type.substr(0, content_type.find(';')));
    type.erase(type.find_last_not_of(" \t") + 1);
    std::transform(type.begin(), type.end(), type.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a')
                                          : byte;
    });
    if (type == "text/event-stream") {
        return ReplyForm::event_stream;
    }
    bool lines = type == "application/x-ndjson" || type == "application/ndjson"
                 || type == "application/jsonl"
                 || type == "application/x-jsonlines";
    return lines ? ReplyForm::json_lines : ReplyForm::json;
}

ReplyFields::ReplyFields(ReplyForm form, const JsonNames &names)
    : form_(form), names_(names), scanner_(names), values_(names.size())
{
}

void ReplyFields::feed(std::string_view piece)
{
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    while (mark_ < kMark.size() && !piece.empty()) {
        if (piece.front() != kMark[mark_]) {
            read(kMark.substr(0, std::exchange(mark_, kMark.size())));
            break;
        }
        mark_++;
        piece.remove_prefix(1);
    }
    read(piece);
}

void ReplyFields::read(std::string_view piece)
{
    switch (form_) {
    case ReplyForm::json:
        scanner_.feed(piece);
        break;
    case ReplyForm::json_lines:
        feed_lines(piece);
        break;
    case ReplyForm::event_stream:
        feed_events(piece);
        break;
    }
}

void ReplyFields::finish()
{
    if (form_ == ReplyForm::event_stream) {
        end_event();
    } else {
        end_text();
    }
}

std::string_view ReplyFields::value(std::string_view name) const
{
    for (std::size_t i = 0; i < names_.size(); i++) {
        if (names_[i] == name) {
            return values_[i];
        }
    }
    return {};
}

// A text that is not JSON says nothing; in a stream the next may.
void ReplyFields::end_text()
{
    if (scanner_.finish()) {
        const auto &found = scanner_.found();
        for (std::size_t i = 0; i < found.size(); i++) {
            if (found[i].count > 0) {
                values_[i] = found[i].count == 1 ? found[i].text : "";
            }
        }
    }
    scanner_.restart();
    empty_ = true;
}

void ReplyFields::feed_lines(std::string_view piece)
{
    while (!piece.empty()) {
        std::size_t end = piece.find('\n');
        std::string_view part = piece.substr(0, end);
        scanner_.feed(part);
        empty_ = empty_ && is_blank(part);
        if (end == std::string_view::npos) {
            return;
        }
        if (!empty_) {
            end_text();
        }
        piece.remove_prefix(end + 1);
    }
}

// Lines end with CR LF, LF or CR.
void ReplyFields::feed_events(std::string_view piece)
{
    while (!piece.empty() && !done_) {
        if (after_cr_ && piece.front() == '\n') {
            piece.remove_prefix(1);
        }
        after_cr_ = false;
        std::size_t end = piece.find_first_of("\r\n");
        take_line_part(piece.substr(0, end));
        if (end == std::string_view::npos) {
            return;
        }
        after_cr_ = piece[end] == '\r';
        end_line();
        piece.remove_prefix(end + 1);
    }
}

void ReplyFields::take_line_part(std::string_view part)
{
    if (part.empty()) {
        return;
    }
    line_empty_ = false;
    if (line_ == Line::name) {
        std::size_t colon = part.find(':');
        std::string_view name = part.substr(0, colon);
        // One byte more than "data" is another name.
        name_ += name.substr(0, kData.size() + 1 - name_.size());
        if (colon == std::string_view::npos) {
            return;
        }
        line_ = name_ == kData ? Line::value : Line::other;
        part.remove_prefix(colon + 1);
        if (line_ == Line::value && !empty_) {
            take_data("\n");  // another line of the same data
        }
    }
    if (line_ == Line::value && !part.empty()) {
        part.remove_prefix(part.front() == ' ' ? 1 : 0);
        line_ = Line::data;
    }
    if (line_ == Line::data) {
        take_data(part);
    }
}

void ReplyFields::take_data(std::string_view part)
{
    // One byte more than [DONE] is something else.
    start_ += part.substr(0, kDone.size() + 1 - start_.size());
    scanner_.feed(part);
    empty_ = false;
}

void ReplyFields::end_line()
{
    if (line_empty_) {
        end_event();
    }
    line_ = Line::name;
    line_empty_ = true;
    name_.clear();
}

void ReplyFields::end_event()
{
    if (start_ == kDone) {
        done_ = true;
    }
    if (!empty_ && !done_) {
        end_text();
    }
    start_.clear();
}

}  // namespace x402
