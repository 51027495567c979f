#include "nginx/conf/ngx_http_x402_directive_secret.hpp"

#include "nginx/conf/ngx_http_x402_directive_file.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestFile = 64 * 1024;

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

}  // namespace

FacilitatorAuth *read_key_file(ngx_conf_t *cf, AuthKind kind, ngx_str_t path)
{
    SecretText secret;
    mode_t mode = 0;
    if (read_config_file(cf, path, kLongestFile, secret.text, &mode)
        != NGX_CONF_OK) {
        return nullptr;
    }
    warn_of_readers(cf, path, mode);
    auto key = read_auth_key(kind, secret.text);
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
