#include "random_program.h"

#include "harness.h"

#define ACTOR_COUNT 24
#define DEPTH_LIMIT 7

/* Of the largest room that a coroutine has for its copy, in words. */
#define ROOM_WORDS 400

/* A coroutine begins below the one that starts it, so a family line of them
   creeps down the stack; this bounds it to a few hundred KiB. */
#define GENERATION_LIMIT 12

/* A pattern on the stack, and the way to those of the callers. */
struct frame {
    const struct frame *outer;
    const uint64_t *words;
    unsigned count;
    uint64_t seed;
};

struct actor {
    struct coroutine *coroutine;
    const struct frame *frames; /* innermost first */
    unsigned depth;
    unsigned generation;
    bool leaving; /* all its frames are returning */
    size_t room_size;
    uint64_t *room;
};

struct program {
    struct machine machine;
    struct actor actors[ACTOR_COUNT];
    struct coroutine coroutines[ACTOR_COUNT];
    uint64_t rooms[ACTOR_COUNT][ROOM_WORDS];
    struct actor main;
    uint64_t random;
    unsigned long switches_left;
    bool failing;
    bool vacates;        /* stacks of those that are parked */
    unsigned own_stacks; /* how many of four coroutines have one */
    unsigned room_words; /* rooms have less than that */
    struct random_program_counts counts;
};

static void call_frame(struct program *program, struct actor *actor);
static coroutine_body actor_body;

static unsigned
below(struct program *program, unsigned bound)
{
    return random_below(&program->random, bound);
}

static void
frames_verify(const struct actor *actor)
{
    unsigned depth = 0;
    const struct frame *frame = actor->frames;
    for (; frame != NULL; frame = frame->outer) {
        pattern_check(frame->words, frame->count, frame->seed);
        depth++;
    }
    CHECK_INT(depth, ==, actor->depth);
}

/* What holds whenever an actor has the stack. */
static void
actor_verify(struct program *program, const struct actor *actor)
{
    CHECK_POINTER(machine_running(&program->machine), ==, actor->coroutine);
    slice_check(&program->machine.stack);
    frames_verify(actor);
}

/* The actor uses all of its room while it runs, and leaves some of it when it parks. */
static void
use_room(struct program *program, const struct actor *actor)
{
    if (actor->room_size > 0) {
        size_t words = actor->room_size / sizeof(uint64_t);
        size_t used = below(program, (unsigned)words + 1) * sizeof(uint64_t);
        memset(actor->room, 0xEE, actor->room_size);
        coroutine_lend(actor->coroutine, (char *)actor->room, used,
                       actor->room_size);
        program->counts.rooms++;
    }
}

/* What it uses of its room is as it was. */
static void
room_verify(const struct actor *actor)
{
    if (actor->room_size > 0) {
        const char *low = actor->coroutine->room.low;
        for (; low < actor->coroutine->room.unused; low++) {
            CHECK_INT((unsigned char)*low, ==, 0xEE);
        }
    }
}

/* Somebody has switched to the actor, for the first time or again. */
static void
actor_land(struct program *program, const struct actor *actor)
{
    allocations_limit(-1);
    room_verify(actor);
    use_room(program, actor);
    actor_verify(program, actor);
    program->counts.switches++;
    if (program->switches_left > 0) {
        program->switches_left--;
    }
}

static void
limit_at_random(struct program *program)
{
    if (program->failing && below(program, 4) == 0) {
        allocations_limit((long)below(program, 3));
    }
}

/* Any actor but the given one; what is dead becomes unstarted.  `dying` tells
   how the actor would be started, if it comes to that. */
static struct coroutine *
pick(struct program *program, const struct actor *self, bool dying)
{
    unsigned chosen = below(program, ACTOR_COUNT + 1);
    struct actor *actor
        = chosen == ACTOR_COUNT ? &program->main : &program->actors[chosen];
    if (actor == self) {
        actor = self == &program->main ? &program->actors[0] : &program->main;
    }
    if (actor->coroutine->slice.state != SLICE_ACTIVE) {
        unsigned generation = self->generation + (dying ? 0 : 1);
        if (generation > GENERATION_LIMIT) {
            return &program->machine.main;
        }
        *actor = (struct actor){
            .coroutine = actor->coroutine,
            .generation = generation,
            .room = program->rooms[actor - program->actors],
            .room_size = below(program, program->room_words) * sizeof(uint64_t),
        };
        slice_release(&actor->coroutine->slice);
        coroutine_init(actor->coroutine, actor_body, actor);
        use_room(program, actor);
        if (below(program, 4) < program->own_stacks
            && slice_take_stack(&program->machine.stack,
                                &actor->coroutine->slice))
        {
            program->counts.own_stacks++;
        }
    }
    return actor->coroutine;
}

/* Whoever is chosen is parked, dead, unstarted, or on the shared stack. */
static void
vacate_at_random(struct program *program, const struct coroutine *target)
{
    struct stack *stack = &program->machine.stack;
    struct slice *slice
        = &program->coroutines[below(program, ACTOR_COUNT)].slice;
    if (program->vacates && slice_can_vacate(stack, slice, &target->slice)
        && slice_vacate(stack, slice))
    {
        CHECK(slice_is_vacated(slice));
        slice_check(stack);
        program->counts.vacated++;
    }
}

static void
switch_at_random(struct program *program, struct actor *self)
{
    struct coroutine *target = pick(program, self, false);
    struct slice *refuge = stack_refuge(&program->machine.stack);
    enum slice_state state = target->slice.state;
    limit_at_random(program);
    vacate_at_random(program, target);
    if (coroutine_try_switch(&program->machine, target) == 0) {
        actor_land(program, self);
        return;
    }
    CHECK_INT(allocations_left(), ==, 0);
    CHECK_INT(target->slice.state, ==, state);
    CHECK_POINTER(stack_refuge(&program->machine.stack), ==, refuge);
    allocations_limit(-1);
    actor_verify(program, self);
    program->counts.failures++;
}

static void
drop_at_random(struct program *program, const struct actor *self)
{
    struct actor *actor = &program->actors[below(program, ACTOR_COUNT)];
    if (actor == self || actor->coroutine->slice.state != SLICE_ACTIVE) {
        return;
    }
    coroutine_drop(&program->machine, actor->coroutine);
    slice_check(&program->machine.stack);
    program->counts.drops++;
}

/* Do one thing; false when the frame shall return. */
static bool
act(struct program *program, struct actor *self)
{
    unsigned chance = below(program, 100);
    if (chance < 50) {
        switch_at_random(program, self);
    }
    else if (chance < 75) {
        if (self->depth < DEPTH_LIMIT) {
            call_frame(program, self);
        }
    }
    else if (chance < 77) {
        drop_at_random(program, self);
    }
    else if (chance < 82) {
        self->leaving = self != &program->main;
    }
    else {
        return self == &program->main && self->depth == 1;
    }
    return true;
}

/* The life of a frame whose bytes are `words`. */
static void
frame_live(struct program *program, struct actor *self, uint64_t *words,
           unsigned count)
{
    struct frame frame = {
        .outer = self->frames,
        .words = words,
        .count = count,
        .seed = random_next(&program->random),
    };
    pattern_fill(words, count, frame.seed);
    self->frames = &frame;
    self->depth++;
    program->counts.calls++;
    while (program->switches_left > 0 && !self->leaving) {
        if (!act(program, self)) {
            break;
        }
    }
    frames_verify(self);
    self->frames = frame.outer;
    self->depth--;
}

#define DEFINE_FRAME(count)                                                    \
    static void frame_of_##count(struct program *program, struct actor *self)  \
    {                                                                          \
        uint64_t words[count];                                                 \
        frame_live(program, self, words, count);                               \
    }

DEFINE_FRAME(1)
DEFINE_FRAME(6)
DEFINE_FRAME(31)
DEFINE_FRAME(190)
DEFINE_FRAME(1000)

/* Small ones are the usual ones. */
static void
call_frame(struct program *program, struct actor *self)
{
    unsigned chance = below(program, 32);
    if (chance < 10) {
        frame_of_1(program, self);
    }
    else if (chance < 20) {
        frame_of_6(program, self);
    }
    else if (chance < 28) {
        frame_of_31(program, self);
    }
    else if (chance < 31) {
        frame_of_190(program, self);
    }
    else {
        frame_of_1000(program, self);
    }
}

static struct coroutine *
actor_body(struct machine *machine, struct coroutine *coroutine)
{
    struct program *program = (struct program *)machine;
    struct actor *self = coroutine->argument;
    actor_land(program, self);
    program->counts.starts++;
    call_frame(program, self);
    CHECK_POINTER(self->frames, ==, NULL);
    program->counts.deaths++;
    if (program->switches_left == 0) {
        return &machine->main;
    }
    struct coroutine *heir = pick(program, self, true);
    if (heir->slice.state == SLICE_UNSTARTED) {
        program->counts.starts_by_dying++;
    }
    limit_at_random(program);
    return heir;
}

static void
program_init(struct program *program, uint64_t seed, unsigned long switches,
             bool failing)
{
    *program = (struct program){
        .random = seed,
        .switches_left = switches,
        .failing = failing,
        .vacates = seed % 3 != 0,
        .own_stacks = (unsigned)(seed % 5),
        .room_words = seed % 3 == 0 ? 1 : ROOM_WORDS,
    };
    machine_init(&program->machine);
    program->main.coroutine = &program->machine.main;
    for (unsigned i = 0; i < ACTOR_COUNT; i++) {
        program->actors[i].coroutine = &program->coroutines[i];
        coroutine_init(&program->coroutines[i], actor_body, NULL);
    }
}

/* Wake those that are parked: nothing is left to do but to return and die. */
static void
program_end(struct program *program)
{
    CHECK_INT(program->switches_left, ==, 0);
    coroutines_finish(&program->machine, program->coroutines, ACTOR_COUNT);
    CHECK_POINTER(stack_refuge(&program->machine.stack), ==, NULL);
    machine_release(&program->machine);
}

static void
counts_add(struct random_program_counts *sum,
           const struct random_program_counts *counts)
{
    sum->starts += counts->starts;
    sum->starts_by_dying += counts->starts_by_dying;
    sum->switches += counts->switches;
    sum->calls += counts->calls;
    sum->deaths += counts->deaths;
    sum->drops += counts->drops;
    sum->failures += counts->failures;
    sum->refuges += counts->refuges;
    sum->own_stacks += counts->own_stacks;
    sum->rooms += counts->rooms;
    sum->vacated += counts->vacated;
}

void
random_program_run(uint64_t seed, unsigned long switches, bool failing,
                   struct random_program_counts *counts)
{
    struct program program;
    check_context("seed", seed);
    program_init(&program, seed, switches, failing);
    while (program.switches_left > 0) {
        call_frame(&program, &program.main);
    }
    program_end(&program);
    program.counts.refuges = program.machine.refuges;
    counts_add(counts, &program.counts);
    check_context(NULL, 0);
}
