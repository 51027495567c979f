// SPDX-License-Identifier: Apache-2.0
// What processes have used so far, as the kernel counts it. Read by the load
// generator at both ends of a measurement.
#ifndef X402_BENCH_PROCESS_USAGE_HPP
#define X402_BENCH_PROCESS_USAGE_HPP

#include <dirent.h>
#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace x402_bench {

// The first number behind `label` in a file; -1 when there is none.
inline long long number_in(const std::string &path, const char *format)
{
    long long value = -1;
    if (std::FILE *file = std::fopen(path.c_str(), "r")) {
        char line[256];
        while (std::fgets(line, sizeof line, file) != nullptr) {
            if (std::sscanf(line, format, &value) == 1) {
                break;
            }
        }
        std::fclose(file);
    }
    return value;
}

// CPU time of all threads of a process, user and system, in nanoseconds.
// schedstat counts every nanosecond, where stat has ticks of 10 ms.
inline std::int64_t cpu_ns(pid_t pid)
{
    std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    std::int64_t sum = 0;
    DIR *directory = opendir(tasks.c_str());
    if (directory == nullptr) {
        return 0;
    }
    while (const dirent *entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            long long spent =
                number_in(tasks + "/" + entry->d_name + "/schedstat", "%lld");
            sum += spent > 0 ? spent : 0;
        }
    }
    closedir(directory);
    return sum;
}

inline std::int64_t cpu_ns(const std::vector<pid_t> &pids)
{
    std::int64_t sum = 0;
    for (pid_t pid : pids) {
        sum += cpu_ns(pid);
    }
    return sum;
}

// The share of it that was spent in the kernel, in ticks of 10 ms: system time
// and all time so far.
struct Ticks {
    long long system = 0;
    long long all = 0;
};

inline Ticks ticks(const std::vector<pid_t> &pids)
{
    Ticks sum;
    for (pid_t pid : pids) {
        std::string path = "/proc/" + std::to_string(pid) + "/stat";
        long long user = 0;
        long long system = 0;
        std::FILE *file = std::fopen(path.c_str(), "r");
        if (file == nullptr) {
            continue;
        }
        // Behind the name, which stands in parentheses: state and ten numbers.
        if (std::fscanf(file,
                        "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
                        "%*u %lld %lld",
                        &user, &system)
            == 2) {
            sum.system += system;
            sum.all += user + system;
        }
        std::fclose(file);
    }
    return sum;
}

// Memory in KB, as /proc/PID/status calls it: "VmRSS: %lld kB".
inline std::int64_t memory_kb(const std::vector<pid_t> &pids,
                              const char *format)
{
    std::int64_t sum = 0;
    for (pid_t pid : pids) {
        long long kb =
            number_in("/proc/" + std::to_string(pid) + "/status", format);
        sum += kb > 0 ? kb : 0;
    }
    return sum;
}

}  // namespace x402_bench

#endif
