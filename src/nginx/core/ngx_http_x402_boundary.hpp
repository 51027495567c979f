// SPDX-License-Identifier: Apache-2.0
// The border between nginx (C, codes, pools) and the module (C++, values,
// RAII).
//
// No exception may pass through a C frame: every function that nginx or
// curl calls is `noexcept` in effect by running its body through guarded().
#ifndef NGX_HTTP_X402_BOUNDARY_HPP
#define NGX_HTTP_X402_BOUNDARY_HPP

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "nginx/core/ngx_http_x402_conf.hpp"

namespace x402 {

// Logs at crit that an exception arrived where none may pass.
inline void log_exception(ngx_log_t *log, const char *what) noexcept
{
    ngx_log_error(NGX_LOG_CRIT, log, 0, "x402: internal error: %s", what);
}

// Runs `body`. If it throws (memory), logs that and returns
// `on_failure`, which must be the closed answer: 500 in phases, NGX_ERROR in
// filters, NGX_CONF_ERROR in configuration.
template <class Code, class Body>
Code guarded(ngx_log_t *log, Code on_failure, Body &&body) noexcept
{
    try {
        return body();
    } catch (const std::exception &problem) {
        log_exception(log, problem.what());
    } catch (...) {
        log_exception(log, "unknown exception");
    }
    return on_failure;
}

// Lifetime of the view: the ngx_str_t's memory.
inline std::string_view view(const ngx_str_t &text)
{
    return {reinterpret_cast<const char *>(text.data), text.len};
}

// The other way. nginx: its strings are never const, and never written into.
// Lifetime: the view's memory.
inline ngx_str_t to_ngx_str(std::string_view text)
{
    return {text.size(),
            reinterpret_cast<u_char *>(const_cast<char *>(text.data()))};
}

inline std::string copy(const ngx_str_t &text)
{
    return std::string(view(text));
}

// A copy in the pool, with a terminating NUL that is not counted. data is
// nullptr when the pool has no memory.
inline ngx_str_t pool_copy(ngx_pool_t *pool, std::string_view text)
{
    ngx_str_t out;
    out.len = text.size();
    out.data = static_cast<u_char *>(ngx_pnalloc(pool, text.size() + 1));
    if (out.data == nullptr) {
        out.len = 0;
        return out;
    }
    ngx_memcpy(out.data, text.data(), text.size());
    out.data[text.size()] = '\0';
    return out;
}

// A C++ object that lives as long as the pool; nullptr when memory is short.
// The destructor runs with the pool's cleanups, last registered first.
template <class T, class... Args> T *pool_new(ngx_pool_t *pool, Args &&...args)
{
    static_assert(alignof(T) <= NGX_ALIGNMENT, "pools align to NGX_ALIGNMENT");
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(pool, sizeof(T));
    if (cleanup == nullptr) {
        return nullptr;
    }
    T *object = new (cleanup->data) T(std::forward<Args>(args)...);
    // Only now: a constructor that threw must not be destructed.
    cleanup->handler = [](void *data) { static_cast<T *>(data)->~T(); };
    return object;
}

}  // namespace x402

#endif
