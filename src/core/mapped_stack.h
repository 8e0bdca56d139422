/* Stacks of their own for coroutines: mapped memory with a guard at its end.

        low                                                        high
         | guard | never touched | ... in use ... | some lines | struct |
                                         stack grows <-- top
         | not in core dumps     |  1 MiB that is in them               |

   Stacks are taken from their thread's pool and given back to it: mapping a
   stack costs more than a coroutine's whole life on an idle one.  The pool
   keeps as many idle stacks as are in use, and a few more.  What deep calls
   have touched goes back to the system, though not at once.

   The stacks of all threads together take at most a sixteenth of the bytes that
   the process may still map, and half of the mappings that it may have.  These
   limits, and how far the thread's own stack may reach, are looked at when a
   stack is mapped, and now and then when an idle one is used again.  No stack
   is mapped where memory is locked as soon as it is mapped (mlockall).  A
   coroutine that gets none runs on the shared stack. */

#ifndef GREENLET_CORE_MAPPED_STACK_H
#define GREENLET_CORE_MAPPED_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mapped_stack_system.h"

/* Bytes in each stack for the user of the stack machine. */
#define MAPPED_STACK_ROOM 160

/* What lies at the high end of the mapping, in the page that every use touches. */
struct mapped_stack {
    struct mapped_stack *next; /* while in the pool */
    struct stack_pool *pool;   /* where it came from */
    char *low;                 /* where the mapping begins, with the guard */
    size_t size;               /* of the mapping, in bytes */
    char *top;                 /* where the first frame begins */
    char *base; /* where on the shared stack a slice that is started from here
                   begins */
    unsigned uses;
    unsigned
        returns; /* how many times its bytes have come back, since it was taken */
    bool is_vacated; /* in the copy, while there is one */
    bool is_closed;  /* then: its region is inaccessible */
#if SYSTEM_KNOWS_STACKS
    struct stack_limits limits; /* while another stack is in use */
#endif
    _Alignas(16) char room[MAPPED_STACK_ROOM];
};

/* How many idle stacks a pool keeps beyond the number of those in use.  Mapping
   and unmapping a stack takes longer than a short life below a dozen calls of C,
   so what bursts of a thousand need is kept, a few pages each.  Where the
   process may have few stacks, other threads need them: then a pool keeps an
   eighth of that number, but always STACK_POOL_KEPT_ALWAYS. */
#define STACK_POOL_KEPT ((size_t)1024)
#define STACK_POOL_KEPT_ALWAYS ((size_t)4)

/* Sizes that are no number of bytes: as large as the thread's own stack may
   become.  Where that is more than STACK_LARGEST, STACK_AS_THREADS means no
   stack, and STACK_AS_POSSIBLE means STACK_LARGEST. */
#define STACK_AS_THREADS ((size_t)0)
#define STACK_AS_POSSIBLE SIZE_MAX

/* Where the thread's own stack may reach farther than this, it is the better
   one. */
#define STACK_LARGEST ((size_t)1024 * 1024 * 1024)

/* One per thread: no locks. */
struct stack_pool {
    struct mapped_stack *idle;
    size_t idle_count;
    size_t used_count;
    size_t size; /* of each stack; set it before each stack_pool_take */
    /* As things stood at the last look: */
    size_t size_seen;    /* `size` */
    size_t bytes;        /* of each stack that is taken; 0 if none may be */
    size_t kept;         /* idle stacks, beyond the number of those in use */
    unsigned until_look; /* how many stacks are taken before the next look */
    unsigned
        patience; /* how many requests are refused before mapping is tried again */
    bool is_closed;
    size_t
        room_unused; /* of each stack's room: the last bytes, of which no copy
                           is kept while it is vacated */
};

/* How large a copy of the struct is that is kept. */
static inline size_t
mapped_stack_copied(const struct mapped_stack *stack)
{
    return sizeof *stack - stack->pool->room_unused;
}

/* How many stacks the process may have at a time, as things stand: the limit
   that was set, or else what half of the mappings suffice for, but no more than
   there is memory for. */
size_t mapped_stacks_limit(void);
void mapped_stacks_set_limit(size_t count);

/* How many stacks are mapped in the process, retired stacks apart, and how many of these are
   vacated. */
size_t mapped_stacks_count(void);
size_t mapped_stacks_vacated(void);

/* A stack from the pool, or a new one.  The caller owns it until
   mapped_stack_give or mapped_stack_retire.  NULL if a limit is reached or the
   system has no more, and under valgrind, which cannot follow a stack pointer
   from stack to stack. */
struct mapped_stack *stack_pool_take(struct stack_pool *pool);

/* Look at once whether the thread's own stack may reach farther than it did,
   for the next stack_pool_take.  Takes a system call. */
void stack_pool_fit(struct stack_pool *pool);

/* Give a stack back to its pool.  The caller may run on it until the next use
   of the pool, unless the pool is closed: then the stack is unmapped at
   once. */
void mapped_stack_give(struct mapped_stack *stack);

/* Give a stack up for good.  What is in use of it, from `stack_pointer` to the
   top, stays mapped; the rest, which is nearly all, goes back to the system.
   It no longer counts as a stack; but when what remains of retired stacks may
   take half of the process's mappings, no stack is mapped any more.  The caller
   must not run on it. */
void mapped_stack_retire(struct mapped_stack *stack, const char *stack_pointer);

/* Give the memory of a stack back whose bytes are elsewhere, this struct among them:
   `stack` is a copy of it.  False if that cannot be: then all is as it was. */
bool mapped_stack_vacate(struct mapped_stack *stack);

/* Have room for the bytes of a vacated stack; `stack` is the copy, and goes back to its place.
   Returns where that is; NULL if there is no memory. */
struct mapped_stack *mapped_stack_return(const struct mapped_stack *stack);

/* What mapped_stack_give does, for a stack that is vacated: it is unmapped.  `stack` is the
   copy. */
void mapped_stack_give_vacated(const struct mapped_stack *stack);

/* The thread has ended: unmap the idle stacks, and from now on every stack that
   is given back, which any thread may do. */
void stack_pool_close(struct stack_pool *pool);

/* The lowest address that may be used. */
char *mapped_stack_bottom(const struct mapped_stack *stack);

#endif
