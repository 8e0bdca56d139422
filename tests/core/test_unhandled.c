/* Windows: an exception that nobody in a coroutine handles gets to the process's filter, as
   in any thread, and ends the process if the filter wants that. */

#include <process.h>
#include <string.h>
#include <windows.h>

#include "harness.h"

#define EXCEPTION 0xE0000042UL
#define DEPTH 5
#define LITTER 2048

static unsigned filtered;

static LONG WINAPI
filter_that_goes_on(EXCEPTION_POINTERS *exception)
{
    CHECK_INT(exception->ExceptionRecord->ExceptionCode, ==, EXCEPTION);
    filtered++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG WINAPI
filter_that_ends(EXCEPTION_POINTERS *exception)
{
    (void)exception;
    return EXCEPTION_EXECUTE_HANDLER;
}

static FRAME_OF_ITS_OWN unsigned
raise_below(unsigned depth)
{
    volatile unsigned here = depth;
    if (depth > 0) {
        return raise_below(depth - 1) + here;
    }
    RaiseException(EXCEPTION, 0, 0, NULL);
    return here;
}

static struct coroutine *
body(struct machine *machine, struct coroutine *self)
{
    (void)self;
    (void)raise_below(DEPTH);
    coroutine_switch(machine, &machine->main);
    (void)raise_below(DEPTH);
    return &machine->main;
}

/* What an unwinder that goes on beyond the outermost frame finds there is no code. */
static FRAME_OF_ITS_OWN uintptr_t
litter(void)
{
    volatile uintptr_t words[LITTER];
    for (unsigned i = 0; i < LITTER; i++) {
        words[i] = UINTPTR_MAX / 3;
    }
    return words[0];
}

/* In a coroutine, which raises twice. */
static void
run(bool on_own)
{
    struct machine machine;
    struct coroutine coroutine;
    machine_init(&machine);
    coroutine_init(&coroutine, body, NULL);
    if (on_own) {
        CHECK(slice_take_stack(&machine.stack, &coroutine.slice));
    }
    (void)litter();
    coroutine_switch(&machine, &coroutine);
    coroutine_switch(&machine, &coroutine);
    slice_release(&coroutine.slice);
    machine_release(&machine);
}

int
main(int count, char **arguments)
{
    if (count > 1) {
        CHECK(strcmp(arguments[1], "end") == 0);
        (void)SetUnhandledExceptionFilter(filter_that_ends);
        run(false);
        return 0;
    }
    (void)SetUnhandledExceptionFilter(filter_that_goes_on);
    run(false);
    CHECK_INT(filtered, ==, 2);
    run(true);
    CHECK_INT(filtered, ==, 4);
    intptr_t status
        = _spawnl(_P_WAIT, arguments[0], arguments[0], "end", (char *)NULL);
    CHECK_INT((DWORD)status, ==, EXCEPTION);
    return 0;
}
