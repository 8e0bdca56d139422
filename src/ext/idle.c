/* Moving idle greenlets off their stacks; see idle.h. */

#include "idle.h"

#include "policy.h"

/* Microseconds that have to pass before the hands move again: fewer would not pay for the
   look at the clock. */
#define ELAPSED_LEAST ((uint64_t)250)

/* To vacate a stack takes 10 to 20 microseconds. */
#define BUDGET_SHARE ((uint64_t)5)
#define BUDGET_MOST ((uint64_t)100)

/* Greenlets that the second hand looks at between two looks at the clock. */
#define LOOKED_AT 8U

/* Rounds of a hand begin no sooner after each other: milliseconds. */
#define ROUND_LEAST 100U

/* How many times a greenlet that comes back makes its time longer. */
#define RETURNS_COUNTED 4U

/* How many greenlets the first hand looks at in a move. */
#define NOTED_AT_ONCE 128U

/* One move of the hands. */
struct move {
    struct thread *own;         /* the calling thread's record */
    const struct slice *target; /* of the switch that is under way */
    uint32_t now;               /* milliseconds; a note, so neither 0 nor
                                   SLICE_VACATED */
    uint32_t idle;              /* milliseconds */
};

static bool
hand_may_move(const struct idle_hand *hand, const struct move *move)
{
    return hand->place != 0 || (int32_t)(move->now - hand->next_round) >= 0;
}

/* Where the hand comes next; NULL if it has been everywhere. */
static struct greenlet *
hand_next(struct idle_hand *hand, const struct move *move)
{
    if (hand->place < move->own->started_count) {
        return move->own->started[hand->place++];
    }
    hand->place = 0;
    hand->next_round = move->now + ROUND_LEAST;
    return NULL;
}

/* Its stack is vacated, or it has no memory for that. */
static OUT_OF_LINE void
vacate(struct thread *thread, struct greenlet *greenlet)
{
    if (STATE_SEALS) {
        (void)state_seal(&greenlet->interpreter, NULL);
    }
    (void)slice_vacate(&thread->stack, &greenlet->slice);
}

/* The first hand notes who is parked; it is quick, lest what comes while the other one is
   at work wait for its round. */
static void
move_noting_hand(const struct move *move)
{
    struct thread *thread = move->own;
    struct idle_hand *hand = &thread->idle.noting;
    if (!hand_may_move(hand, move)) {
        return;
    }
    for (unsigned count = 0; count < NOTED_AT_ONCE; count++) {
        struct greenlet *greenlet = hand_next(hand, move);
        if (greenlet == NULL) {
            return;
        }
        struct slice *slice = &greenlet->slice;
        if (slice->has_own_stack && slice->rests == 0
            && slice_can_vacate(&thread->stack, slice, move->target))
        {
            slice->rests = move->now;
        }
    }
}

/* Has a greenlet been parked for so long that it is to leave its stack? */
static bool
has_been_idle(const struct move *move, const struct greenlet *greenlet)
{
    const struct slice *slice = &greenlet->slice;
    if (!slice->has_own_stack || slice->rests == 0
        || move->now - slice->rests < move->idle
        || !slice_can_vacate(&move->own->stack, slice, move->target))
    {
        return false;
    }
    uint32_t returns = slice->own->returns;
    uint32_t doublings = returns < RETURNS_COUNTED ? returns : RETURNS_COUNTED;
    return move->now - slice->rests >= (uint64_t)move->idle << doublings;
}

/* The second hand vacates stacks until the time is over, or until it has been
   everywhere. */
static void
move_vacating_hand(const struct move *move, uint64_t until)
{
    struct idle_hand *hand = &move->own->idle.vacating;
    if (!hand_may_move(hand, move)) {
        return;
    }
    for (unsigned count = 1;; count++) {
        struct greenlet *greenlet = hand_next(hand, move);
        if (greenlet == NULL) {
            return;
        }
        bool is_idle = has_been_idle(move, greenlet);
        if (is_idle) {
            vacate(move->own, greenlet);
        }
        if ((is_idle || count % LOOKED_AT == 0)
            && system_microseconds() >= until)
        {
            return;
        }
    }
}

/* All that can be vacated is, at each switch; where there are very many, the next ones. */
static void
vacate_all(const struct move *move)
{
    struct thread *thread = move->own;
    struct idle_hand *hand = &thread->idle.vacating;
    uint32_t count = thread->started_count;
    for (uint32_t i = 0; i < count && i < NOTED_AT_ONCE; i++) {
        hand->place = hand->place < count ? hand->place : 0;
        struct greenlet *greenlet = thread->started[hand->place++];
        if (slice_can_vacate(&thread->stack, &greenlet->slice, move->target)) {
            vacate(thread, greenlet);
        }
    }
    thread->stack.until_watch = 1;
}

/* The clock is looked at more often where there are few switches. */
static void
adapt_interval(struct thread *thread, bool is_early)
{
    unsigned interval = thread->idle.interval;
    interval = is_early ? interval * 2 : interval / 8;
    interval = interval < 1 ? 1 : interval;
    interval = interval < WATCH_INTERVAL ? interval : WATCH_INTERVAL;
    thread->idle.interval = interval;
    thread->stack.until_watch = interval;
}

/* How long those are parked that are to be vacated, as things stand. */
static uint32_t
idle_time(const struct thread *thread)
{
    const struct stack_policy *policy = &thread->module->policy;
    if (thread->is_shared) {
        return IDLE_NEVER;
    }
#ifdef SLICE_SAVE_ALL
    return IDLE_AT_ONCE;
#endif
    bool stays = policy->mode == STACKS_OWN
                 || thread->stack.pool.used_count <= POLICY_FEW;
    return stays && policy->idle != IDLE_AT_ONCE ? IDLE_NEVER : policy->idle;
}

/* A number of milliseconds as a note: another one where it would mean something else. */
static inline uint32_t
note_of(uint32_t milliseconds)
{
    return milliseconds == 0 || milliseconds == SLICE_VACATED ? 1
                                                              : milliseconds;
}

OUT_OF_LINE void
idle_watch(struct stack *stack, struct slice *target)
{
    struct thread *thread = (struct thread *)stack;
    struct move move = {
        .own = thread,
        .target = target,
        .idle = idle_time(thread),
    };
    if (move.idle == IDLE_AT_ONCE) {
        vacate_all(&move);
        return;
    }
    if (move.idle == IDLE_NEVER) {
        return;
    }
    uint64_t now = system_microseconds();
    uint64_t elapsed = now - thread->idle.moved;
    bool is_early = elapsed < ELAPSED_LEAST;
    adapt_interval(thread, is_early);
    if (is_early) {
        return;
    }
    thread->idle.moved = now;
    move.now = note_of((uint32_t)(now / 1000));
    uint64_t budget = elapsed / BUDGET_SHARE;
    move_noting_hand(&move);
    move_vacating_hand(&move,
                       now + (budget < BUDGET_MOST ? budget : BUDGET_MOST));
}
