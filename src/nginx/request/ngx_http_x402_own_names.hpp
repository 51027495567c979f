// SPDX-License-Identifier: Apache-2.0
// Whether the host that a client asks for is this server. Money: a client that
// chooses the host chooses what a wallet is asked to sign for, and what the
// server's key signs; a thief would use its own.
#ifndef NGX_HTTP_X402_OWN_NAMES_HPP
#define NGX_HTTP_X402_OWN_NAMES_HPP

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// `names`: those of LocationConf.server_names. `host`: without a port, in lower
// case.
inline bool is_own_name(const std::vector<std::string> &names,
                        std::string_view host)
{
    return std::any_of(
        names.begin(), names.end(), [&](const std::string &name) {
            bool below = name.front() == '.' && host.size() > name.size()
                         && host.substr(host.size() - name.size()) == name;
            return below || name == host;
        });
}

}  // namespace x402

#endif
