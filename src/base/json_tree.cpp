// SPDX-License-Identifier: Apache-2.0
#include "base/json_tree.hpp"

#include <algorithm>
#include <new>

namespace x402 {

namespace {

// Up to so many members each is compared with each.
constexpr std::size_t kFewMembers = 16;

// Copies the text to `place`, and moves that after it.
const char *keep(std::string_view text, char *&place)
{
    char *kept = place;
    place = std::copy(text.begin(), text.end(), place);
    return kept;
}

}  // namespace

JsonTree::JsonTree(const JsonNodes &values, const JsonCounts &counts)
    : counts_(counts)
{
    std::size_t bytes = values.size() * sizeof(JsonNode);
    std::size_t text = 0;
    for (const JsonNode &node : values.nodes()) {
        text += node.name_size
                + (node.kind == JsonKind::string ? std::size_t{node.size} : 0);
    }
    block_.reset(new char[bytes + text]);
    auto *copied = reinterpret_cast<JsonNode *>(block_.get());
    char *place = block_.get() + bytes;
    for (const JsonNode &node : values.nodes()) {
        JsonNode &own = *new (copied++) JsonNode(node);
        own.name = keep(node.name_text(), place);
        if (node.kind == JsonKind::string) {
            own.text = keep(node.string(), place);
        }
    }
}

bool repeats_a_name(const JsonNode &object)
{
    const JsonNode *end = object.next();
    if (object.size > kFewMembers) {
        std::vector<std::string_view> names;
        names.reserve(object.size);
        for (const JsonNode *member = object.first(); member != end;
             member = member->next()) {
            names.push_back(member->name_text());
        }
        std::sort(names.begin(), names.end());
        return std::adjacent_find(names.begin(), names.end()) != names.end();
    }
    for (const JsonNode *member = object.first(); member != end;
         member = member->next()) {
        for (const JsonNode *other = object.first(); other != member;
             other = other->next()) {
            if (member->name_text() == other->name_text()) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace x402
