// SPDX-License-Identifier: Apache-2.0
// Test vectors, made by running the official packages (t/vectors/*.json).
#ifndef X402_UNIT_VECTORS_HPP
#define X402_UNIT_VECTORS_HPP

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/json_document.hpp"

#ifndef X402_VECTORS
#error "compile with -DX402_VECTORS='\"t/vectors\"'"
#endif

namespace x402 {

inline std::string read_text_file(const std::string &path)
{
    std::string text;
    std::FILE *file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) {
        ADD_FAILURE() << "cannot open " << path;
        return text;
    }
    char buffer[4096];
    std::size_t count = 0;
    while ((count = std::fread(buffer, 1, sizeof(buffer), file)) > 0) {
        text.append(buffer, count);
    }
    std::fclose(file);
    return text;
}

inline JsonDocument read_vectors(const std::string &name)
{
    JsonLimits limits;
    limits.bytes = 1024 * 1024;
    limits.keys = 100000;
    limits.values = 100000;
    Result<JsonDocument> document = JsonDocument::parse(
        read_text_file(std::string(X402_VECTORS) + "/" + name), limits);
    if (!document) {
        ADD_FAILURE() << name << ": " << document.problem().text;
        return JsonDocument();
    }
    return std::move(document.value());
}

// A document that is known to be well-formed.
inline JsonDocument parse_json(std::string_view text)
{
    Result<JsonDocument> document = JsonDocument::parse(text);
    if (!document) {
        ADD_FAILURE() << text << ": " << document.problem().text;
        return JsonDocument();
    }
    return std::move(document.value());
}

inline std::string written(JsonValue value)
{
    std::string text;
    value.write(text);
    return text;
}

}  // namespace x402

#endif
