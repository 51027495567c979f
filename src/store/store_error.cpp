// SPDX-License-Identifier: Apache-2.0
#include "store/store_error.hpp"

namespace x402 {

namespace {

struct ErrorWord {
    std::string_view word;
    StoreErrorAdvice advice;
};

constexpr StoreErrorAdvice kGiveRights = {
    false, true,
    "give the user of x402_store the rights that docs/several-machines.md "
    "lists"};

constexpr ErrorWord kErrorWords[] = {
    {"READONLY",
     {true, false, "it is a replica now; the address is looked up again"}},
    {"MASTERDOWN",
     {true, false, "it is a replica that lost its master; find out why"}},
    {"LOADING", {true, false, "it is loading its data; wait until it is done"}},
    {"NOAUTH", {true, true, "write password=file into x402_store"}},
    {"WRONGPASS",
     {true, true, "correct the user or the password of x402_store"}},
    {"NOPERM", kGiveRights},
    {"DENIED",
     {true, true,
      "give it a password, and write password=file into x402_store"}},
    {"WRONGTYPE",
     {false, true,
      "another program writes below the prefix of x402_store; give each shop "
      "its own prefix="}},
    {"OOM",
     {false, true,
      "the store is full; raise its maxmemory: new payments get 503 until "
      "then, and payments in progress finish"}},
    {"MISCONF",
     {false, true, "the store cannot write to its disk; look into its log"}},
    {"NOREPLICAS",
     {false, false,
      "the store has fewer replicas than its min-replicas-to-write; start "
      "them again"}},
    {"CLUSTERDOWN",
     {false, false,
      "the cluster lacks a master for some of its slots; look at CLUSTER INFO, "
      "and start its nodes again"}},
    {"TRYAGAIN",
     {false, false,
      "the slot is being moved to another node; payers of that slot get 503 "
      "until it is there"}},
    {"MOVED",
     {false, true,
      "the server is a node of a cluster; add \"cluster\" to x402_store"}},
    {"ASK",
     {false, true,
      "the server is a node of a cluster; add \"cluster\" to x402_store"}},
    {"CROSSSLOT",
     {false, true,
      "a proxy in front of the cluster does not know hash tags; write the "
      "addresses of the nodes, and \"cluster\""}},
    {"BUSY",
     {false, false,
      "a script of another program blocks the store; find it with SLOWLOG, and "
      "do not share the server"}},
};

// Errors without a word of their own. A right that a script lacks is told by
// Redis 7.0 and newer, and by Valkey.
constexpr ErrorWord kErrorTexts[] = {
    {"ERR The user executing the script can't run", kGiveRights},
    {"ERR ACL failure in script", kGiveRights},
    {"ERR max number of clients reached",
     {true, true,
      "raise its maxclients: each worker of nginx has a connection"}},
};

// Where " script: <digest>, on @user_script:<line>" begins, which the store
// puts behind what a script ends with; npos: it is not there.
std::size_t place_in_script(std::string_view error)
{
    std::size_t at = error.rfind(" script: ");
    bool is_place = at != std::string_view::npos
                    && error.find(", on @", at) != std::string_view::npos;
    return is_place ? at : std::string_view::npos;
}

}  // namespace

StoreErrorAdvice advice_of_store_error(std::string_view error)
{
    std::string_view word = error.substr(0, error.find(' '));
    for (const ErrorWord &known : kErrorWords) {
        if (known.word == word) {
            return known.advice;
        }
    }
    for (const ErrorWord &known : kErrorTexts) {
        if (error.substr(0, known.word.size()) == known.word) {
            return known.advice;
        }
    }
    return {};
}

bool did_nothing(std::string_view error)
{
    return *advice_of_store_error(error).advice != '\0'
           && place_in_script(error) == std::string_view::npos;
}

std::string_view store_error_text(std::string_view error)
{
    return error.substr(0, place_in_script(error));
}

}  // namespace x402
