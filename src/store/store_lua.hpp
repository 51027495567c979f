// SPDX-License-Identifier: Apache-2.0
// The texts of src/store/lua, as the build embeds them (src/store/lua/embed).
#ifndef X402_STORE_STORE_LUA_HPP
#define X402_STORE_STORE_LUA_HPP

namespace x402 {

struct StoreLua {
    const char *name;  // of the file, without its ending
    const char *text;
};

extern const StoreLua kStoreLua[];
extern const unsigned kStoreLuaCount;

}  // namespace x402

#endif
