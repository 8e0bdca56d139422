/* SLICE_POISON overwrites what a switch has vacated, and nothing else; without
   it the bytes stay.  Either way the copies have them.

   The stack here is an array: stack_save only needs to know where slices lie. */

#include "harness.h"

#define SLICE_BYTES ((size_t)96)

/* As after two starts, and a fourth that is parked elsewhere. */
struct chain {
    struct stack stack;
    struct slice current;
    struct slice middle;
    struct slice first;
    struct slice target;
    struct slice low; /* a target that needs the whole middle slice */
    _Alignas(16) char bytes[3 * SLICE_BYTES];
};

static char
byte_at(size_t position)
{
    return (char)(position % 50);
}

static void
entry_never_called(struct stack *stack)
{
    (void)stack;
    CHECK(false);
}

/* The slice of bytes from `near` up to `far`, parked. */
static void
place(struct chain *chain, struct slice *slice, size_t near, size_t far)
{
    slice_init(slice);
    slice->near = chain->bytes + near;
    slice->far = chain->bytes + far;
    slice->state = SLICE_ACTIVE;
}

static void
chain_fill(struct chain *chain)
{
    for (size_t i = 0; i < sizeof chain->bytes; i++) {
        chain->bytes[i] = byte_at(i);
    }
}

static void
chain_init(struct chain *chain)
{
    stack_init(&chain->stack, &chain->first, entry_never_called, machine_land);
    chain->first.near = chain->bytes + 2 * SLICE_BYTES;
    place(chain, &chain->middle, SLICE_BYTES, 2 * SLICE_BYTES);
    place(chain, &chain->current, 0, SLICE_BYTES);
    place(chain, &chain->target, SLICE_BYTES / 2, SLICE_BYTES * 3 / 2);
    chain->middle.older = &chain->first;
    chain->current.older = &chain->middle;
    chain->stack.current = &chain->current;
    chain->stack.shared = &chain->current;
    chain_fill(chain);
    slice_check(&chain->stack);
}

static void
chain_release(struct chain *chain)
{
    slice_release(&chain->current);
    slice_release(&chain->middle);
    slice_release(&chain->first);
}

/* The copy holds what was at `near`, byte by byte. */
static void
check_copy(const struct chain *chain, const struct slice *slice, size_t near,
           size_t size)
{
    CHECK_INT(slice->saved_size, ==, size);
    const char *copy = size > 0 ? slice_copy_bytes(&chain->stack, slice) : NULL;
    for (size_t i = 0; i < size; i++) {
        CHECK_INT(copy[i], ==, byte_at(near + i));
    }
}

/* Bytes from `near` up to `vacated` have lost what they held, those farther
   have not. */
static void
check_bytes(const struct chain *chain, size_t near, size_t vacated)
{
    for (size_t i = 0; i < sizeof chain->bytes; i++) {
        bool is_lost = chain->bytes[i] != byte_at(i);
        bool is_vacated = i >= near && i < vacated;
        CHECK_INT(is_lost, ==, is_vacated && stacks_are_poisoned);
    }
}

/* Who is there when a switch to `target` has saved, with the stack pointer so many
   bytes from the beginning; NULL if it failed. */
static const struct slice *
save_for(struct chain *chain, struct slice *target, size_t sp)
{
    const void *saved = stack_save(&chain->stack, target, chain->bytes + sp);
    return saved != NULL ? chain->stack.current : NULL;
}

/* The target needs half of the middle slice. */
static size_t
middle_share(void)
{
    return slices_are_saved_whole ? SLICE_BYTES : SLICE_BYTES / 2;
}

static void
test_parking(void)
{
    struct chain chain;
    chain_init(&chain);
    CHECK_POINTER(save_for(&chain, &chain.target, 0), ==, &chain.target);
    check_copy(&chain, &chain.current, 0, SLICE_BYTES);
    check_copy(&chain, &chain.middle, SLICE_BYTES, middle_share());
    check_copy(&chain, &chain.first, 2 * SLICE_BYTES, 0);
    check_bytes(&chain, 0, SLICE_BYTES + middle_share());
    chain_release(&chain);
}

/* Its bytes are not kept, and the stack pointer is not where it began. */
static void
test_dying(void)
{
    struct chain chain;
    chain_init(&chain);
    slice_die(&chain.current);
    CHECK_POINTER(save_for(&chain, &chain.target, 8), ==, &chain.target);
    check_copy(&chain, &chain.current, 0, 0);
    check_copy(&chain, &chain.middle, SLICE_BYTES, middle_share());
    check_bytes(&chain, 8, SLICE_BYTES + middle_share());
    chain_release(&chain);
}

/* Nearer than the stack pointer are the frames of the switch itself, even where
   an older slice has its bytes. */
static void
test_frames_of_the_switch(void)
{
    struct chain chain;
    size_t sp = SLICE_BYTES + 24;
    chain_init(&chain);
    /* Half of the middle slice is in the heap, and there the current one is. */
    CHECK_POINTER(save_for(&chain, &chain.target, 0), ==, &chain.target);
    chain_fill(&chain);
    place(&chain, &chain.low, 2 * SLICE_BYTES - 16, 2 * SLICE_BYTES);
    CHECK_POINTER(save_for(&chain, &chain.low, sp), ==, &chain.low);
    check_copy(&chain, &chain.middle, SLICE_BYTES, SLICE_BYTES);
    /* Saved whole at first, the middle one had nothing left to vacate. */
    check_bytes(&chain, sp,
                slices_are_saved_whole ? SLICE_BYTES * 3 / 2 : 2 * SLICE_BYTES);
    slice_release(&chain.target);
    chain_release(&chain);
}

int
main(void)
{
    test_parking();
    test_dying();
    test_frames_of_the_switch();
    return 0;
}
