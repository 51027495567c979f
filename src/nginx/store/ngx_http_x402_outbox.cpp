// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_outbox.hpp"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr time_t kComplainEvery = 60;
constexpr std::size_t kCounted = 1024 * 1024;
constexpr std::size_t kPlaceBytes = 21;  // 20 digits and a newline

std::string trouble(const char *verb, const std::string &path)
{
    int problem = errno;
    return std::string("x402_webhook: \"") + path + "\" cannot be " + verb
           + " (" + std::to_string(problem) + ": " + std::strerror(problem)
           + ")";
}

bool set_lock(int file, short kind)
{
    struct flock lock {};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    return fcntl(file, F_SETLK, &lock) == 0;
}

}  // namespace

Outbox::~Outbox()
{
    for (int number : files_) {
        if (number >= 0) {
            close(number);
        }
    }
}

std::string Outbox::validate() const
{
    for (const std::string &path : paths_) {
        struct stat about;
        if (stat(path.c_str(), &about) != 0) {
            if (errno != ENOENT) {
                return trouble("opened", path);
            }
        } else if (!S_ISREG(about.st_mode)) {
            return "x402_webhook: \"" + path + "\" is not a regular file";
        } else if (access(path.c_str(), R_OK | W_OK) != 0) {
            return trouble("opened", path);
        }
    }
    return "";
}

std::string Outbox::open()
{
    std::string why = validate();
    for (unsigned i = 0; why.empty() && i < 2; i++) {
        int append = i == 0 ? O_APPEND : 0;
        files_[i] =
            ::open(paths_[i].c_str(),
                   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | append, 0600);
        if (files_[i] < 0) {
            why = trouble("opened", paths_[i]);
        }
    }
    if (why.empty() && flock(files_[0], LOCK_SH) != 0) {
        why = trouble("locked", paths_[0]);
    }
    return why;
}

bool Outbox::append(std::string_view line)
{
    std::uint64_t before = size();
    std::size_t done = 0;
    while (done < line.size()) {
        ssize_t written =
            write(files_[0], line.data() + done, line.size() - done);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            break;
        }
        done += static_cast<std::size_t>(written);
    }
    if (done == line.size()) {
        return true;
    }
    int problem = errno;
    bool whole =
        done == 0 || ftruncate(files_[0], static_cast<off_t>(before)) == 0;
    if (reported_ == 0 || ngx_time() - reported_ >= kComplainEvery || !whole) {
        reported_ = ngx_time();
        errno = problem;
        log_line(NGX_LOG_CRIT, ngx_cycle->log,
                 trouble("written", paths_[0])
                     + "; payments go on, and their events do not reach the "
                       "webhook: make room there, the ledger has them");
    }
    return false;
}

std::uint64_t Outbox::size() const
{
    struct stat about;
    return fstat(files_[0], &about) == 0
               ? static_cast<std::uint64_t>(about.st_size)
               : 0;
}

std::uint64_t Outbox::received() const
{
    char text[kPlaceBytes + 1] = {};
    std::uint64_t bytes = 0;
    bool known = pread(files_[1], text, kPlaceBytes, 0)
                     == static_cast<ssize_t>(kPlaceBytes)
                 && std::sscanf(text, "%20" SCNu64 "\n", &bytes) == 1;
    return known && bytes <= size() ? bytes : 0;
}

bool Outbox::set_received(std::uint64_t bytes)
{
    char text[kPlaceBytes + 1];
    std::snprintf(text, sizeof(text), "%020" PRIu64 "\n", bytes);
    return pwrite(files_[1], text, kPlaceBytes, 0)
           == static_cast<ssize_t>(kPlaceBytes);
}

std::string Outbox::read(std::uint64_t from, std::size_t most) const
{
    std::string bytes(most, '\0');
    ssize_t got =
        pread(files_[0], bytes.data(), bytes.size(), static_cast<off_t>(from));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

std::uint64_t Outbox::waiting() const
{
    std::uint64_t from = received();
    std::uint64_t left = size() - from;
    if (left == 0) {
        return 0;
    }
    std::string bytes = read(from, std::min<std::uint64_t>(left, kCounted));
    auto lines = static_cast<std::uint64_t>(
        std::count(bytes.begin(), bytes.end(), '\n'));
    return left <= kCounted ? lines : left / kCounted * lines;
}

void Outbox::clear_received(std::uint64_t bytes)
{
    if (size() != bytes || flock(files_[0], LOCK_EX | LOCK_NB) != 0) {
        return;
    }
    // In this order: a place behind the end of the file counts as 0.
    if (ftruncate(files_[0], 0) == 0) {
        set_received(0);
    }
    flock(files_[0], LOCK_SH);
}

bool Outbox::take_turn()
{
    return set_lock(files_[1], F_WRLCK);
}

void Outbox::leave_turn()
{
    set_lock(files_[1], F_UNLCK);
}

}  // namespace x402
