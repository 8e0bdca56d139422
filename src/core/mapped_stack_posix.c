/* What POSIX systems provide for stacks; see mapped_stack_system.h and headroom.h. */

#if defined(__unix__) || defined(__APPLE__)

#if !defined(_GNU_SOURCE)
#  define _GNU_SOURCE 1 /* NOLINT(bugprone-reserved-identifier) */
#endif

#include "mapped_stack_system.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#  include <sys/syscall.h>
#elif defined(__APPLE__)
#  include <mach/vm_param.h>
#endif
#if defined(__FreeBSD__) || defined(__OpenBSD__)
#  include <pthread_np.h>
#endif

#include "headroom.h"

/* How many bytes of a stack, from its top, are in core dumps: more than most programs use
   before they meet Python's usual recursion limit.  The rest would be megabytes of zeros
   for each stack. */
#define DUMPED_SIZE ((size_t)1024 * 1024)

/* Stacks may take this share of what a limit leaves. */
#define SHARE_OF_LIMIT ((size_t)16)

/* Of vm.overcommit_memory: a process is promised all the memory that it maps. */
#define STRICT 2UL

/* Advice that memory need not keep what is in it.  Elsewhere MADV_DONTNEED says only that
   it will not be used soon; with MADV_FREE it goes when others need it. */
#if defined(__linux__) || !defined(MADV_FREE)
#  define DROP MADV_DONTNEED
#else
#  define DROP MADV_FREE
#endif

/* ---- Memory ---- */

size_t
system_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *
memory_map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

void
memory_unmap(void *memory, size_t size)
{
    (void)munmap(memory, size);
}

/* Is what is mapped here locked (mlockall, MCL_FUTURE)?  Then Linux refuses to drop
   pages, even where there are none. */
bool
region_is_locked(char *page)
{
#ifdef __linux__
    return madvise(page, system_page_size(), MADV_DONTNEED) < 0;
#else
    (void)page;
    return false;
#endif
}

/* Make all of a region accessible but its guard.  Where there are no more
   mappings, Linux from 6.13 on has another way (MADV_GUARD_INSTALL), which
   takes a page of the page tables instead: eight times the memory. */
bool
region_open(char *low, size_t size)
{
    int access = PROT_READ | PROT_WRITE;
    int result = mprotect(low + GUARD_SIZE, size - GUARD_SIZE, access);
#ifdef __linux__
    if (result < 0) {
        result = mprotect(low, size, access);
        if (result == 0) {
            result = madvise(low, GUARD_SIZE, 102);
        }
    }
#endif
    return result == 0;
}

/* Inaccessible addresses, those from `at` on if that is not NULL, in the place of what is
   mapped there.  NULL if there is no room. */
static char *
region_reserve(char *at, size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (at != NULL ? MAP_FIXED : 0);
#if defined(MAP_STACK) && !defined(__FreeBSD__)
    /* FreeBSD's would be a region that grows by itself, and must be accessible. */
    flags |= MAP_STACK;
#endif
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    char *low = mmap(at, size, PROT_NONE, flags, -1, 0);
    if (low == MAP_FAILED) {
        return NULL;
    }
#ifdef MADV_NOHUGEPAGE
    /* A huge page would be 2 MiB for a coroutine that needs 8 KiB. */
    (void)madvise(low, size, MADV_NOHUGEPAGE);
#endif
#ifdef MADV_DONTDUMP
    if (size > DUMPED_SIZE) {
        (void)madvise(low, size - DUMPED_SIZE, MADV_DONTDUMP);
    }
#endif
    return low;
}

/* It is inaccessible at first, so that none of it becomes resident where memory
   is locked as soon as it is mapped. */
char *
region_map(size_t size)
{
    char *low = region_reserve(NULL, size);
    if (low == NULL) {
        return NULL;
    }
    if (region_is_locked(low) || !region_open(low, size)) {
        (void)munmap(low, size);
        return NULL;
    }
    return low;
}

/* To drop the pages would leave their tables, a page for each stack. */
bool
region_vacate(char *low, size_t size)
{
    if (region_reserve(low, size) == NULL) {
        return false;
    }
    if (region_is_locked(low)) {
        (void)munlock(low, size);
    }
    return true;
}

void
region_unmap(char *low, size_t size)
{
    (void)munmap(low, size);
}

size_t
region_trim(char *low, const char *used)
{
    size_t unused = (size_t)(used - low);
    unused -= unused % system_page_size();
    return munmap(low, unused) == 0 ? unused : 0;
}

void
region_purge(char *low, size_t size)
{
    size_t purged = size - GUARD_SIZE;
    if (purged > KEPT_SIZE) {
        purged -= KEPT_SIZE;
        (void)madvise(low + GUARD_SIZE, purged - purged % system_page_size(),
                      DROP);
    }
}

/* ---- Time ---- */

uint64_t
system_microseconds(void)
{
    struct timespec now = {.tv_sec = 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- Limits ---- */

/* The limit that a call of getrlimit, which returned `result`, has found;
   SIZE_MAX for none. */
static size_t
soft_limit(int result, const struct rlimit *limit)
{
    if (result < 0 || limit->rlim_cur == RLIM_INFINITY
        || limit->rlim_cur > SIZE_MAX)
    {
        return SIZE_MAX;
    }
    return (size_t)limit->rlim_cur;
}

/* The calling thread's, when it began; 0 if unknown. */
static size_t
thread_stack_size(void)
{
    size_t size = 0;
#if defined(__linux__)
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstacksize(&attributes, &size);
        (void)pthread_attr_destroy(&attributes);
    }
#elif defined(__APPLE__)
    size = pthread_get_stacksize_np(pthread_self());
#endif
    return size;
}

/* Does the system let the calling thread's stack grow, as RLIMIT_STACK says? */
static bool
thread_stack_grows(void)
{
#if defined(__linux__)
    return syscall(SYS_gettid) == getpid();
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__)
    return pthread_main_np() != 0;
#else
    return true;
#endif
}

size_t
headroom_of_stack(void)
{
    static _Thread_local size_t reach;
    static _Thread_local bool grows;
    if (reach == 0) {
        size_t size = thread_stack_size();
        reach = size > HEADROOM_USUAL_STACK ? size : HEADROOM_USUAL_STACK;
        grows = thread_stack_grows();
    }
    if (grows) {
        struct rlimit limit;
        size_t now = soft_limit(getrlimit(RLIMIT_STACK, &limit), &limit);
        reach = now > reach ? now : reach;
    }
    return reach;
}

/* The number in one of Linux's files, or `usual` if it cannot be read. */
static unsigned long
setting(const char *path, unsigned long usual)
{
    unsigned long said = usual;
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%lu", &said) != 1) {
            said = usual;
        }
        (void)fclose(file);
    }
    return said;
}

/* The same, read once and then remembered in `known`. */
static unsigned long
setting_of_all(const char *path, unsigned long usual, atomic_ulong *known)
{
    unsigned long said = atomic_load(known);
    if (said == ULONG_MAX) {
        said = setting(path, usual);
        atomic_store(known, said);
    }
    return said;
}

size_t
headroom_in_mappings(void)
{
    static atomic_ulong known = ULONG_MAX;
    return setting_of_all("/proc/sys/vm/max_map_count", HEADROOM_USUAL_MAPPINGS,
                          &known);
}

static size_t
minus(size_t from, size_t subtracted)
{
    return from > subtracted ? from - subtracted : 0;
}

static size_t
least(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* What a line of /proc/meminfo says, in bytes; 0 if there is no such line. */
static size_t
memory_line(FILE *file, const char *name)
{
    char line[128];
    size_t length = strlen(name);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, length) == 0) {
            return (size_t)strtoul(line + length, NULL, 10) * 1024;
        }
    }
    return 0;
}

/* How many bytes the system can still promise, where it promises all that is
   mapped; otherwise SIZE_MAX. */
static size_t
promises_left(void)
{
    static atomic_ulong known = ULONG_MAX;
    if (setting_of_all("/proc/sys/vm/overcommit_memory", 0, &known) != STRICT) {
        return SIZE_MAX;
    }
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL) {
        return 0;
    }
    size_t left = minus(memory_line(file, "CommitLimit:"),
                        memory_line(file, "Committed_AS:"));
    (void)fclose(file);
    return left;
}

/* How many bytes RLIMIT_AS and RLIMIT_DATA still allow; SIZE_MAX if neither is
   set, 0 if that cannot be found out. */
static size_t
unmapped_left(void)
{
    struct rlimit limit;
    size_t space = SIZE_MAX;
    size_t data = SIZE_MAX;
#ifdef RLIMIT_AS
    space = soft_limit(getrlimit(RLIMIT_AS, &limit), &limit);
#endif
#ifdef __linux__
    data = soft_limit(getrlimit(RLIMIT_DATA, &limit), &limit);
#endif
    if (space == SIZE_MAX && data == SIZE_MAX) {
        return SIZE_MAX;
    }
    unsigned long pages, data_pages;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) {
        return 0;
    }
    bool is_known
        = fscanf(file, "%lu %*u %*u %*u %*u %lu", &pages, &data_pages) == 2;
    (void)fclose(file);
    if (!is_known) {
        return 0;
    }
    size_t page = system_page_size();
    return least(minus(space, pages * page), minus(data, data_pages * page));
}

/* How many bytes can be addressed.  With 64 bits machines differ; stacks lie
   near the end, but for macOS, which says where that is. */
static size_t
address_space(void)
{
#if defined(__APPLE__)
    return (size_t)MACH_VM_MAX_ADDRESS;
#else
    char here;
    uintptr_t space = sizeof space > 4 ? (uintptr_t)&here : UINTPTR_MAX;
    for (unsigned shift = 1; shift < sizeof space * 8; shift *= 2) {
        space |= space >> shift;
    }
    return space;
#endif
}

size_t
headroom_for_stacks(size_t taken)
{
    size_t allowed = address_space() / HEADROOM_SHARE;
    size_t left = least(unmapped_left(), promises_left());
    if (left != SIZE_MAX) {
        allowed
            = least(allowed, left / SHARE_OF_LIMIT + taken / SHARE_OF_LIMIT);
    }
    return allowed;
}

#else

typedef int no_posix; /* C wants every file to have something in it. */

#endif
