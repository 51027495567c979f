// SPDX-License-Identifier: Apache-2.0
// Families of metrics and their samples, as Prometheus reads them.
#ifndef X402_SESSION_METRICS_TEXT_HPP
#define X402_SESSION_METRICS_TEXT_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "session/status_report.hpp"

namespace x402 {

enum class MetricKind { counter, gauge, histogram };

// name="value", the value as the format escapes it. Names come from an
// operator; bytes that are not UTF-8 are replaced.
std::string metric_label(const char *name, std::string_view value);

class MetricsText {
public:
    explicit MetricsText(Exposition format) : format_(format) {}

    // Room for what is about to be written: a text of megabytes that grows step
    // by step is copied as often.
    void reserve(std::size_t bytes) { out_.reserve(bytes); }

    // Samples belong to the family before them. Counters are named without
    // `_total`, which belongs to their samples.
    void family(const char *name, MetricKind kind, const char *help);

    // `labels`: of metric_label(), with commas between, or empty; `more` goes
    // on after them.
    void sample(std::string_view labels, std::string_view value,
                std::string_view suffix = {}, std::string_view more = {});
    void sample(std::string_view labels, std::uint64_t value,
                std::string_view more = {});
    void histogram(const std::string &labels, const DurationCounts &counts);
    void histogram(const StoreDurations &counts);

    std::string take();

private:
    static constexpr std::size_t kStep = 1024;

    void append(std::string_view text);
    // `digits`: 3 of milliseconds, 6 of microseconds.
    std::string seconds(std::uint64_t time, unsigned digits = 3) const;

    Exposition format_;
    std::string name_;
    std::string out_;       // and room for what comes
    std::size_t used_ = 0;  // of it
};

}  // namespace x402

#endif
