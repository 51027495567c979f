// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_module_file.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/module_version.hpp"
#include "nginx/call/curl/ngx_http_x402_curl.hpp"
#include "nginx/call/ngx_http_x402_http_client_tls.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

// The file that this code was read from: the module's, or nginx's own where the
// module is built in. nginx: set once by the master, inherited by its workers;
// the code stays mapped, and this with it.
struct stat loaded_file;
char loaded_path[NGX_MAX_PATH];
bool is_logged;

// Where the module is built in, dladdr() answers with argv[0], which may be a
// bare name, and which nginx overwrites with the titles of its processes.
bool find_own_file()
{
    Dl_info info;
    if (dladdr(&ngx_http_x402_module, &info) == 0) {
        return false;
    }
    const char *path = info.dli_fname;
    char program[NGX_MAX_PATH] = "";
    if (*path != '/') {
        ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
        path = size > 0 ? program : path;
    }
    ngx_cpystrn(reinterpret_cast<u_char *>(loaded_path),
                reinterpret_cast<u_char *>(const_cast<char *>(path)),
                sizeof(loaded_path));
    return stat(loaded_path, &loaded_file) == 0;
}

std::string transport_words()
{
    std::string curl = CurlEngines::version();
    std::string words = kHasTls ? "http and https by nginx" : "http by nginx";
    if (curl.empty()) {
        return words + ", no libcurl";
    }
    return words + ", " + (kHasTls ? "" : "https and ") + "proxies by " + curl;
}

bool is_same(const struct stat &a, const struct stat &b)
{
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino
           && a.st_size == b.st_size && a.st_mtime == b.st_mtime;
}

std::string content_of(const char *path)
{
    std::string text;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return text;
    }
    char part[65536];
    ssize_t size;
    while ((size = read(fd, part, sizeof(part))) > 0) {
        text.append(part, static_cast<std::size_t>(size));
    }
    close(fd);
    return text;
}

// Found by the text that every build of the module has for User-Agent.
std::string version_in(const char *path)
{
    std::string_view words = NGX_HTTP_X402_USER_AGENT;
    words = words.substr(0, words.find('/') + 1);
    std::string text = content_of(path);
    std::size_t at = text.find(words);
    if (at == std::string::npos) {
        return {};
    }
    at += words.size();
    std::size_t end = text.find_first_not_of("0123456789.", at);
    return end - at < 20 ? text.substr(at, end - at) : std::string();
}

std::string description_of_new_file()
{
    std::string version = version_in(loaded_path);
    if (version.empty()) {
        return "another file";
    }
    return version == NGX_HTTP_X402_VERSION ? "another build of " + version
                                            : "version " + version;
}

}  // namespace

void log_version(ngx_log_t *log)
{
    if (is_logged) {
        return;
    }
    is_logged = true;
    if (!find_own_file()) {
        *loaded_path = '\0';
    }
    std::string tls = TlsContext::version();
    log_line(NGX_LOG_NOTICE, log,
             "ngx_http_x402_module " NGX_HTTP_X402_VERSION
             " for nginx " NGINX_VERSION
                 + (tls.empty() ? "" : " and " + tls)
                 + "; facilitators are called over " + transport_words());
}

void warn_of_older_code(ngx_log_t *log)
{
    struct stat now;
    if (*loaded_path == '\0') {
        return;
    }
    std::string file = "\"" + std::string(loaded_path) + "\"";
    if (stat(loaded_path, &now) != 0) {
        log_line(NGX_LOG_WARN, log,
                 file
                     + " no longer exists; nginx continues with the loaded "
                       "code, but will not start without the file");
    } else if (!is_same(now, loaded_file)) {
        log_line(NGX_LOG_WARN, log,
                 file + " is " + description_of_new_file()
                     + " now, and version " NGX_HTTP_X402_VERSION
                       " runs: restart nginx, a reload keeps the code that is "
                       "loaded");
    }
}

}  // namespace x402
