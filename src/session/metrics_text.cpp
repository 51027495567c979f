// SPDX-License-Identifier: Apache-2.0
#include "session/metrics_text.hpp"

#include <algorithm>
#include <charconv>

#include "base/decimal_amount.hpp"
#include "base/json_text.hpp"

namespace x402 {

std::string metric_label(const char *name, std::string_view value)
{
    std::string room;
    std::string_view json = inside_json_string(value, room);
    std::string out = name;
    out += "=\"";
    // JSON escapes \ and " the same way; other escapes are not known there.
    for (std::size_t i = 0; i < json.size(); i++) {
        std::size_t plain = std::min(json.find('\\', i), json.size());
        out += json.substr(i, plain - i);
        i = plain;
        if (i == json.size()) {
            break;
        }
        if (char next = json[++i]; next == '"' || next == '\\') {
            out += {'\\', next};
        } else if (next == 'n') {
            out += "\\n";
        } else {
            out += ' ';
            i += next == 'u' ? 4 : 0;
        }
    }
    out += '"';
    return out;
}

void MetricsText::family(const char *name, MetricKind kind, const char *help)
{
    name_ = std::string("nginx_x402_") + name;
    std::string shown = name_;
    if (kind == MetricKind::counter) {
        name_ += "_total";
        shown = format_ == Exposition::openmetrics ? shown : name_;
    }
    constexpr const char *kTypes[] = {"counter", "gauge", "histogram"};
    append("# HELP " + shown + " " + help + "\n# TYPE " + shown + " "
           + kTypes[static_cast<int>(kind)] + "\n");
}

void MetricsText::append(std::string_view text)
{
    out_.replace(used_, std::string::npos, text);
    used_ = out_.size();
}

// There are ten thousands of them in a scrape: the text grows by many at once.
void MetricsText::sample(std::string_view labels, std::string_view value,
                         std::string_view suffix, std::string_view more)
{
    auto put = [](char *to, std::string_view text) {
        return std::copy(text.begin(), text.end(), to);
    };
    std::size_t in_braces =
        labels.empty() ? 0 : labels.size() + more.size() + 2;
    std::size_t length =
        name_.size() + suffix.size() + in_braces + value.size() + 2;
    if (out_.size() - used_ < length) {
        out_.resize(used_ + length + kStep);
    }
    char *to = put(put(out_.data() + used_, name_), suffix);
    used_ += length;
    if (!labels.empty()) {
        *to++ = '{';
        to = put(put(to, labels), more);
        *to++ = '}';
    }
    *to++ = ' ';
    to = put(to, value);
    *to = '\n';
}

void MetricsText::sample(std::string_view labels, std::uint64_t value,
                         std::string_view more)
{
    char digits[20];
    auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
    sample(labels, {digits, static_cast<std::size_t>(end - digits)}, {}, more);
}

void MetricsText::histogram(const std::string &labels,
                            const DurationCounts &counts)
{
    const auto &bounds = DurationCounts::bounds();
    std::string lead = labels.empty() ? "le=\"" : labels + ",le=\"";
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < counts.buckets.size(); i++) {
        so_far += counts.buckets[i];
        std::string le = i < bounds.size() ? seconds(bounds[i]) : "+Inf";
        sample(lead + le + '"', std::to_string(so_far), "_bucket");
    }
    sample(labels, seconds(counts.sum), "_sum");
    sample(labels, std::to_string(so_far), "_count");
}

void MetricsText::histogram(const StoreDurations &counts)
{
    const auto &bounds = StoreDurations::bounds();
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < counts.buckets.size(); i++) {
        so_far += counts.buckets[i];
        std::string le = i < bounds.size() ? seconds(bounds[i], 6) : "+Inf";
        sample("le=\"" + le + '"', std::to_string(so_far), "_bucket");
    }
    sample("", seconds(counts.sum, 6), "_sum");
    sample("", std::to_string(so_far), "_count");
}

std::string MetricsText::take()
{
    if (format_ == Exposition::openmetrics) {
        append("# EOF\n");
    }
    out_.resize(used_);
    return std::move(out_);
}

// OpenMetrics wants numbers of `le` with a point.
std::string MetricsText::seconds(std::uint64_t time, unsigned digits) const
{
    std::string text = to_decimal(std::to_string(time), digits);
    bool whole = text.find('.') == std::string::npos;
    return whole && format_ == Exposition::openmetrics ? text + ".0" : text;
}

}  // namespace x402
