/* Limits of the process; see headroom.h. */

#if !defined(_GNU_SOURCE)
#  define _GNU_SOURCE 1 /* NOLINT(bugprone-reserved-identifier) */
#endif

#include "headroom.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__unix__) || defined(__APPLE__)
#  define HAS_SYSTEM 1
#  include <pthread.h>
#  include <sys/resource.h>
#  include <unistd.h>
#endif
#ifdef __linux__
#  include <sys/syscall.h>
#endif

#define USUAL_MAPPINGS 65530UL

/* Stacks may take an eighth of all addresses, and a sixteenth of what a limit leaves. */
#define SHARE_OF_SPACE ((size_t)8)
#define SHARE_OF_LIMIT ((size_t)16)

/* Of vm.overcommit_memory: a process is promised all the memory that it maps. */
#define STRICT 2UL

#ifdef HAS_SYSTEM

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
#  if defined(__linux__)
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        (void)pthread_attr_getstacksize(&attributes, &size);
        (void)pthread_attr_destroy(&attributes);
    }
#  elif defined(__APPLE__)
    size = pthread_get_stacksize_np(pthread_self());
#  endif
    return size;
}

/* Does the system let the calling thread's stack grow, as RLIMIT_STACK says? */
static bool
thread_stack_grows(void)
{
#  if defined(__linux__)
    return syscall(SYS_gettid) == getpid();
#  elif defined(__APPLE__)
    return pthread_main_np() != 0;
#  else
    return true;
#  endif
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
    return setting_of_all("/proc/sys/vm/max_map_count", USUAL_MAPPINGS, &known);
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
#  ifdef RLIMIT_AS
    space = soft_limit(getrlimit(RLIMIT_AS, &limit), &limit);
#  endif
#  ifdef __linux__
    data = soft_limit(getrlimit(RLIMIT_DATA, &limit), &limit);
#  endif
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
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return least(minus(space, pages * page), minus(data, data_pages * page));
}

/* How many bytes can be addressed.  With 64 bits machines differ; stacks lie
   near the end. */
static size_t
address_space(void)
{
    char here;
    uintptr_t space = sizeof space > 4 ? (uintptr_t)&here : UINTPTR_MAX;
    for (unsigned shift = 1; shift < sizeof space * 8; shift *= 2) {
        space |= space >> shift;
    }
    return space;
}

size_t
headroom_for_stacks(size_t taken)
{
    size_t allowed = address_space() / SHARE_OF_SPACE;
    size_t left = least(unmapped_left(), promises_left());
    if (left != SIZE_MAX) {
        allowed
            = least(allowed, left / SHARE_OF_LIMIT + taken / SHARE_OF_LIMIT);
    }
    return allowed;
}

#else

size_t
headroom_of_stack(void)
{
    return HEADROOM_USUAL_STACK;
}

size_t
headroom_for_stacks(size_t taken)
{
    (void)taken;
    return 0;
}

size_t
headroom_in_mappings(void)
{
    return 0;
}

#endif
