// SPDX-License-Identifier: Apache-2.0
// Files that nginx makes at start, and a configuration test does not, and
// whether two paths lead to one file.
#ifndef NGX_HTTP_X402_MISSING_FILE_HPP
#define NGX_HTTP_X402_MISSING_FILE_HPP

#include <string>

#include <sys/types.h>

namespace x402 {

// With its slash; "." for a name alone.
std::string folder_of(const std::string &path);

// The path that is opened, or made, under this one: links that lead to nothing
// are followed as well.
std::string end_of_links(std::string path);

// Whether the file is not there, and its folder is one that it can be made in.
// False: it is there, or errno says what is in the way.
bool could_be_made(const std::string &path);

// The first bytes of a regular file, at most so many; empty as well if it
// cannot be read.
std::string beginning_of(const std::string &path, std::size_t most);

// Whether an open file is not, or no longer, what its path leads to.
bool leads_elsewhere(const std::string &path, int file);

// Where a path leads: the file itself or, while that is missing, its name in a
// folder. Two of them are the same whatever the paths look like.
struct FilePlace {
    explicit FilePlace(const std::string &path);
    bool operator==(const FilePlace &other) const;

    bool exists = false;
    // A terminal, /dev/null, or the pipe behind /dev/stdout: no file keeps what
    // is written there.
    bool keeps_nothing = false;
    dev_t device = 0;
    ino_t number = 0;
    std::string name;
};

}  // namespace x402

#endif
