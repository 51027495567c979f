/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the nginx of the fault bench: a wall clock that can be set
 * forward and back, a malloc that fails once, and a disk that is slow or
 * refuses to flush.
 *
 * CHAOS_CONTROL names a file of 64-bit words that all processes share: seconds
 * to add to the wall clock, the process whose memory is to fail, how many
 * allocations it still gets, and how often one was refused; microseconds that
 * fdatasync() takes longer, whether it fails, how often it succeeded, and how
 * long the file was when the last that did began; seconds to add to the steady
 * clock, by which timers run; and for fsync() what there is for fdatasync():
 * microseconds, whether it fails, and how often it succeeded. A file of the
 * first four leaves the disk and the timers alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    volatile int64_t clock_offset;
    volatile int64_t victim;
    volatile int64_t allowed;
    volatile int64_t refused;
    volatile int64_t sync_delay;
    volatile int64_t sync_fails;
    volatile int64_t syncs;
    volatile int64_t synced_bytes;
    volatile int64_t steady_offset;
    volatile int64_t whole_sync_delay;
    volatile int64_t whole_sync_fails;
    volatile int64_t whole_syncs;
};

static struct control none;
static struct control *control = &none;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

/* Where memory was refused and where a crash came from stands in the error log,
 * which is what stderr is in a worker. */
static void trace(const char *what, size_t length)
{
    void *frames[24];

    if (write(STDERR_FILENO, what, length) > 0) {
        backtrace_symbols_fd(frames, backtrace(frames, 24), STDERR_FILENO);
    }
}

static void crashed(int number)
{
    trace("crashed at\n", 11);
    signal(number, SIG_DFL);
    raise(number);
}

__attribute__((constructor)) static void attach(void)
{
    void *first[1];

    backtrace(first, 1);    /* loads what it needs */
    signal(SIGSEGV, crashed);
    signal(SIGABRT, crashed);
    const char *path = getenv("CHAOS_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd == -1) {
        return;
    }
    void *shared = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED) {
        control = shared;
    }
}

/* --- the clock ------------------------------------------------------------ */

int clock_gettime(clockid_t id, struct timespec *now)
{
    int rc = (int) syscall(SYS_clock_gettime, id, now);

    if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += control->clock_offset;
    }
    if (rc == 0 && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)) {
        now->tv_sec += control->steady_offset;
    }
    return rc;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec precise;

    (void) zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) {
        return -1;
    }
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

/* --- the disk ------------------------------------------------------------- */

/* The words are read all the while: one that becomes zero ends the delay. */
static int flush(int fd, long call, const volatile int64_t *delay, const volatile int64_t *fails)
{
    enum { kSlice = 5000 };

    for (int64_t waited = 0; waited < *delay; waited += kSlice) {
        int64_t left = *delay - waited;
        struct timespec time = { 0, (left > 0 && left < kSlice ? left : kSlice) * 1000 };
        nanosleep(&time, NULL);
    }
    if (*fails) {
        errno = EIO;
        return -1;
    }
    return (int) syscall(call, fd);
}

int fdatasync(int fd)
{
    struct stat about;
    int64_t bytes = fstat(fd, &about) == 0 ? about.st_size : 0;
    int rc = flush(fd, SYS_fdatasync, &control->sync_delay, &control->sync_fails);

    if (rc == 0) {
        control->synced_bytes = bytes;
        __sync_add_and_fetch(&control->syncs, 1);
    }
    return rc;
}

int fsync(int fd)
{
    int rc = flush(fd, SYS_fsync, &control->whole_sync_delay, &control->whole_sync_fails);

    if (rc == 0) {
        __sync_add_and_fetch(&control->whole_syncs, 1);
    }
    return rc;
}

/* --- memory --------------------------------------------------------------- */

/* jansson (2.14) writes behind its own buffers when it gets no memory for a
 * longer string: what it does then is not ours, and ends anyhow. */
static int is_helpless(const void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) != 0 && info.dli_fname && strstr(info.dli_fname, "libjansson") != NULL;
}

static int refuses(const void *caller)
{
    if (control->victim == 0 || control->victim != syscall(SYS_getpid) || is_helpless(caller)) {
        return 0;
    }
    if (__sync_sub_and_fetch(&control->allowed, 1) != 0) {
        return 0;
    }
    control->victim = 0;
    control->refused++;
    trace("memory is refused at\n", 21);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return refuses(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return refuses(__builtin_return_address(0)) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    return refuses(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (refuses(__builtin_return_address(0))) {
        return ENOMEM;
    }
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}
