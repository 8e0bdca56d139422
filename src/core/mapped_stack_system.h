/* What a system provides for stacks of their own, and for slabs, in one file each:
   mapped_stack_posix.c, mapped_stack_windows.c, and mapped_stack_none.c for
   systems on which there are none.  The same file answers headroom.h.

   Of a region, which becomes a stack, the caller knows `low`, where it begins,
   and its size in bytes.  None of these functions runs Python code or
   switches. */

#ifndef GREENLET_CORE_MAPPED_STACK_SYSTEM_H
#define GREENLET_CORE_MAPPED_STACK_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Larger than the frame of any function that does not probe its stack. */
#define GUARD_SIZE ((size_t)64 * 1024)

/* How many bytes of an idle stack stay resident. */
#define KEPT_SIZE ((size_t)32 * 1024)

size_t system_page_size(void);

/* Zeroed memory, whole pages, whose owner is the caller until memory_unmap; `size` is a
   multiple of 64 KiB.  NULL when there is none. */
void *memory_map(size_t size);
void memory_unmap(void *memory, size_t size);

/* A new region, whose owner is the caller until region_unmap.  NULL where memory
   is locked as soon as it is mapped, and if there is no room. */
char *region_map(size_t size);

void region_unmap(char *low, size_t size);

/* Give the memory between `low` and an address within a stack that nobody runs
   on back to the system for good, the guard as well.  Returns for how many bytes
   from `low` on others can have the addresses, too. */
size_t region_trim(char *low, const char *used);

/* Give back the memory of an idle stack but its KEPT_SIZE highest bytes. */
void region_purge(char *low, size_t size);

/* Is the memory locked that a page lies in? */
bool region_is_locked(char *page);

/* Give back all memory of a region, and the tables of its pages, but not its addresses.
   False if that cannot be: then all is as it was.  Otherwise the region is inaccessible until
   region_open. */
bool region_vacate(char *low, size_t size);

/* Make all of a vacated region accessible but its guard; zeros are in it.  False if there is
   no room. */
bool region_open(char *low, size_t size);

/* Of a clock that never goes back. */
uint64_t system_microseconds(void);

/* ---- What the system itself knows of the running stack ---- */

struct stack_limits;

#if defined(_WIN32)
#  define SYSTEM_KNOWS_STACKS 1
#  define SYSTEM_VACATES_STACKS 0

/* Of the stack that a thread runs on, as the thread's environment block (TEB)
   has it: exceptions are looked for between `limit` and `base` only, and the
   system lets a stack grow by its guard page, which lies below `limit`, if it is
   this one.  All of it belongs to a stack, and not to a coroutine: slices of one
   stack share it. */
struct stack_limits {
    char *base;     /* where it began: its high end */
    char *limit;    /* how far it has grown */
    char *low;      /* how far it may */
    void *handlers; /* a list of those on it; with 64 bits only Wine has it */
    unsigned long guaranteed; /* bytes left for handlers when it overflows */
};

/* For a stack that has a region, in which KEPT_SIZE bytes are accessible. */
void stack_limits_init(struct stack_limits *limits, char *low, size_t size);

/* What is in force, for a stack that the calling thread is about to leave. */
void stack_limits_note(struct stack_limits *left);

/* The calling thread is about to run on another stack. */
void stack_limits_set(const struct stack_limits *entered);

#else
#  define SYSTEM_KNOWS_STACKS 0
/* Does region_vacate ever return true? */
#  define SYSTEM_VACATES_STACKS 1

static inline void
stack_limits_note(struct stack_limits *left)
{
    (void)left;
}

static inline void
stack_limits_set(const struct stack_limits *entered)
{
    (void)entered;
}

#endif

#endif
