/* Windows: stacks of their own grow and overflow as threads' do, and the system always knows
   which one is in use. */

#include <process.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "harness.h"

#define MIB ((size_t)1024 * 1024)
#define KIB ((size_t)1024)
#define FRAME 4000

/* Use at least `size` bytes of the running stack; returns where they end. */
static FRAME_OF_ITS_OWN uintptr_t
use_stack(size_t size)
{
    volatile char frame[FRAME];
    frame[0] = (char)size;
    frame[FRAME - 1] = frame[0];
    uintptr_t end = (uintptr_t)&frame[0];
    if (size > FRAME) {
        uintptr_t farther = use_stack(size - FRAME);
        end = farther < end ? farther : end;
    }
    return end;
}

static struct stack_limits
what_the_system_knows(void)
{
    struct stack_limits limits;
    stack_limits_note(&limits);
    return limits;
}

/* How many bytes of a stack take memory; the guard page does, too. */
static size_t
accessible(const struct mapped_stack *stack)
{
    size_t sum = 0;
    const char *end = stack->low + stack->size;
    MEMORY_BASIC_INFORMATION region;
    for (const char *at = stack->low; at < end; at += region.RegionSize) {
        CHECK(VirtualQuery(at, &region, sizeof region) != 0);
        sum += region.State == MEM_COMMIT ? region.RegionSize : 0;
    }
    return sum;
}

/* ---- Growth ---- */

struct world {
    struct machine machine;
    struct coroutine coroutine;
    struct coroutine other;
};

static void
start(struct world *world, struct coroutine *coroutine, coroutine_body *body)
{
    coroutine_init(coroutine, body, NULL);
    world->machine.stack.pool.size = 2 * MIB;
    CHECK(slice_take_stack(&world->machine.stack, &coroutine->slice));
    coroutine_switch(&world->machine, coroutine);
}

/* The bounds are those of this stack, and `used` lies within them. */
static void
check_limits(const struct mapped_stack *own, uintptr_t used)
{
    struct stack_limits known = what_the_system_knows();
    CHECK_POINTER(known.base, ==, own->low + own->size);
    CHECK_POINTER(known.limit, >=, own->low);
    CHECK_INT((uintptr_t)known.limit, <=, used);
    ULONG_PTR low, high;
    GetCurrentThreadStackLimits(&low, &high);
    CHECK_INT(low, ==, (uintptr_t)own->low);
    CHECK_INT(high, ==, (uintptr_t)known.base);
}

static struct coroutine *
growing_body(struct machine *machine, struct coroutine *self)
{
    const struct mapped_stack *own = self->slice.own;
    check_limits(own, (uintptr_t)&own);
    coroutine_switch(machine, &machine->main);
    CHECK_INT(accessible(own), <=, 128 * KIB);
    uintptr_t used = use_stack(MIB);
    check_limits(own, used);
    coroutine_switch(machine, &machine->main);
    check_limits(own, used);
    used = use_stack(MIB + 512 * KIB);
    check_limits(own, used);
    return &machine->main;
}

static void
test_grows(void)
{
    struct world world;
    struct stack_limits before = what_the_system_knows();
    machine_init(&world.machine);
    start(&world, &world.coroutine, growing_body);
    const struct mapped_stack *own = world.coroutine.slice.own;
    for (int i = 0; i < 2; i++) {
        struct stack_limits now = what_the_system_knows();
        CHECK_POINTER(now.base, ==, before.base);
        CHECK_POINTER(now.limit, <=, before.limit);
        coroutine_switch(&world.machine, &world.coroutine);
    }
    CHECK_INT(world.coroutine.slice.state, ==, SLICE_DEAD);
    CHECK_POINTER(what_the_system_knows().base, ==, before.base);
    /* What it has grown to goes back after its first use, and it can grow again. */
    CHECK_INT(accessible(own), <=, 64 * KIB);
    start(&world, &world.coroutine, growing_body);
    CHECK_POINTER(world.coroutine.slice.own, ==, own);
    coroutine_switch(&world.machine, &world.coroutine);
    CHECK_INT(accessible(own), >=, MIB);
    coroutine_switch(&world.machine, &world.coroutine);
    machine_release(&world.machine);
}

/* From one stack to another, with no return to the thread's between them. */
static struct coroutine *
second_body(struct machine *machine, struct coroutine *self)
{
    struct world *world = (struct world *)machine;
    check_limits(self->slice.own, use_stack(256 * KIB));
    coroutine_switch(machine, &world->coroutine);
    check_limits(self->slice.own, use_stack(768 * KIB));
    return &world->coroutine;
}

static struct coroutine *
first_body(struct machine *machine, struct coroutine *self)
{
    struct world *world = (struct world *)machine;
    start(world, &world->other, second_body);
    check_limits(self->slice.own, use_stack(512 * KIB));
    coroutine_switch(machine, &world->other);
    check_limits(self->slice.own, use_stack(MIB));
    return &machine->main;
}

static void
test_between_two(void)
{
    struct world world;
    ULONG_PTR low[2], high[2];
    GetCurrentThreadStackLimits(&low[0], &high[0]);
    machine_init(&world.machine);
    start(&world, &world.coroutine, first_body);
    GetCurrentThreadStackLimits(&low[1], &high[1]);
    CHECK_INT(low[0], ==, low[1]);
    CHECK_INT(high[0], ==, high[1]);
    machine_release(&world.machine);
}

static void
test_a_retired_stack_takes_no_more_memory_than_is_in_use(void)
{
    struct stack_pool pool = {.size = 2 * MIB};
    struct mapped_stack *stack = stack_pool_take(&pool);
    mapped_stack_retire(stack, stack->top - 1000);
    CHECK_INT(accessible(stack), <=, 8 * KIB);
    *(volatile char *)(stack->top - 1000) = 1;
    stack_pool_close(&pool);
}

/* ---- Bytes for handlers ---- */

/* How many the system guarantees on the running stack. */
static ULONG
guaranteed(void)
{
    ULONG bytes = 0;
    CHECK(SetThreadStackGuarantee(&bytes));
    return bytes;
}

static struct coroutine *
guaranteeing_body(struct machine *machine, struct coroutine *self)
{
    (void)self;
    ULONG more = 96 * KIB;
    CHECK(SetThreadStackGuarantee(&more));
    ULONG here = guaranteed();
    CHECK_INT(here, >=, 96 * KIB);
    coroutine_switch(machine, &machine->main);
    CHECK_INT(guaranteed(), ==, here);
    return &machine->main;
}

static void
test_guarantees_belong_to_a_stack(void)
{
    struct world world;
    ULONG before = guaranteed();
    machine_init(&world.machine);
    start(&world, &world.coroutine, guaranteeing_body);
    CHECK_INT(guaranteed(), ==, before);
    coroutine_switch(&world.machine, &world.coroutine);
    CHECK_INT(guaranteed(), ==, before);
    machine_release(&world.machine);
}

/* ---- The end of a thread, in a coroutine ---- */

struct ending {
    struct world world;
    char *low; /* of the thread's first stack */
};

static struct coroutine *
ending_body(struct machine *machine, struct coroutine *self)
{
    (void)machine;
    (void)self;
    _endthreadex(0);
    return NULL;
}

static unsigned __stdcall
ending_thread(void *argument)
{
    struct ending *ending = argument;
    ULONG_PTR high;
    GetCurrentThreadStackLimits((ULONG_PTR *)&ending->low, &high);
    machine_init(&ending->world.machine);
    start(&ending->world, &ending->world.coroutine, ending_body);
    CHECK(false);
    return 0;
}

static DWORD
state_of(const char *address)
{
    MEMORY_BASIC_INFORMATION region;
    CHECK(VirtualQuery(address, &region, sizeof region) != 0);
    return region.State;
}

static unsigned __stdcall
idle_thread(void *argument)
{
    (void)argument;
    return 0;
}

static void
run_thread(unsigned(__stdcall *function)(void *), void *argument)
{
    HANDLE thread
        = (HANDLE)_beginthreadex(NULL, 0, function, argument, 0, NULL);
    CHECK(thread != NULL);
    CHECK_INT(WaitForSingleObject(thread, INFINITE), ==, WAIT_OBJECT_0);
    CHECK(CloseHandle(thread));
}

static void
test_a_thread_that_ends_there_leaves_the_stack(void)
{
    static struct ending ending;
    run_thread(ending_thread, &ending);
    /* Wine frees a thread's stack when another one ends. */
    run_thread(idle_thread, NULL);
    struct mapped_stack *own = ending.world.coroutine.slice.own;
    CHECK_INT(state_of((char *)own), ==, MEM_COMMIT);
    CHECK_INT(state_of(ending.low), ==, MEM_FREE);
    mapped_stack_give(own);
}

/* ---- Overflow ---- */

static struct coroutine *
overflowing_body(struct machine *machine, struct coroutine *self)
{
    (void)self;
    (void)use_stack(SIZE_MAX);
    return &machine->main;
}

static LONG WINAPI
end_at_overflow(EXCEPTION_POINTERS *exception)
{
    DWORD code = exception->ExceptionRecord->ExceptionCode;
    if (code == STATUS_STACK_OVERFLOW) {
        (void)TerminateProcess(GetCurrentProcess(), code);
    }
    return EXCEPTION_CONTINUE_SEARCH;
}

/* As on any thread's stack: an exception of this kind, and no other. */
static void
overflow(void)
{
    struct world world;
    (void)AddVectoredExceptionHandler(1, end_at_overflow);
    machine_init(&world.machine);
    start(&world, &world.coroutine, overflowing_body);
}

int
main(int count, char **arguments)
{
    if (count > 1) {
        CHECK(strcmp(arguments[1], "overflow") == 0);
        overflow();
        return 0;
    }
    test_grows();
    test_between_two();
    test_a_retired_stack_takes_no_more_memory_than_is_in_use();
    test_guarantees_belong_to_a_stack();
    test_a_thread_that_ends_there_leaves_the_stack();
    intptr_t status = _spawnl(_P_WAIT, arguments[0], arguments[0], "overflow",
                              (char *)NULL);
    CHECK_INT((DWORD)status, ==, (DWORD)STATUS_STACK_OVERFLOW);
    return 0;
}
