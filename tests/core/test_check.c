/* slice_check aborts at each broken invariant and at none that holds, and
   SLICE_CHECK at an illegal move from state to state. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

/* Three slices as after two starts: the current one, its starter, the first. */
struct chain {
    struct stack stack;
    struct slice current;
    struct slice middle;
    struct slice first;
    _Alignas(16) char bytes[300];
};

static void
entry_never_called(struct stack *stack)
{
    (void)stack;
    abort();
}

static void
chain_init(struct chain *chain)
{
    stack_init(&chain->stack, &chain->first, entry_never_called, machine_land);
    chain->first.near = chain->bytes + 200;
    slice_init(&chain->middle);
    chain->middle.near = chain->bytes + 100;
    chain->middle.far = chain->bytes + 200;
    chain->middle.state = SLICE_ACTIVE;
    chain->middle.older = &chain->first;
    slice_init(&chain->current);
    chain->current.near = chain->bytes;
    chain->current.far = chain->bytes + 100;
    chain->current.state = SLICE_ACTIVE;
    chain->current.older = &chain->middle;
    chain->stack.current = &chain->current;
    chain->stack.shared = &chain->current;
}

static void
break_nothing(struct chain *chain)
{
    (void)chain;
}

static void
break_current_saved(struct chain *chain)
{
    chain->current.saved_size = 8;
}

static void
break_state(struct chain *chain)
{
    chain->middle.state = SLICE_DEAD;
}

static void
break_order(struct chain *chain)
{
    chain->current.far = chain->middle.far;
    /* All of the middle one is in the heap, so only the order is wrong. */
    chain->middle.saved_size = 100;
}

static void
break_saved_size(struct chain *chain)
{
    chain->middle.saved_size = 101;
}

static void
break_ownership(struct chain *chain)
{
    chain->middle.near = chain->bytes + 99;
}

/* Dying twice is an illegal move, which only SLICE_CHECK looks for. */
static void
die_twice(struct chain *chain)
{
    struct slice slice = chain->middle;
    slice_die(&slice);
    slice_die(&slice);
}

static void
break_end(struct chain *chain)
{
    chain->middle.older = NULL;
}

/* What a switch does on its far side. */
static void
land(const struct chain *chain)
{
    struct stack stack = chain->stack;
    (void)stack_restore(&stack, stack.current);
}

static void
look(const struct chain *chain)
{
    slice_check(&chain->stack);
}

/* The signal that ends `use` of a chain with that damage; 0 for none. */
static int
signal_after(void (*damage)(struct chain *chain),
             void (*use)(const struct chain *chain))
{
    pid_t child = fork();
    CHECK_INT(child, >=, 0);
    if (child == 0) {
        struct chain chain;
        chain_init(&chain);
        if (freopen("/dev/null", "w", stderr) != NULL) {
            damage(&chain);
            use(&chain);
        }
        _exit(0);
    }
    int status = 0;
    CHECK_INT(waitpid(child, &status, 0), ==, child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int
main(void)
{
    CHECK_INT(signal_after(break_nothing, look), ==, 0);
    CHECK_INT(signal_after(break_current_saved, look), ==, SIGABRT);
    CHECK_INT(signal_after(break_state, look), ==, SIGABRT);
    CHECK_INT(signal_after(break_order, look), ==, SIGABRT);
    CHECK_INT(signal_after(break_saved_size, look), ==, SIGABRT);
    CHECK_INT(signal_after(break_ownership, look), ==, SIGABRT);
    CHECK_INT(signal_after(break_end, look), ==, SIGABRT);
    CHECK_INT(signal_after(break_nothing, land), ==, 0);
    CHECK_INT(signal_after(break_order, land), ==,
              slices_are_checked ? SIGABRT : 0);
    CHECK_INT(signal_after(die_twice, look), ==,
              slices_are_checked ? SIGABRT : 0);
    return 0;
}
