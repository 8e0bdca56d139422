/* The memory of stacks of their own where POSIX calls map it: what nobody uses goes back,
   and the guard ends the process. */

#define _DEFAULT_SOURCE 1

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define SMALLEST_PAGE 4096

static size_t
page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t
resident_bytes(const struct mapped_stack *stack)
{
    unsigned char vector[SMALL_STACK / SMALLEST_PAGE];
    CHECK_INT(stack->size, ==, SMALL_STACK);
    /* Systems do not agree on the type of what is written. */
    CHECK_INT(mincore(stack->low, stack->size, (void *)vector), ==, 0);
    size_t bytes = 0;
    for (size_t i = 0; i < SMALL_STACK / page_size(); i++) {
        bytes += vector[i] & 1 ? page_size() : 0;
    }
    return bytes;
}

/* An emulator of user programs may know nothing of pages; and only Linux takes at once what
   is given back. */
static bool
can_see_resident_bytes(const struct mapped_stack *stack)
{
#if defined(__linux__)
    unsigned char vector[SMALL_STACK / SMALLEST_PAGE];
    return !machine_is_emulated()
           || mincore(stack->low, stack->size, vector) == 0;
#else
    (void)stack;
    return false;
#endif
}

static void
touch_all(struct mapped_stack *stack)
{
    char *bottom = mapped_stack_bottom(stack);
    memset(bottom, 1, (size_t)(stack->top - bottom));
}

/* After its first use, and then now and then. */
static void
test_pages_of_an_excursion_go_back(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *stack = stack_pool_take(&pool);
    /* What is kept, the page where that begins, and the page with the struct. */
    size_t kept = (size_t)32 * 1024 + 2 * page_size();
    touch_all(stack);
    if (!can_see_resident_bytes(stack)) {
        mapped_stack_give(stack);
        stack_pool_close(&pool);
        return;
    }
    CHECK_INT(resident_bytes(stack), >=, 160 * 1024);
    mapped_stack_give(stack);
    CHECK_INT(resident_bytes(stack), <=, kept);

    CHECK_POINTER(stack_pool_take(&pool), ==, stack);
    touch_all(stack);
    for (int i = 0; i < 300; i++) {
        mapped_stack_give(stack);
        CHECK_POINTER(stack_pool_take(&pool), ==, stack);
    }
    CHECK_INT(resident_bytes(stack), <=, kept);
    mapped_stack_give(stack);
    stack_pool_close(&pool);
}

/* It ends the process rather than let it write where others have their data. */
static void
test_the_guard_guards(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *stack = stack_pool_take(&pool);
    pid_t child = fork();
    CHECK_INT(child, >=, 0);
    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL);
        (void)signal(SIGBUS, SIG_DFL);
        *(volatile char *)(mapped_stack_bottom(stack) - 1) = 1;
        _exit(0);
    }
    int status = 0;
    CHECK_INT(waitpid(child, &status, 0), ==, child);
    CHECK(WIFSIGNALED(status));
    *mapped_stack_bottom(stack) = 1;
    mapped_stack_give(stack);
    stack_pool_close(&pool);
}

static void
test_a_retired_stack_keeps_no_more_than_is_in_use(void)
{
    enum { USED = 1000 };
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *stack = stack_pool_take(&pool);
    size_t page = page_size();
    char *low = stack->low;
    const char *stack_pointer = stack->top - USED;
    mapped_stack_retire(stack, stack_pointer);
    CHECK_POINTER(stack->low, <=, stack_pointer);
    CHECK_INT(stack->size, <=, USED + 2 * page + sizeof *stack);
    if (!machine_is_emulated()) {
        /* Not all systems' mincore says so. */
        CHECK(msync(low, page, MS_ASYNC) < 0);
    }
    stack_pool_close(&pool);
}

int
main(void)
{
    struct stack_pool pool = {.size = SMALL_STACK};
    struct mapped_stack *stack = stack_pool_take(&pool);
    if (machine_is_emulated() && stack == NULL) {
        puts("skipped: there are no such stacks under valgrind");
        return 0;
    }
    mapped_stack_give(stack);
    stack_pool_close(&pool);
    test_pages_of_an_excursion_go_back();
    test_the_guard_guards();
    test_a_retired_stack_keeps_no_more_than_is_in_use();
    return 0;
}
