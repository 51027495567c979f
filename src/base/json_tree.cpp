// SPDX-License-Identifier: Apache-2.0
#include "base/json_tree.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace x402 {

namespace {

// Up to so many members each is compared with each.
constexpr std::size_t kFewMembers = 16;

}  // namespace

JsonTree::JsonTree(const Size &room, const JsonCounts &counts)
    : block_(new char[room.nodes * sizeof(JsonNode) + room.bytes]),
      free_text_(block_.get() + room.nodes * sizeof(JsonNode)),
      counts_(counts)
{
}

const char *JsonTree::keep(std::string_view text)
{
    char *place = free_text_;
    if (!text.empty()) {
        std::memcpy(place, text.data(), text.size());
        free_text_ += text.size();
    }
    return place;
}

JsonNode &JsonTree::add(JsonKind kind, std::string_view name)
{
    JsonNode &node = nodes()[used_++];
    node.integer = 0;
    node.name = keep(name);
    node.name_size = static_cast<std::uint32_t>(name.size());
    node.size = 0;
    node.kind = kind;
    return node;
}

void JsonTree::add_string(std::string_view text, std::string_view name)
{
    JsonNode &node = add(JsonKind::string, name);
    node.text = keep(text);
    node.size = static_cast<std::uint32_t>(text.size());
}

void JsonTree::close(JsonNode &node, std::size_t children)
{
    node.span = static_cast<std::size_t>(nodes() + used_ - &node) - 1;
    node.size = static_cast<std::uint32_t>(children);
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
