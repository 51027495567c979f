// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_missing_file.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace x402 {

namespace {

// What has no path of its own, only one through /dev or /proc.
bool is_nameless(const std::string &path)
{
    char resolved[PATH_MAX];
    return realpath(path.c_str(), resolved) == nullptr;
}

}  // namespace

std::string folder_of(const std::string &path)
{
    std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string end_of_links(std::string path)
{
    constexpr unsigned kMostLinks = 40;  // as the kernel follows
    char target[PATH_MAX];
    for (unsigned i = 0; i < kMostLinks; i++) {
        ssize_t size = readlink(path.c_str(), target, sizeof(target));
        if (size <= 0) {
            break;
        }
        std::string_view next(target, static_cast<std::size_t>(size));
        path =
            next.front() == '/' ? std::string() : folder_of(path).append("/");
        path.append(next);
    }
    return path;
}

bool could_be_made(const std::string &path)
{
    return access(path.c_str(), F_OK) != 0 && errno == ENOENT
           && access(folder_of(end_of_links(path)).c_str(), W_OK | X_OK) == 0;
}

std::string beginning_of(const std::string &path, std::size_t most)
{
    std::string bytes(most, '\0');
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = file < 0 ? 0 : ::read(file, bytes.data(), most);
    if (file >= 0) {
        close(file);
    }
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

bool leads_elsewhere(const std::string &path, int file)
{
    struct stat own;
    struct stat there;
    bool found = stat(path.c_str(), &there) == 0;
    if (!found && errno != ENOENT) {
        return false;  // it cannot be told
    }
    return fstat(file, &own) == 0
           && (!found || own.st_dev != there.st_dev
               || own.st_ino != there.st_ino);
}

FilePlace::FilePlace(const std::string &path)
{
    struct stat about;
    exists = stat(path.c_str(), &about) == 0;
    if (exists) {
        keeps_nothing = S_ISCHR(about.st_mode)
                        || (S_ISFIFO(about.st_mode) && is_nameless(path));
    } else {
        std::string end = end_of_links(path);
        std::string folder = folder_of(end);
        bool known = stat(folder.c_str(), &about) == 0;
        name = known && folder != "." ? end.substr(folder.size()) : end;
        about = known ? about : decltype(about)();
    }
    device = about.st_dev;
    number = about.st_ino;
}

bool FilePlace::operator==(const FilePlace &other) const
{
    return std::tie(exists, device, number, name)
           == std::tie(other.exists, other.device, other.number, other.name);
}

}  // namespace x402
