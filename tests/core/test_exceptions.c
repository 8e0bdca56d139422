/* Windows: exceptions that frames handle.  Whatever coroutines did in between, one gets to the
   innermost frame of the coroutine that has raised it, and to no other coroutine's. */

#include "handlers_windows.h"

#define COROUTINE_COUNT 6
#define DEEPEST 4
#define STEPS 40

struct storm;

/* A coroutine, and how many of its frames handle exceptions. */
struct raiser {
    struct coroutine
        coroutine; /* first, so that a coroutine's address is a raiser's */
    struct storm *storm;
    unsigned depth;
    unsigned ended_by_raising;
};

struct storm {
    struct machine machine;
    struct raiser raisers[COROUTINE_COUNT];
    struct raiser main; /* whose coroutine is the machine's own */
    uint64_t random;
    unsigned steps_left;
};

static struct storm storm;

static struct raiser *
running(void)
{
    struct coroutine *coroutine = machine_running(&storm.machine);
    return coroutine == &storm.machine.main ? &storm.main
                                            : (struct raiser *)coroutine;
}

static void
raise_here(void)
{
    const ULONG_PTR words[] = {(ULONG_PTR)running(), running()->depth};
    RaiseException(EXCEPTION, 0, 2, words);
}

/* How deep a frame is nobody tells the filter; but of frames that it passes over it would be
   asked first. */
static LONG
filter(const EXCEPTION_RECORD *record)
{
    CHECK_INT(record->ExceptionCode, ==, EXCEPTION);
    const struct raiser *self = running();
    CHECK(record->ExceptionInformation[0] == (ULONG_PTR)self);
    CHECK_INT(record->ExceptionInformation[1], ==, self->depth);
    return EXCEPTION_EXECUTE_HANDLER;
}

static void wander(void *argument);

/* Below one more frame that handles exceptions. */
static void
go_deeper(struct raiser *self)
{
    uint64_t words[16];
    uint64_t seed = storm.random;
    unsigned depth = self->depth++;
    pattern_fill(words, 16, seed);
    bool raised = raises(wander, self);
    CHECK_POINTER(running(), ==, self);
    CHECK_INT(self->depth, ==, depth + 1);
    pattern_check(words, 16, seed);
    self->depth = depth;
    self->ended_by_raising += raised;
}

static void
go_elsewhere(const struct raiser *self)
{
    unsigned chosen = random_below(&storm.random, COROUTINE_COUNT + 1);
    struct coroutine *target = chosen < COROUTINE_COUNT
                                   ? &storm.raisers[chosen].coroutine
                                   : &storm.machine.main;
    if (target != &self->coroutine && target->slice.state != SLICE_DEAD
        && target != machine_running(&storm.machine))
    {
        coroutine_switch(&storm.machine, target);
    }
}

/* Until it raises an exception, or returns. */
static void
wander(void *argument)
{
    struct raiser *self = argument;
    while (storm.steps_left > 0) {
        storm.steps_left--;
        unsigned chosen = random_below(&storm.random, 8);
        if (chosen == 0) {
            raise_here();
        }
        if (chosen == 1) {
            return;
        }
        if (chosen <= 3 && self->depth < DEEPEST) {
            go_deeper(self);
        }
        else {
            go_elsewhere(self);
        }
    }
}

/* Always below a frame that handles them. */
static struct coroutine *
body(struct machine *machine, struct coroutine *coroutine)
{
    struct raiser *self = (struct raiser *)coroutine;
    for (unsigned i = 0; i < STEPS; i++) {
        go_deeper(self);
    }
    return &machine->main;
}

static void
test_each_to_its_own(void)
{
    storm = (struct storm){.random = 1, .steps_left = scaled(20000)};
    machine_init(&storm.machine);
    for (unsigned i = 0; i < COROUTINE_COUNT; i++) {
        coroutine_init(&storm.raisers[i].coroutine, body, NULL);
        if (i % 2 == 1) {
            CHECK(slice_take_stack(&storm.machine.stack,
                                   &storm.raisers[i].coroutine.slice));
        }
    }
    while (storm.steps_left > 0) {
        go_deeper(&storm.main);
    }
    unsigned raised = storm.main.ended_by_raising;
    for (unsigned i = 0; i < COROUTINE_COUNT; i++) {
        struct raiser *raiser = &storm.raisers[i];
        while (raiser->coroutine.slice.state == SLICE_ACTIVE) {
            coroutine_switch(&storm.machine, &raiser->coroutine);
        }
        slice_release(&raiser->coroutine.slice);
        CHECK_INT(raiser->ended_by_raising, >, 0);
        raised += raiser->ended_by_raising;
    }
    CHECK_INT(raised, >, scaled(20000) / 20);
    machine_release(&storm.machine);
}

/* ---- What the starter handles is not for the coroutines that it starts ---- */

static unsigned unhandled;

static LONG WINAPI
note_and_go_on(EXCEPTION_POINTERS *exception)
{
    CHECK_INT(exception->ExceptionRecord->ExceptionCode, ==, EXCEPTION);
    unhandled++;
    return EXCEPTION_CONTINUE_EXECUTION;
}

/* Windows may insist on that: lists that end in another way count as damaged. */
static void *expected_last;

static struct coroutine *
raising_body(struct machine *machine, struct coroutine *self)
{
    (void)self;
    CHECK_POINTER(last_handler(), ==, expected_last);
    raise_here();
    return &machine->main;
}

static void
start_one(void *argument)
{
    coroutine_switch(&storm.machine, argument);
}

static void
test_not_the_starters(void)
{
    storm = (struct storm){.random = 1};
    machine_init(&storm.machine);
    struct raiser *raiser = &storm.raisers[0];
    coroutine_init(&raiser->coroutine, raising_body, NULL);
    expected_last = last_handler();
    (void)SetUnhandledExceptionFilter(note_and_go_on);
    CHECK(!raises(start_one, &raiser->coroutine));
    CHECK_INT(unhandled, ==, 1);
    CHECK_INT(raiser->coroutine.slice.state, ==, SLICE_DEAD);
    slice_release(&raiser->coroutine.slice);
    machine_release(&storm.machine);
}

int
main(void)
{
    test_each_to_its_own();
    test_not_the_starters();
    return 0;
}
