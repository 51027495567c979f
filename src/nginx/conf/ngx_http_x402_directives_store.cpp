// SPDX-License-Identifier: Apache-2.0
// x402_store: the memory that several machines share.
#include "nginx/call/redis/ngx_http_x402_store_conf.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_store_check.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "store/store_claim.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestPassword = 4096;
constexpr std::int64_t kLeastLease = 3000;
constexpr std::int64_t kMostLease = 600 * 1000;
constexpr ngx_msec_t kMostTimeout = 60 * 1000;

bool is_prefix(std::string_view prefix)
{
    return !prefix.empty() && prefix.size() <= kMaxStorePrefix
           && prefix.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                  "0123456789._-:")
                  == std::string_view::npos;
}

// A time of `least` to `most`, ms.
bool read_time(std::string_view text, std::int64_t least, std::int64_t most,
               std::int64_t &time)
{
    ngx_str_t word = to_ngx_str(text);
    ngx_int_t read = ngx_parse_time(&word, 0);
    time = read;
    return read != NGX_ERROR && time >= least && time <= most;
}

char *read_password(ngx_conf_t *cf, std::string_view path, StoreConf &store)
{
    ngx_str_t file = to_ngx_str(path);
    char *rc = read_secret_file(cf, file, kLongestPassword, store.password);
    if (rc != NGX_CONF_OK) {
        return rc;
    }
    std::string &text = store.password.text;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.pop_back();
    }
    if (text.empty() || text.find('\n') != std::string::npos) {
        return config_file_error(cf, file, 0,
                                 "has to be one line, the password of the "
                                 "store");
    }
    return NGX_CONF_OK;
}

char *read_parameter(ngx_conf_t *cf, std::string_view word, StoreConf &store)
{
    std::size_t equals = word.find('=');
    std::string_view name = word.substr(0, equals);
    std::string_view value = equals == std::string_view::npos
                                 ? std::string_view()
                                 : word.substr(equals + 1);
    if (name == "timeout") {
        std::int64_t time;
        if (!read_time(value, 1, kMostTimeout, time)) {
            return conf_error(cf, "timeout is the longest wait for an answer "
                                  "of the store; write timeout=200ms");
        }
        store.timeout = static_cast<ngx_msec_t>(time);
        return NGX_CONF_OK;
    }
    if (name == "lease") {
        return read_time(value, kLeastLease, kMostLease, store.lease)
                   ? NGX_CONF_OK
                   : conf_error(cf, "lease is how long a machine may be silent "
                                    "before others take its payments over, 3s "
                                    "to 10m; write lease=90s");
    }
    if (name == "prefix") {
        if (!is_prefix(value)) {
            return conf_error(cf, "prefix begins the names of all keys, with "
                                  "letters, digits and \"._-:\", at most 64; "
                                  "write prefix=x402");
        }
        store.prefix = std::string(value);
        return NGX_CONF_OK;
    }
    if (name == "password" && !value.empty()) {
        return read_password(cf, value, store);
    }
    if (name == "ssl_trusted_certificate" && !value.empty()) {
        ngx_str_t file = pool_copy(cf->pool, value);
        if (file.data == nullptr
            || ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
        store.trusted_certificate = copy(file);
        return NGX_CONF_OK;
    }
    if (name == "replicas" || name == "cluster") {
        return conf_error(cf, "\"" + std::string(name)
                                  + "\" is not supported yet; x402_store uses "
                                    "a single server, and does not wait for "
                                    "its replicas");
    }
    return conf_error(cf, "unknown parameter \"" + std::string(word)
                              + "\" of x402_store; it has timeout=, lease=, "
                                "prefix=, password= and "
                                "ssl_trusted_certificate=");
}

char *prepare_tls(ngx_conf_t *cf, StoreConf &store)
{
    if (!store.url.secure) {
        return store.trusted_certificate.empty()
                   ? NGX_CONF_OK
                   : conf_error(cf, "ssl_trusted_certificate is for a store "
                                    "with TLS; write rediss://");
    }
    if (!kHasTls) {
        return conf_error(cf, "this nginx has no TLS for rediss://; build it "
                              "with --with-http_ssl_module");
    }
    store.tls = pool_new<TlsContext>(cf->pool);
    if (store.tls == nullptr
        || !store.tls->prepare(store.trusted_certificate, cf->log, false)) {
        return conf_error(cf, "no certificates can be read from \""
                                  + store.trusted_certificate
                                  + "\"; write ssl_trusted_certificate=file "
                                    "with the path of a PEM file");
    }
    return NGX_CONF_OK;
}

char *set_store(ngx_conf_t *cf, void *)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->store_written) {
        return const_cast<char *>("is duplicate");
    }
    mcf->store_written = true;
    const ngx_str_t *words = arguments(cf);
    std::string_view address = view(words[1]);
    if (address == "off") {
        return cf->args->nelts == 2
                   ? NGX_CONF_OK
                   : conf_error(cf, "\"x402_store off\" has no parameters");
    }
    std::string error = validate_variable("x402_store", address);
    if (!error.empty()) {
        return conf_error(cf, error);
    }
    auto url = parse_store_url(address);
    if (!url) {
        return conf_error(cf, url.problem().text);
    }
    auto *store = pool_new<StoreConf>(cf->pool);
    if (store == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    store->url = std::move(url.value());
    record_origin(cf, store->origin);
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        char *rc = read_parameter(cf, view(words[i]), *store);
        if (rc != NGX_CONF_OK) {
            return rc;
        }
    }
    if (!store->url.user.empty() && store->password.text.empty()) {
        return conf_error(cf, "a user of the store needs a password; write "
                              "password=file");
    }
    if (store->url.host_is_address) {
        store->addresses.push_back(store->url.host);
    }
    mcf->store = store;
    return prepare_tls(cf, *store);
}

}  // namespace

// Money: a store that may lose what it acknowledged is enough where a chain
// keeps a payment from being used twice, and only there.
bool check_store(ngx_conf_t *cf, MainConf &mcf)
{
    StoreConf *store = mcf.store;
    if (store == nullptr) {
        return true;
    }
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (clcf->resolver && clcf->resolver->connections.nelts) {
        store->resolver = clcf->resolver;
    }
    if (mcf.only_guard_of == nullptr) {
        return true;
    }
    log_conf(cf, NGX_LOG_EMERG,
             std::string("with ") + mcf.only_guard_of
                 + " the memory of payments is all that keeps one from being "
                   "used twice, and the store of x402_store may lose what it "
                   "has acknowledged; sell this from a single machine, without "
                   "x402_store, or use \"x402_settle after\" on another "
                   "network",
             mcf.only_guard_at);
    return false;
}

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_store(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_store, conf);
}
