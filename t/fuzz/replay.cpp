// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on the files named: for compilers without libFuzzer.
#include <fstream>
#include <iterator>

#include "fuzz_check.hpp"

int main(int argc, char **argv)
{
    for (int index = 1; index < argc; ++index) {
        std::ifstream file(argv[index], std::ios::binary);
        std::string text{std::istreambuf_iterator<char>(file), {}};
        LLVMFuzzerTestOneInput(
            reinterpret_cast<const std::uint8_t *>(text.data()), text.size());
    }
    std::printf("%d inputs replayed\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
