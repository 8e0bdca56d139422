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
    char bytes[300];
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
    stack_init(&chain->stack, &chain->first, entry_never_called);
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

/* The signal that ends slice_check on a chain with that damage; 0 for none. */
static int
signal_after(void (*damage)(struct chain *chain))
{
    pid_t child = fork();
    CHECK_INT(child, >=, 0);
    if (child == 0) {
        struct chain chain;
        chain_init(&chain);
        if (freopen("/dev/null", "w", stderr) != NULL) {
            damage(&chain);
            slice_check(&chain.stack);
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
    CHECK_INT(signal_after(break_nothing), ==, 0);
    CHECK_INT(signal_after(break_current_saved), ==, SIGABRT);
    CHECK_INT(signal_after(break_state), ==, SIGABRT);
    CHECK_INT(signal_after(break_order), ==, SIGABRT);
    CHECK_INT(signal_after(break_saved_size), ==, SIGABRT);
    CHECK_INT(signal_after(break_ownership), ==, SIGABRT);
    CHECK_INT(signal_after(break_end), ==, SIGABRT);
    CHECK_INT(signal_after(die_twice), ==, slices_are_checked ? SIGABRT : 0);
    return 0;
}
