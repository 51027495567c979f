// SPDX-License-Identifier: Apache-2.0
// Files that nginx makes at start, and a configuration test does not.
#ifndef NGX_HTTP_X402_MISSING_FILE_HPP
#define NGX_HTTP_X402_MISSING_FILE_HPP

#include <cerrno>
#include <string>

#include <unistd.h>

namespace x402 {

// With its slash; "." for a name alone.
inline std::string folder_of(const std::string &path)
{
    std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Whether the file is not there, and its folder is one that it can be made in.
// False: it is there, or errno says what is in the way.
inline bool could_be_made(const std::string &path)
{
    return access(path.c_str(), F_OK) != 0 && errno == ENOENT
           && access(folder_of(path).c_str(), W_OK | X_OK) == 0;
}

}  // namespace x402

#endif
