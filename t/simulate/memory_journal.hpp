// SPDX-License-Identifier: Apache-2.0
// The journal of a claim table as two texts in memory, as the two files would
// hold them.
#ifndef X402_SIMULATE_MEMORY_JOURNAL_HPP
#define X402_SIMULATE_MEMORY_JOURNAL_HPP

#include <string>

#include "session/claim_journal.hpp"

namespace x402::simulate {

class MemoryJournal : public JournalPort {
public:
    bool append(std::uint64_t edition, std::string_view record) override
    {
        if (full) {
            // What a full disk leaves behind.
            text(edition).append(record.substr(0, record.size() / 2));
            return false;
        }
        text(edition).append(record);
        return true;
    }
    bool clear(std::uint64_t edition) override
    {
        text(edition).clear();
        return true;
    }
    bool carry_over(std::uint64_t edition, std::uint64_t from) override
    {
        return append(edition + 1,
                      std::string_view(text(edition)).substr(from));
    }

    std::string &text(std::uint64_t edition) { return texts_[edition % 2]; }

    bool full = false;

private:
    std::string texts_[2];
};

}  // namespace x402::simulate

#endif
