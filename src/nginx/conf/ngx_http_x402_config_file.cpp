// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_file.hpp"

#include <unistd.h>

#include "nginx/core/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

constexpr std::size_t kShortestSecret = 32;

// Whether a path looks like the secret itself, written where the file with it
// belongs: long, neither absolute nor with a leading dot, and not there.
bool may_be_secret(const ngx_str_t &written, const ngx_str_t &full)
{
    return written.len >= kShortestSecret && written.data[0] != '/'
           && written.data[0] != '.'
           && access(reinterpret_cast<const char *>(full.data), F_OK) != 0;
}

// Closes what it was given.
class OpenFile {
public:
    explicit OpenFile(ngx_fd_t opened) : fd(opened) {}
    ~OpenFile()
    {
        if (fd != NGX_INVALID_FILE) {
            ngx_close_file(fd);
        }
    }
    OpenFile(const OpenFile &) = delete;
    OpenFile &operator=(const OpenFile &) = delete;

    const ngx_fd_t fd;
};

constexpr std::size_t kLongestKeyFile = 64 * 1024;

void warn_of_readers(ngx_conf_t *cf, const ngx_str_t &path, mode_t mode)
{
    if ((mode & 077) == 0) {
        return;
    }
    // nginx: its formats know no octal.
    char octal[] = "0000";
    for (int i = 3; i > 0; i--, mode >>= 3) {
        octal[i] = static_cast<char>('0' + (mode & 7));
    }
    ngx_conf_log_error(
        NGX_LOG_WARN, cf, 0,
        "key file \"%V\" is accessible to users other than its owner "
        "(mode %s); chmod it to 0600",
        &path, octal);
}

// `Text`: a std::string or a SecretText.
template <class Text>
char *read_file(ngx_conf_t *cf, ngx_str_t &path, std::size_t limit, Text &out,
                mode_t *mode, const char *remedy)
{
    if (path.len == 0) {
        return config_file_error(cf, path, 0, "needs a name");
    }
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    // Not blocking: nothing may ever be written to a pipe.
    OpenFile file(ngx_open_file(path.data, NGX_FILE_RDONLY | NGX_FILE_NONBLOCK,
                                NGX_FILE_OPEN, 0));
    if (file.fd == NGX_INVALID_FILE) {
        ngx_err_t error = ngx_errno;
        std::string why = "cannot be opened";
        if (error == NGX_ENOENT) {
            why += std::string("; ") + (remedy ? remedy : "correct the path");
        } else if (error == NGX_EACCES) {
            why += "; let the user that starts nginx read it";
        }
        return config_file_error(cf, path, error, why);
    }
    ngx_file_info_t info;
    if (ngx_fd_info(file.fd, &info) == NGX_FILE_ERROR) {
        return config_file_error(cf, path, ngx_errno, "cannot be read");
    }
    if (!ngx_is_file(&info)) {
        return config_file_error(cf, path, 0, "is not a regular file");
    }
    if (mode) {
        *mode = info.st_mode;
    }
    // One byte more than allowed, so that too much is seen.
    out.resize(limit + 1);
    std::size_t length = 0;
    while (length < out.size()) {
        ssize_t count =
            ngx_read_fd(file.fd, out.data() + length, out.size() - length);
        if (count < 0) {
            return config_file_error(cf, path, ngx_errno, "cannot be read");
        }
        if (count == 0) {
            break;
        }
        length += static_cast<std::size_t>(count);
    }
    if (length > limit) {
        return config_file_error(cf, path, 0,
                                 "has more than " + std::to_string(limit)
                                     + " bytes; shorten it");
    }
    out.resize(length);
    return NGX_CONF_OK;
}

}  // namespace

char *config_file_error(ngx_conf_t *cf, const ngx_str_t &path, ngx_err_t error,
                        const std::string &why)
{
    std::string sentence = "file \"" + copy(path) + "\" " + why;
    ngx_conf_log_error(NGX_LOG_EMERG, cf, error, "%*s", sentence.size(),
                       sentence.data());
    return static_cast<char *>(NGX_CONF_ERROR);
}

char *read_config_file(ngx_conf_t *cf, ngx_str_t &path, std::size_t limit,
                       std::string &out, const char *remedy)
{
    return read_file(cf, path, limit, out, nullptr, remedy);
}

char *read_config_file(ngx_conf_t *cf, ngx_str_t &path, std::size_t limit,
                       SecretText &out)
{
    return read_file(cf, path, limit, out, nullptr, nullptr);
}

char *read_secret_file(ngx_conf_t *cf, ngx_str_t &path, std::size_t limit,
                       SecretText &out, const char *remedy)
{
    ngx_str_t written = path;
    if (path.len != 0 && ngx_conf_full_name(cf->cycle, &path, 1) == NGX_OK
        && may_be_secret(written, path)) {
        return conf_error(cf, "this file cannot be opened; the name may be the "
                              "secret itself and is not repeated "
                              "here: write the path of a file with it");
    }
    mode_t mode = 0;
    char *result = read_file(cf, path, limit, out, &mode, remedy);
    if (result == NGX_CONF_OK) {
        warn_of_readers(cf, path, mode);
    }
    return result;
}

FacilitatorAuth *read_key_file(ngx_conf_t *cf, AuthKind kind, ngx_str_t path)
{
    SecretText secret;
    if (read_secret_file(cf, path, kLongestKeyFile, secret) != NGX_CONF_OK) {
        return nullptr;
    }
    auto key = read_auth_key(kind, secret.view());
    if (!key) {
        config_file_error(cf, path, 0,
                          "cannot be used as a key: " + key.problem().text);
        return nullptr;
    }
    auto *auth = pool_new<FacilitatorAuth>(cf->pool);
    if (auth != nullptr) {
        auth->path = copy(path);
        auth->key = std::move(key.value());
    }
    return auth;
}

}  // namespace x402
