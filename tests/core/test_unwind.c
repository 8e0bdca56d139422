/* Unwinders, such as those of debuggers, profilers and C++ exceptions, end
   cleanly at a coroutine's first frame and never enter another coroutine. */

#include "harness.h"
#include "unwinding.h"

#define FRAME_LIMIT 64

/* The functions under way, innermost first. */
struct backtrace {
    const void *functions[FRAME_LIMIT];
    unsigned count;
};

static _Unwind_Reason_Code
visit(struct _Unwind_Context *context, void *argument)
{
    struct backtrace *backtrace = argument;
    const void *function = function_of_frame(context);
    if (function != NULL) {
        CHECK_INT(backtrace->count, <, FRAME_LIMIT);
        backtrace->functions[backtrace->count++] = function;
    }
    return _URC_NO_REASON;
}

static void
backtrace_take(struct backtrace *backtrace)
{
    backtrace->count = 0;
    CHECK_INT(_Unwind_Backtrace(visit, backtrace), ==, BACKTRACE_END);
}

static bool
backtrace_has(const struct backtrace *backtrace, const void *wanted)
{
    for (unsigned i = 0; i < backtrace->count; i++) {
        if (backtrace->functions[i] == wanted) {
            return true;
        }
    }
    return false;
}

int main(void);

/* The last frames are the machine's: its entry, called by stack_switch. */
static void
check_ends_at_entry(const struct machine *machine,
                    const struct backtrace *backtrace)
{
    unsigned count = backtrace->count;
    CHECK_INT(count, >=, SHOWS_LAST_FRAME ? 3 : 2);
    if (SHOWS_LAST_FRAME) {
        count--;
        CHECK_INT(backtrace->functions[count] == ADDRESS_OF(stack_switch), ==,
                  STARTS_BY_NAME);
    }
    CHECK_POINTER(backtrace->functions[count - 1], ==,
                  ADDRESS_OF(machine->stack.entry));
    CHECK(!backtrace_has(backtrace, ADDRESS_OF(main)));
}

static void
check_ends_at_main(const struct machine *machine)
{
    struct backtrace backtrace;
    backtrace_take(&backtrace);
    CHECK(backtrace_has(&backtrace, ADDRESS_OF(main)));
    CHECK(!backtrace_has(&backtrace, ADDRESS_OF(machine->stack.entry)));
}

static void
check_same(const struct backtrace *left, const struct backtrace *right)
{
    CHECK_INT(left->count, ==, right->count);
    for (unsigned i = 0; i < left->count; i++) {
        CHECK_POINTER(left->functions[i], ==, right->functions[i]);
    }
}

/* ---- Fresh, nested and resumed ---- */

static FRAME_OF_ITS_OWN void
nest(struct machine *machine, int depth)
{
    struct backtrace before;
    struct backtrace after;
    if (depth > 0) {
        nest(machine, depth - 1);
    }
    backtrace_take(&before);
    check_ends_at_entry(machine, &before);
    CHECK(backtrace_has(&before, ADDRESS_OF(nest)));
    coroutine_switch(machine, &machine->main);
    backtrace_take(&after);
    check_same(&before, &after);
}

static struct coroutine *
nesting_body(struct machine *machine, struct coroutine *self)
{
    struct backtrace backtrace;
    (void)self;
    backtrace_take(&backtrace);
    check_ends_at_entry(machine, &backtrace);
    CHECK(backtrace_has(&backtrace, ADDRESS_OF(nesting_body)));
    nest(machine, 5);
    return &machine->main;
}

static struct coroutine *
starting_body(struct machine *machine, struct coroutine *self)
{
    (void)machine;
    return self->argument;
}

/* Resume from more and more frames, so that the coroutine's outermost frame
   never has the same neighbour. */
static FRAME_OF_ITS_OWN void
resume(struct machine *machine, struct coroutine *coroutine)
{
    volatile char bytes[200];
    bytes[0] = 1;
    if (coroutine->slice.state == SLICE_DEAD) {
        return;
    }
    coroutine_switch(machine, coroutine);
    check_ends_at_main(machine);
    resume(machine, coroutine);
    CHECK_INT(bytes[0], ==, 1);
}

static void
test_started_by_main(struct machine *machine)
{
    struct coroutine coroutine;
    coroutine_init(&coroutine, nesting_body, NULL);
    resume(machine, &coroutine);
    CHECK_INT(coroutine.slice.state, ==, SLICE_DEAD);
}

static void
test_started_by_dying(struct machine *machine)
{
    struct coroutine coroutine;
    struct coroutine starter;
    coroutine_init(&coroutine, nesting_body, NULL);
    coroutine_init(&starter, starting_body, &coroutine);
    coroutine_switch(machine, &starter);
    CHECK_INT(starter.slice.state, ==, SLICE_DEAD);
    resume(machine, &coroutine);
    CHECK_INT(coroutine.slice.state, ==, SLICE_DEAD);
}

int
main(void)
{
    struct machine machine;
    machine_init(&machine);
    test_started_by_main(&machine);
    test_started_by_dying(&machine);
    check_ends_at_main(&machine);
    machine_release(&machine);
    return 0;
}
