// SPDX-License-Identifier: Apache-2.0
// Events that a webhook has not received: the file beside the journal to which
// workers append the lines of money events before the claim changes, and a
// second one that says how far they were received. Both are opened by the
// master and inherited, so that they are found again after a reload, a restart
// and a binary upgrade.
#ifndef NGX_HTTP_X402_OUTBOX_HPP
#define NGX_HTTP_X402_OUTBOX_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

class Outbox {
public:
    // `events`: a bit for each LedgerEventKind that is taken.
    Outbox(const std::string &path, std::uint32_t events)
        : paths_{path, path + ".sent"}, events_(events)
    {
    }
    ~Outbox();
    Outbox(const Outbox &) = delete;
    Outbox &operator=(const Outbox &) = delete;

    bool takes(unsigned kind) const { return (events_ >> kind & 1) != 0; }

    // -t: what is wrong; makes nothing. Empty: nothing is.
    std::string validate() const;
    // The master: makes or opens both files. Empty: done, else why not.
    std::string open();

    // One whole line, or nothing of it. The caller holds a lock that all
    // workers of this nginx share. False: a line in the error log says why.
    bool append(std::string_view line);

    std::uint64_t size() const;
    // Bytes that were received, from the beginning; 0 also when that is not
    // known, so that events are sent again.
    std::uint64_t received() const;
    bool set_received(std::uint64_t bytes);
    // At most so many bytes.
    std::string read(std::uint64_t from, std::size_t most) const;
    // How many events wait; from 1 MB on as many as there would be if all were
    // as long as those of the first.
    std::uint64_t waiting() const;
    // All was received: starts again. As append(); not while processes of
    // another start of nginx may append.
    void clear_received(std::uint64_t bytes);

    // One process sends: true while it is this one. nginx: a lock of fcntl()
    // belongs to the process and ends with it.
    bool take_turn();
    void leave_turn();

private:
    std::string paths_[2];
    std::uint32_t events_;
    int files_[2] = {-1, -1};
    time_t reported_ = 0;
};

}  // namespace x402

#endif
