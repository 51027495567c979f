#include "nginx/conf/ngx_http_x402_directive_secret.hpp"

#include "nginx/conf/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestFile = 64 * 1024;

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

char *refuse_file(ngx_conf_t *cf, const ngx_str_t &path, ngx_err_t error,
                  const std::string &why)
{
    std::string sentence = "key file \"" + copy(path) + "\" " + why;
    ngx_conf_log_error(NGX_LOG_EMERG, cf, error, "%*s", sentence.size(),
                       sentence.data());
    return static_cast<char *>(NGX_CONF_ERROR);
}

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
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "key file \"%V\" is open to others than its owner "
                       "(mode %s); chmod it to 0600",
                       &path, octal);
}

// NGX_CONF_OK, or an error was printed.
char *read_secret_file(ngx_conf_t *cf, const ngx_str_t &path, SecretText &out)
{
    // Not blocking: of a pipe nobody may ever write to.
    OpenFile file(ngx_open_file(path.data, NGX_FILE_RDONLY | NGX_FILE_NONBLOCK,
                                NGX_FILE_OPEN, 0));
    if (file.fd == NGX_INVALID_FILE) {
        return refuse_file(cf, path, ngx_errno, "cannot be opened");
    }
    ngx_file_info_t info;
    if (ngx_fd_info(file.fd, &info) == NGX_FILE_ERROR) {
        return refuse_file(cf, path, ngx_errno, "cannot be read");
    }
    if (!ngx_is_file(&info)) {
        return refuse_file(cf, path, 0, "is no regular file");
    }
    // One byte more than allowed, so that too much is seen.
    out.text.resize(kLongestFile + 1);
    std::size_t length = 0;
    while (length < out.text.size()) {
        ssize_t count =
            ngx_read_fd(file.fd, &out.text[length], out.text.size() - length);
        if (count < 0) {
            return refuse_file(cf, path, ngx_errno, "cannot be read");
        }
        if (count == 0) {
            break;
        }
        length += static_cast<std::size_t>(count);
    }
    if (length > kLongestFile) {
        return refuse_file(cf, path, 0, "is too large for a key");
    }
    out.text.resize(length);
    warn_of_readers(cf, path, info.st_mode);
    return NGX_CONF_OK;
}

}  // namespace

FacilitatorAuth *read_key_file(ngx_conf_t *cf, AuthKind kind, ngx_str_t path)
{
    if (path.len == 0) {
        refuse(cf, "the path of the key file must not be empty");
        return nullptr;
    }
    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return nullptr;
    }
    SecretText secret;
    if (read_secret_file(cf, path, secret) != NGX_CONF_OK) {
        return nullptr;
    }
    auto key = read_auth_key(kind, secret.text);
    if (!key) {
        refuse_file(cf, path, 0, "cannot be used: " + key.problem().text);
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
