/* Saving and restoring stack slices; slice.h has the picture.

   Hard modes, one macro each, for tests:
     SLICE_CHECK       prove the invariants at every switch
     SLICE_POISON      overwrite the bytes that a switch has vacated
     SLICE_SAVE_ALL    copy out whole slices, needed or not
     SLICE_FAIL_ALLOC  let all allocations but the first n fail */

#include "slice.h"

#include <assert.h>
#include <string.h>

#include "compiler.h"

/* A coroutine often switches to the coroutines that it has started from a
   little deeper in its stack: from a loop below a call or two of C.  What
   reached into their place would be copied at each switch.  So GAP bytes stay
   free, but no more than a call of C takes and the starter's slice divided by
   GAP_SHARE, or coroutines that start each other would need far more stack than
   they use. */
#define GAP ((uintptr_t)1024)
#define GAP_CALL ((uintptr_t)256)
#define GAP_SHARE ((uintptr_t)2)

static size_t
slice_size(const struct slice *slice)
{
    return (size_t)(slice->far - slice->near);
}

/* Copy out the nearest `size` bytes of a slice, as far as they are not saved already.  NULL when
   out of memory. */
static HOT NOT_INLINED void *
slice_save(struct stack *stack, struct slice *slice, size_t size)
{
    char *copy;
    if (!LIKELY(slice_fits(stack, slice, size, &copy))) {
        if (slice_reserve(stack, slice, size) < 0) {
            return NULL;
        }
        copy = slice_copy_bytes(stack, slice);
    }
    size_t have = slice->saved_size;
    slice_note_saved(slice, have, size);
    return slice_copy(copy + have, slice->near + have, size - have);
}

#ifdef SLICE_POISON
static void
poison(char *near, const char *far)
{
    if (near < far) {
        memset(near, 0xDB, (size_t)(far - near));
    }
}

/* Overwrite what a successful save has vacated of the chain that began with
   `owner` when `left` was current.  Nearer than `sp` are the frames of the
   switch itself, if it runs on the shared stack. */
static void
stack_poison(const struct slice *left, const struct slice *owner, char *sp,
             const char *limit)
{
    if (left->has_own_stack) {
        sp = NULL;
    }
    else if (left->state == SLICE_DEAD) {
        poison(sp, owner->far < limit ? owner->far : limit);
        owner = owner->older;
    }
    for (; owner != NULL; owner = owner->older) {
        poison(owner->near < sp ? sp : owner->near,
               owner->near + owner->saved_size);
        if (owner->far >= limit) {
            return;
        }
    }
}
#endif

static void
slice_move(struct slice *slice, enum slice_state to)
{
#ifdef SLICE_CHECK
    slice_check_move(slice, to);
#endif
    RELAXED_STORE(slice->state, (uint8_t)to);
}

static inline struct fiber *
fiber_of(struct slice *slice)
{
#if HAS_FIBERS
    return &slice->fiber;
#else
    (void)slice;
    return NULL;
#endif
}

void
stack_init(struct stack *stack, struct slice *first, stack_entry *entry,
           stack_landing *landing)
{
    slice_init(first);
    first->is_first = true;
    first->far = SLICE_NO_END;
    slice_move(first, SLICE_ACTIVE);
    stack->landing = landing;
    stack->current = first;
    fiber_adopt(fiber_of(first));
    stack->unreached = NULL;
    stack->shared = first;
    stack->entry = entry;
    stack->evicting = NULL;
    stack->deepens = NULL;
    stack->cramped = NULL;
    stack->room_offset = 0;
    stack->watch = NULL;
    stack->until_watch = WATCH_INTERVAL;
    memset(&stack->pool, 0, sizeof stack->pool);
    memset(&stack->copies, 0, sizeof stack->copies);
}

void
stack_close(struct stack *stack)
{
    stack_pool_close(&stack->pool);
    copy_store_close(&stack->copies);
}

HOT bool
slice_take_stack(struct stack *stack, struct slice *slice)
{
    struct mapped_stack *own = stack_pool_take(&stack->pool);
    if (own == NULL) {
        return false;
    }
    slice->own = own;
    slice->has_own_stack = true;
    return true;
}

HOT void
slice_die(struct slice *slice)
{
    fiber_end(fiber_of(slice));
    slice_move(slice, SLICE_DEAD);
}

void
slice_drop(struct stack *stack, struct slice *slice)
{
    struct slice **link = &stack->shared;
    while (*link != NULL && *link != slice) {
        link = &(*link)->older;
    }
    if (*link != NULL) {
        *link = slice->older;
        frames_forget(slice->near + slice->saved_size, slice->far);
    }
    slice_die(slice);
}

void
slice_give_back(struct slice *slice)
{
    bool is_vacated = slice_is_vacated(slice);
    slice->saved_size = 0;
    if (is_vacated) {
        slice_give_vacated(slice);
    }
    else if (slice->has_own_stack) {
        struct mapped_stack *own = slice->own;
        slice->has_own_stack = false;
        slice->copy = NULL;
        frames_forget(slice->near, slice->far);
        mapped_stack_give(own);
    }
    else {
        struct heap_copy *copy = slice->copy;
        slice->copy = NULL;
        copy_give(copy);
    }
}

void
slice_retire_stack(struct slice *slice)
{
    assert(slice->has_own_stack && slice->state == SLICE_DEAD);
    if (slice->rests != 0 && slice_wake(slice) < 0) {
        slice_retire_vacated(slice);
        return;
    }
    mapped_stack_retire(slice->own, slice->near);
    slice->has_own_stack = false;
    slice->copy = NULL;
}

size_t
slice_kept(const struct slice *slice)
{
    if (slice->has_own_stack) {
        return slice_size(slice);
    }
    return slice->saved_size > stack_frame_size ? slice->saved_size
                                                : stack_frame_size;
}

struct slice *
stack_refuge(const struct stack *stack)
{
    return stack->current->has_own_stack ? stack->shared
                                         : stack->current->older;
}

/* Does all of `owner` lie where the target's bytes belong? */
static inline bool
slice_is_in_the_way(const struct slice *owner, const struct slice *target)
{
#ifdef SLICE_SAVE_ALL
    if (owner->far != SLICE_NO_END) {
        return true;
    }
#endif
    return owner->far <= target->far;
}

/* How many bytes of `owner` the target is going to overwrite; they may be saved
   already. */
static inline ptrdiff_t
slice_overlap(const struct slice *owner, const struct slice *target)
{
    const char *limit
        = slice_is_in_the_way(owner, target) ? owner->far : target->far;
    return limit - owner->near;
}

/* Where on the shared stack a coroutine begins that `starter` starts at stack
   pointer `sp`: with a gap between the two, or in the place of a dead starter.
   A starter with a stack of its own has no place there.  What it starts begins
   where it would have begun itself, so that these coroutines take each other's
   place. */
static inline char *
stack_base(const struct slice *starter, const char *sp)
{
    if (starter->has_own_stack) {
        return starter->own->base;
    }
    if (starter->state == SLICE_DEAD) {
        return starter->far;
    }
    uintptr_t size = (uintptr_t)starter->far - (uintptr_t)sp;
    uintptr_t gap = GAP_CALL + size / GAP_SHARE;
    uintptr_t base = (uintptr_t)sp - (gap < GAP ? gap : GAP);
    return (char *)(base - base % CACHE_LINE);
}

static inline void
slice_begin(struct slice *slice, const struct slice *starter, const char *sp)
{
    char *base = stack_base(starter, sp);
    if (slice->has_own_stack) {
        slice->own->base = base;
        base = slice->own->top;
    }
    slice->near = base;
    slice->far = base;
}

static inline void *
stack_go(struct stack *stack, struct slice *head, struct slice *target)
{
    stack->shared = head;
    RELAXED_STORE(stack->current, target);
    return target;
}

/* The switch counts, and it is time. */
static OUT_OF_LINE void
stack_look(struct stack *stack, struct slice *target)
{
    stack->until_watch = WATCH_INTERVAL;
    if (stack->watch != NULL) {
        stack->watch(stack, target);
    }
}

/* The switch to a target with a stack of its own has more to do. */
static OUT_OF_LINE void *
stack_go_own_slowly(struct stack *stack, struct slice *head,
                    struct slice *target)
{
    if (stack->until_watch == 0) {
        stack_look(stack, target);
    }
    if (target->rests != 0 && slice_wake(target) < 0) {
        stack->unreached = target;
        return NULL;
    }
    return stack_go(stack, head, target);
}

/* The same for a target with a stack of its own.  NULL when out of memory. */
static inline void *
stack_go_own(struct stack *stack, struct slice *head, struct slice *target)
{
    stack->until_watch--;
    if (!LIKELY(stack->until_watch != 0 && target->rests == 0)) {
        return stack_go_own_slowly(stack, head, target);
    }
    return stack_go(stack, head, target);
}

/* The same for a target that is to come before the head of the chain. */
static inline void *
stack_go_nearer(struct stack *stack, struct slice *head, struct slice *target)
{
    target->older = head;
    return stack_go(stack, target, target);
}

/* Will the target overwrite no byte that is not saved, neither of `owner` nor of the
   slices behind it in the chain? */
static inline bool
slice_is_clear(const struct slice *owner, const struct slice *target)
{
    return !slice_is_in_the_way(owner, target)
           && slice_overlap(owner, target) <= (ptrdiff_t)owner->saved_size;
}

/* There is no memory for a switch: the current slice goes on.  Always NULL. */
static void *
stack_stay(struct stack *stack, struct slice *target)
{
    stack->current->saved_size = 0;
    stack->unreached = target;
    return NULL;
}

/* Copy out what the target is going to overwrite of the slices of the chain
   from `owner` on, put the target before those that stay, and make it current.
   NULL when out of memory. */
static HOT NOT_INLINED void *
stack_evict(struct stack *stack, struct slice *owner, struct slice *target)
{
    if (LIKELY(stack->until_watch > 1)) {
        stack->until_watch--;
    }
    else {
        stack_look(stack, target);
    }
    for (; owner != target; owner = owner->older) {
        ptrdiff_t wanted = slice_overlap(owner, target);
        if (wanted > (ptrdiff_t)owner->saved_size) {
            if (owner->saved_size == 0 && stack->evicting != NULL) {
                stack->evicting(stack, owner);
            }
            if (slice_save(stack, owner, (size_t)wanted) == NULL) {
                return stack_stay(stack, target);
            }
        }
        if (!slice_is_in_the_way(owner, target)) {
            target->older = owner;
            break;
        }
    }
    return stack_go(stack, target, target);
}

/* stack_evict for a target right behind the head of the chain, of which nothing is saved, when
   the witness has been called.  Kept apart from the usual case, where there is space. */
static OUT_OF_LINE void *
stack_evict_growing(struct stack *stack, struct slice *head,
                    struct slice *target)
{
    if (slice_save(stack, head, slice_size(head)) == NULL) {
        return stack_stay(stack, target);
    }
    return stack_go(stack, target, target);
}

static ALWAYS_INLINE void *
stack_evict_noted(struct stack *stack, struct slice *head, struct slice *target)
{
    size_t size = slice_size(head);
    char *copy;
    if (!LIKELY(slice_fits(stack, head, size, &copy))) {
        return stack_evict_growing(stack, head, target);
    }
    const char *near = head->near;
    slice_note_saved(head, 0, size);
    (void)stack_go(stack, target, target);
    return slice_copy(copy, near, size);
}

/* The same, and call the witness.  Apart from stack_evict_head, which saves no registers. */
static HOT NOT_INLINED void *
stack_evict_witnessed(struct stack *stack, struct slice *head,
                      struct slice *target)
{
    stack->evicting(stack, head);
    return stack_evict_noted(stack, head, target);
}

static HOT NOT_INLINED void *
stack_evict_head(struct stack *stack, struct slice *head, struct slice *target)
{
    assert(head->older == target && head->saved_size == 0);
    return stack->evicting == NULL ? stack_evict_noted(stack, head, target)
                                   : stack_evict_witnessed(stack, head, target);
}

/* What the system knows of the stack that a slice runs on, as we keep it while the
   thread runs on another; NULL if the system knows nothing. */
static inline struct stack_limits *
limits_of(struct stack *stack, struct slice *slice)
{
#if SYSTEM_KNOWS_STACKS
    return slice->has_own_stack ? &slice->own->limits : &stack->limits;
#else
    (void)stack;
    (void)slice;
    return NULL;
#endif
}

/* stack_save_bytes for a slice that ends, or to a slice that begins. */
static HOT NOT_INLINED void *
stack_save_at_end(struct stack *stack, struct slice *target, char *sp)
{
    struct slice *current = stack->current;
    struct slice *head = stack->shared;
    bool ends = current->state == SLICE_DEAD;

    if (target->state == SLICE_UNSTARTED) {
        slice_begin(target, current, sp);
    }
    if (!ends) {
        current->near = sp;
    }
    else if (!current->has_own_stack) {
        head = current->older;
    }
    if (target->has_own_stack) {
        if (stack_go_own(stack, head, target) == NULL) {
            return NULL;
        }
    }
    else if (head == target) {
        (void)stack_go(stack, head, target);
    }
    else if (slice_is_clear(head, target)) {
        (void)stack_go_nearer(stack, head, target);
    }
    else if (stack_evict(stack, head, target) == NULL) {
        return NULL;
    }
    if (ends) {
        frames_forget(sp, current->far);
        if (current->has_own_stack) {
            stack_limits_note(limits_of(stack, current));
        }
        slice_release(current);
    }
    return target;
}

static inline void *
stack_save_bytes(struct stack *stack, struct slice *target, char *sp)
{
    struct slice *current = stack->current;
    struct slice *head = stack->shared;

    /* The target is not dead, so they have a bit in common only if both are active. */
    static_assert(SLICE_UNSTARTED == 0 && (SLICE_ACTIVE & SLICE_DEAD) == 0,
                  "no state has a bit in common with another one");
    if (!LIKELY(current->state & target->state)) {
        return stack_save_at_end(stack, target, sp);
    }
    current->near = sp;
    if (target->has_own_stack) {
        return stack_go_own(stack, head, target);
    }
    /* stack_evict alone would do.  These are short ways for the most frequent
       cases: the head of the chain has started the target, or the target has
       started the head. */
    ptrdiff_t wanted = slice_overlap(head, target);
    if (!slice_is_in_the_way(head, target)) {
        if (wanted <= (ptrdiff_t)head->saved_size && head != target) {
            return stack_go_nearer(stack, head, target);
        }
    }
    else if (head->older == target && head->saved_size == 0
             && --stack->until_watch != 0)
    {
        return stack_evict_head(stack, head, target);
    }
    return stack_evict(stack, head, target);
}

/* Tell the sanitizers where a slice that is about to begin will run.  The
   slices of a chain share a stack. */
static inline void
place_fiber(struct slice *slice)
{
    if (slice->has_own_stack) {
        char *bottom = mapped_stack_bottom(slice->own);
        fiber_place(fiber_of(slice), bottom,
                    (size_t)(slice->own->top - bottom));
    }
    else {
        fiber_place_with(fiber_of(slice), fiber_of(slice->older));
    }
}

/* The thread goes on to the stack of another slice: from now on there is nothing to do
   on the one that it leaves that could make it grow. */
static inline void
move_limits(struct stack_limits *left, const struct stack_limits *entered,
            bool is_noted)
{
    if (left != entered) {
        if (!is_noted) {
            stack_limits_note(left);
        }
        stack_limits_set(entered);
    }
}

HOT RETURNS_ELSEWHERE void *
stack_save(struct stack *stack, struct slice *target, char *sp)
{
    struct slice *current = stack->current;
    bool ends = current->state == SLICE_DEAD;
    struct stack_limits *limits = limits_of(stack, current);
    bool gives_stack = ends && current->has_own_stack;
#ifdef SLICE_POISON
    struct slice left = *current;
    const struct slice *head = stack->shared;
#endif
    void *saved = stack_save_bytes(stack, target, sp);
#ifdef SLICE_POISON
    if (saved != NULL && !target->has_own_stack) {
        stack_poison(&left, head, sp, target->far);
    }
#endif
    if (saved != NULL) {
        fiber_find(fiber_of(current));
        if (HAS_FIBERS && target->state == SLICE_UNSTARTED) {
            place_fiber(target);
        }
        fiber_leave(fiber_of(current), fiber_of(target), ends);
        move_limits(limits, limits_of(stack, target), gives_stack);
    }
    return saved;
}

/* Copy back what has been saved of a slice.  Returns what stack_restore returns, which
   would save registers, used or not, if this was a part of it. */
static HOT NOT_INLINED const char *
slice_copy_back(const struct stack *stack, struct slice *target)
{
    size_t size = target->saved_size;
    const char *copy = slice_copy_bytes(stack, target);
    frames_forget(target->near, target->near + size);
    target->saved_size = 0;
    (void)slice_copy(target->near, copy, size);
    /* What memcpy has just written can be read only some time later. */
    return LIKELY(size >= stack_frame_size) ? copy : target->near;
}

HOT const char *
stack_restore(struct stack *stack, struct slice *target)
{
    const char *frame = target->near;
    if (target->saved_size > 0) {
        frame = slice_copy_back(stack, target);
    }
    else if (target->state == SLICE_UNSTARTED) {
        slice_move(target, SLICE_ACTIVE);
        frame = NULL;
    }
#ifdef SLICE_CHECK
    slice_check(stack);
#endif
    fiber_arrive(fiber_of(target));
    return frame;
}
