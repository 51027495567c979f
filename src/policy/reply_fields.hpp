// SPDX-License-Identifier: Apache-2.0
// The members of an answer that say what it has cost ($x402_reply_<field>),
// read while the answer passes. Made by filter/reply_usage. The answer itself
// is not kept.
#ifndef X402_POLICY_REPLY_FIELDS_HPP
#define X402_POLICY_REPLY_FIELDS_HPP

#include "base/json_scanner.hpp"

namespace x402 {

enum class ReplyForm {
    json,          // one JSON text
    json_lines,    // one in each line
    event_stream,  // one in the data of each event (HTML, server-sent events)
};

// By the media type, in any case, with or without parameters. Whatever is not
// a stream is read as one JSON text.
ReplyForm reply_form(std::string_view content_type);

class ReplyFields {
public:
    // Lifetime: `names` outlives the reader.
    ReplyFields(ReplyForm form, const JsonNames &names);

    // Any part of the answer, cut anywhere.
    void feed(std::string_view piece);
    // The answer ends. Before that a JSON text has no value.
    void finish();

    // Of the last text that has it, in a stream up to the event [DONE]. Empty:
    // none has, or it has it more than once, or it is not JSON.
    std::string_view value(std::string_view name) const;

private:
    void read(std::string_view piece);
    void feed_lines(std::string_view piece);
    void feed_events(std::string_view piece);
    void take_line_part(std::string_view part);
    void take_data(std::string_view part);
    void end_line();
    void end_event();
    void end_text();

    ReplyForm form_;
    const JsonNames &names_;
    JsonScanner scanner_;
    std::vector<std::string> values_;
    bool empty_ = true;     // nothing of the present text has come
    std::size_t mark_ = 0;  // bytes of a byte order mark, which clients ignore
    // Of a stream of events:
    enum class Line { name, value, data, other } line_ = Line::name;
    bool line_empty_ = true;
    bool after_cr_ = false;
    std::string name_;   // of the field
    std::string start_;  // of the event's data
    bool done_ = false;
};

}  // namespace x402

#endif
