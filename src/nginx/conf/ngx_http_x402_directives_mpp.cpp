// SPDX-License-Identifier: Apache-2.0
// The setter of x402_mpp.
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_directive_words.hpp"
#include "nginx/offer/ngx_http_x402_mpp.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongestKeyFile = 4096;
constexpr std::size_t kShortestKey = 32;

std::string_view trimmed(std::string_view line)
{
    constexpr std::string_view kBlanks = " \t\r";
    std::size_t first = line.find_first_not_of(kBlanks);
    return first == std::string_view::npos
               ? std::string_view()
               : line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

// A key a line, the one in use first. Empty, or what is wrong.
std::string read_keys(std::string_view file, MppConf &mpp)
{
    constexpr char kForm[] =
        "write one line of at least 32 characters, such as \"openssl rand -hex "
        "32\" makes, and the former key into a second one while it is replaced";
    while (!file.empty()) {
        std::size_t end = file.find('\n');
        std::string_view line = trimmed(file.substr(0, end));
        file.remove_prefix(end == std::string_view::npos ? file.size()
                                                         : end + 1);
        if (line.empty() || line.front() == '#') {
            continue;
        }
        if (line.size() < kShortestKey) {
            return std::string("has a key that is too short; ") + kForm;
        }
        SecretText &key = mpp.key.empty() ? mpp.key : mpp.previous;
        if (!key.empty()) {
            return std::string("has more than two keys; ") + kForm;
        }
        key.append(line);
    }
    return mpp.key.empty() ? std::string("has no key; ") + kForm
                           : std::string();
}

bool is_realm(std::string_view text)
{
    for (char letter : text) {
        bool fits = (letter >= 'a' && letter <= 'z')
                    || (letter >= 'A' && letter <= 'Z')
                    || (letter >= '0' && letter <= '9') || letter == '.'
                    || letter == '-' || letter == '_' || letter == ':';
        if (!fits) {
            return false;
        }
    }
    return !text.empty();
}

char *set_mpp(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->mpp_written != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *mpp = pool_new<MppConf>(cf->pool);
    if (mpp == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    ngx_str_t path{};
    auto key = [&](std::string_view value) {
        path = to_ngx_str(value);
        return read_if(!value.empty());
    };
    auto realm = [&](std::string_view value) {
        mpp->realm = value;
        return read_if(is_realm(value));
    };
    if (!read_words(cf, 1, {{"key=", key}, {"realm=", realm}},
                    "key=file, and a realm without spaces such as "
                    "realm=shop.example")) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    lcf->mpp_written = mpp;
    mpp->used = record_setting(
        cf, "x402_mpp has no effect: no location with a price that knows it "
            "accepts MPP; write x402_protocol v2 mpp there");
    if (mpp->used == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (path.data == nullptr) {
        return NGX_CONF_OK;
    }
    SecretText file;
    if (read_secret_file(cf, path, kLongestKeyFile, file, kMakeRandom)
        != NGX_CONF_OK) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    std::string error = read_keys(file.view(), *mpp);
    return error.empty() ? NGX_CONF_OK : config_file_error(cf, path, 0, error);
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_mpp(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_mpp, conf);
}
