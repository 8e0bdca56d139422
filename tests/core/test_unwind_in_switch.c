/* Unwinding works in the midst of a switch as well, where heap profilers do it,
   and recovers the callee-saved registers of the caller. */

#include "harness.h"
#include "registers.h"
#include "unwinding.h"

/* What an unwinder finds when a switch is about to copy. */
struct sight {
    bool is_looking;
    unsigned frames;
    unsigned switches; /* frames of stack_switch */
    unsigned holders;  /* frames of registers_hold */
    const void *last;
    uint64_t values[REGISTERS_LIMIT]; /* of the holder */
};

static struct sight sight;

static _Unwind_Reason_Code
visit(struct _Unwind_Context *context, void *argument)
{
    (void)argument;
    const void *function = function_of_frame(context);
    if (function == NULL) {
        return _URC_NO_REASON;
    }
    sight.frames++;
    sight.last = function;
    if (function == ADDRESS_OF(stack_switch)) {
        sight.switches++;
    }
    if (function == ADDRESS_OF(registers_hold)) {
        sight.holders++;
        for (unsigned i = 0; SHOWS_REGISTERS && i < registers_in_dwarf_count;
             i++)
        {
            CHECK_INT(_Unwind_GetGR(context, (int)registers_in_dwarf[i]), ==,
                      (_Unwind_Word)sight.values[i]);
        }
    }
    return _URC_NO_REASON;
}

static void
look(struct stack *stack, struct slice *slice)
{
    (void)stack;
    (void)slice;
    if (sight.is_looking) {
        sight.is_looking = false;
        CHECK_INT(_Unwind_Backtrace(visit, NULL), ==, BACKTRACE_END);
    }
}

/* The first switch away copies. */
static struct coroutine *
looking_body(struct machine *machine, struct coroutine *self)
{
    uint64_t random = 1;
    struct registers_outcome outcome;
    CHECK_POINTER(self->slice.copy, ==, NULL);
    for (unsigned i = 0; i < registers_count; i++) {
        sight.values[i] = random_next(&random);
    }
    sight.is_looking = true;
    CHECK_INT(registers_hold(sight.values, stack_switch, &machine->stack,
                             &machine->main.slice, &outcome),
              ==, 0);
    return &machine->main;
}

int
main(void)
{
    struct machine machine;
    struct coroutine coroutine;
    machine_init(&machine);
    machine.stack.evicting = look;
    coroutine_init(&coroutine, looking_body, NULL);
    coroutine_switch(&machine, &coroutine);
    CHECK(!sight.is_looking);
    CHECK_INT(sight.holders, ==, 1);
    /* The one that is under way, and the one that has started the coroutine. */
    bool shows_start = SHOWS_LAST_FRAME && STARTS_BY_NAME;
    CHECK_INT(sight.switches, ==, shows_start ? 2 : 1);
    if (shows_start) {
        CHECK_POINTER(sight.last, ==, ADDRESS_OF(stack_switch));
    }
    CHECK_INT(sight.frames, >=, 5);
    coroutines_finish(&machine, &coroutine, 1);
    machine_release(&machine);
    return 0;
}
