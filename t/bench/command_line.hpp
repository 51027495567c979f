// SPDX-License-Identifier: Apache-2.0
// Words of the form name=value, as the bench programs take them.
#ifndef X402_BENCH_COMMAND_LINE_HPP
#define X402_BENCH_COMMAND_LINE_HPP

#include <sys/types.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace x402_bench {

class CommandLine {
public:
    // Ends the program at a word that is not among `known`.
    CommandLine(int count, char **words, const std::set<std::string> &known)
    {
        for (int i = 1; i < count; ++i) {
            std::string word = words[i];
            std::size_t sign = word.find('=');
            std::string name = word.substr(0, sign);
            if (sign == word.npos || known.count(name) == 0) {
                std::fprintf(stderr, "%s: unknown word \"%s\"\n", words[0],
                             words[i]);
                std::exit(2);
            }
            values_[name] = word.substr(sign + 1);
        }
    }

    std::string text(const std::string &name, std::string otherwise = {}) const
    {
        auto found = values_.find(name);
        return found == values_.end() ? std::move(otherwise) : found->second;
    }
    double number(const std::string &name, double otherwise) const
    {
        auto found = values_.find(name);
        return found == values_.end() ? otherwise
                                      : std::atof(found->second.c_str());
    }
    // Comma-separated process ids.
    std::vector<pid_t> pids(const std::string &name) const
    {
        std::vector<pid_t> list;
        std::string all = text(name);
        for (std::size_t at = 0; at < all.size();) {
            list.push_back(std::atoi(all.c_str() + at));
            std::size_t comma = all.find(',', at);
            at = comma == all.npos ? all.size() : comma + 1;
        }
        return list;
    }

private:
    std::map<std::string, std::string> values_;
};

}  // namespace x402_bench

#endif
