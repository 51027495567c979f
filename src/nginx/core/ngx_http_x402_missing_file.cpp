// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_missing_file.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>
#include <tuple>

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
