// SPDX-License-Identifier: Apache-2.0
// Events that a webhook has not received: a file beside the journal to which
// workers append the lines of money events before the claim changes, and a
// second one, `path.2`, which takes its turn when the first has much that was
// received. Both are opened by the master and inherited, since a worker can
// neither make nor rename files in a directory of root.
//
// A file begins with a head: its edition, and how many of its lines were
// received. The higher edition counts. A line that waits begins with `{`; when
// it was received, another byte is written in the place of that one.
#ifndef NGX_HTTP_X402_OUTBOX_HPP
#define NGX_HTTP_X402_OUTBOX_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

class Outbox {
public:
    // `events`: a bit for each LedgerEventKind that is taken.
    Outbox(const std::string &path, std::uint32_t events)
        : paths_{path, path + ".2"}, events_(events)
    {
    }
    ~Outbox();
    Outbox(const Outbox &) = delete;
    Outbox &operator=(const Outbox &) = delete;

    bool takes(unsigned kind) const { return (events_ >> kind & 1) != 0; }

    // -t: what is wrong; makes nothing. Empty: nothing is.
    std::string validate() const;
    // The master: makes or opens both files, and drops what was received or is
    // not whole. `shares`: other processes of this nginx, or of the one that
    // started it, may have them. Empty: done, else why not.
    std::string open(bool shares, ngx_log_t *log);

    // One whole line, or nothing of it. The caller holds a lock that all
    // workers of this nginx share. False: errno says why.
    bool append(std::string_view line);

    // Where the present edition begins and ends; changes with turn().
    struct Extent {
        std::uint64_t edition = 0;
        std::uint64_t begin = 0;  // of the first line
        std::uint64_t end = 0;
    };
    Extent extent() const;
    // Of the present edition, at most so many bytes.
    std::string read(std::uint64_t from, std::size_t most) const;
    // How many events wait.
    std::uint64_t waiting() const;

    // --- the process that sends

    // The line that begins there was received, or cannot be sent.
    void drop(std::uint64_t begin);
    // Counts again what a process that was killed may have left uncounted.
    void recount();
    // Makes the other file the present edition: the lines that wait, one
    // after the other. As append(); not while processes of another start of
    // nginx may append. False: the present edition stays.
    bool turn();
    // Empties the former edition, which turn() leaves in case the power fails
    // before the present one is on the disk.
    void clear_former();
    // The descriptor of the present edition. nginx: to close any other one of
    // that file would give up the turn.
    int descriptor() const { return marks_[present()]; }

    // One process sends: true while it is this one. nginx: a lock of fcntl()
    // belongs to the process and ends with it.
    bool take_turn();
    void leave_turn();

    // A file whose path leads elsewhere by now, or nowhere, in words for the
    // operator; empty: both are where they belong.
    std::string misplaced() const;
    const std::string &path() const { return paths_[0]; }
    // In words, with errno's.
    std::string trouble(const char *verb) const;

private:
    struct Head {
        std::uint64_t edition = 0;
        std::uint64_t received = 0;
    };
    // A number of lines that end before `upto`.
    struct Count {
        std::uint64_t edition = 0;
        std::uint64_t upto = 0;
        std::uint64_t lines = 0;
    };

    // What the former edition has and the present one has not: the power failed
    // before that was on the disk.
    struct Rescued {
        std::string lines;  // all that wait in the former one, in their order
        std::unordered_set<std::size_t> known;  // hashes of these
        std::string lost;  // of these, the lines that the present one lacks
    };

    std::string open_both();
    std::string begin(ngx_log_t *log);
    std::optional<Head> head(unsigned i) const;
    void write_received(unsigned i, std::uint64_t received) const;
    unsigned present() const;
    std::uint64_t size(unsigned i) const;
    std::string read_file(unsigned i, std::uint64_t from,
                          std::size_t most) const;
    bool make_room(std::uint64_t size) const;
    // The whole lines of a file after its head, and what is left at its end.
    template <class Take> void each_line(unsigned i, Take take) const;
    Rescued rescue(unsigned present) const;
    // Until the copy is on the disk nothing else may have what was lost.
    void take_rescued(const Rescued &rescued, unsigned present, ngx_log_t *log);
    // A loss of power may leave zeros where the head of the later file was,
    // which is the former one then. What it has and the other one has not is
    // written after that.
    void take_headless(unsigned present);
    // Bytes that were neither received nor a whole line; nullopt: it failed.
    // `flushes`: it is on the disk before it has a head that counts.
    std::optional<std::uint64_t> copy_waiting(unsigned from, unsigned to,
                                              std::uint64_t edition,
                                              const Rescued &rescued,
                                              bool flushes);

    std::string paths_[2];
    std::uint32_t events_;
    int files_[2] = {-1, -1};  // to append
    int marks_[2] = {-1, -1};  // to write within; Linux appends otherwise
    mutable Count count_;
};

// Whether a line without its end is one that was written whole.
bool is_whole_event(std::string_view line);

}  // namespace x402

#endif
