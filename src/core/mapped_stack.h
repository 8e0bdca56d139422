/* Stacks of their own for coroutines: mapped memory with a guard at its end.

        low                                                        high
         | guard | never touched | ... in use ... | some lines | struct |
                                         stack grows <-- top

   A stack is taken from its thread's pool, and given back to it: mapping one costs
   more than a whole life on one that is there.  The pool keeps as many as are in
   use, and a few; and what a deep excursion has touched goes back to the system,
   if not at once.

   Mappings are a scarce resource, too: so many are allowed, in the process, and no
   more.  Whoever gets none does without. */

#ifndef GREENLET_CORE_MAPPED_STACK_H
#define GREENLET_CORE_MAPPED_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* Room in each stack for whoever uses the stack machine. */
#define MAPPED_STACK_ROOM 160

/* What lies at the high end of the mapping, in the page that every use touches. */
struct mapped_stack {
    struct mapped_stack *next; /* while in the pool */
    struct stack_pool *pool;   /* whose it is */
    char *low;                 /* where the mapping begins, with the guard */
    size_t size;               /* of the mapping, in bytes */
    char *top;                 /* where the first frame begins */
    char *base;                /* see slice.c */
    unsigned uses;
    _Alignas(16) char room[MAPPED_STACK_ROOM];
};

/* More are kept idle only if as many are in use.  To map a stack and unmap it takes as
   long as a short life below a dozen calls of C, so what bursts of some hundreds need
   is kept; it is a few pages each.  Where few are allowed in the process, other threads
   need them: then an eighth of those, or at least a few. */
#define STACK_POOL_KEPT ((size_t)512)
#define STACK_POOL_KEPT_ALWAYS ((size_t)4)

/* One per thread: no locks. */
struct stack_pool {
    struct mapped_stack *idle;
    size_t idle_count;
    size_t used_count;
    /* Of each; 0 until it is needed: then as large as the thread's own. */
    size_t size;
    unsigned patience; /* how many are not to be asked for */
    bool is_closed;
};

/* How many may be mapped in the process at a time.  Unless it has been set, that is
   as many as take no more than half of the mappings that the system allows a
   process, and an eighth of the memory that it may address; and few where memory is
   set aside for all that is mapped. */
size_t mapped_stacks_limit(void);
void mapped_stacks_set_limit(size_t count);

/* How many are mapped. */
size_t mapped_stacks_count(void);

/* How large a stack has to be for whatever the calling thread's has room for: bytes,
   a multiple of the page size. */
size_t mapped_stack_default_size(void);

/* The smallest that makes sense. */
#define MAPPED_STACK_SMALLEST ((size_t)256 * 1024)

/* From the pool, or new; NULL if the limit is reached or the system has none left,
   and under valgrind, which cannot follow a stack pointer from stack to stack.
   The caller is its only user until it gives it back. */
struct mapped_stack *stack_pool_take(struct stack_pool *pool);

/* Give a stack back to its pool.  The caller may still run on it, and go on doing so
   until the next use of the pool. */
void mapped_stack_give(struct mapped_stack *stack);

/* Unmap what is idle, and from now on whatever is given back: the thread has come
   to its end. */
void stack_pool_close(struct stack_pool *pool);

/* The lowest address that may be used. */
char *mapped_stack_bottom(const struct mapped_stack *stack);

#endif
