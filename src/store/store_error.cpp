// SPDX-License-Identifier: Apache-2.0
#include "store/store_error.hpp"

namespace x402 {

namespace {

struct ErrorWord {
    std::string_view word;
    StoreErrorAdvice advice;
};

constexpr ErrorWord kErrorWords[] = {
    {"READONLY",
     {true, false, "it is a replica now; the address is looked up again"}},
    {"MASTERDOWN",
     {true, false, "it is a replica that lost its master; find out why"}},
    {"LOADING", {true, false, "it is loading its data; wait until it is done"}},
    {"NOAUTH", {true, true, "write password=file into x402_store"}},
    {"WRONGPASS",
     {true, true, "correct the user or the password of x402_store"}},
    {"NOPERM",
     {false, true,
      "give the user of x402_store the rights that docs/several-machines.md "
      "lists"}},
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

}  // namespace

StoreErrorAdvice advice_of_store_error(std::string_view word)
{
    for (const ErrorWord &known : kErrorWords) {
        if (known.word == word) {
            return known.advice;
        }
    }
    return {};
}

}  // namespace x402
