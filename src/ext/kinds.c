/* Kinds of greenlets; see kinds.h. */

#include "core/compiler.h"
#include "kinds.h"

/* Room for every greenlet of a kind is worth its memory if at least one of FRAMES_SHARE
   needs it.  A greenlet that has room does not show whether it needs it; so one of
   FRAMES_SHARE starts without. */
#define FRAMES_SHARE 32

/* The same for stacks of their own, which cost more; here every greenlet shows it. */
#define DEEP_SHARE 4

/* After BRIEF_ROW greenlets in a row that never parked the next ones are expected not to
   park either.  But one of BRIEF_SHARE is treated as if nothing were known. */
#define BRIEF_ROW 4
#define BRIEF_SHARE 16

/* When this many have started, or have been seen, the counts are halved. */
#define STARTS_REMEMBERED 4096
#define SEEN_REMEMBERED 128

/* The most bytes of frames that are expected: larger chunks there are not. */
#define LARGEST ((size_t)UINT16_MAX)

/* The place of a kind in the table; another kind may be there. */
static struct kind *
place_of(struct kinds *kinds, const void *key)
{
    uintptr_t bits = (uintptr_t)key;
    return &kinds->table[(bits >> 4 ^ bits >> 10) % KINDS];
}

/* The place of a kind, after another kind that was there has been forgotten. */
static struct kind *
take_place(struct kinds *kinds, const void *key)
{
    struct kind *kind = place_of(kinds, key);
    if (kind->key != key) {
        *kind = (struct kind){.key = key, .starts = 1};
    }
    return kind;
}

HOT struct expectation
kinds_expect(struct kinds *kinds, const void *key)
{
    struct kind *kind = place_of(kinds, key);
    if (kind->key != key) {
        return (struct expectation){.frames_size = 0};
    }
    kind->starts++;
    if (kind->starts == STARTS_REMEMBERED) {
        kind->starts /= 2;
        kind->outgrown /= 2;
    }
    bool outgrows = kind->outgrown * FRAMES_SHARE >= kind->starts;
    return (struct expectation){
        .frames_size = outgrows ? kind->frames_size : 0,
        .is_deep = kind->deep > 0 && kind->deep * DEEP_SHARE >= kind->seen,
        .is_brief = kind->brief >= BRIEF_ROW && kind->starts % BRIEF_SHARE != 0,
        .is_known = kind->deep > 0 || kind->brief > 0,
    };
}

void
kinds_learn_frames(struct kinds *kinds, const void *key, size_t frames_size)
{
    struct kind *kind = take_place(kinds, key);
    if (kind->outgrown < kind->starts) {
        kind->outgrown++;
    }
    /* The largest of late. */
    uint32_t size = (uint32_t)(frames_size < LARGEST ? frames_size : LARGEST);
    kind->frames_size -= kind->frames_size / 8;
    if (kind->frames_size < size) {
        kind->frames_size = size;
    }
}

void
kinds_learn_depth(struct kinds *kinds, const void *key, bool is_deep)
{
    struct kind *kind = is_deep ? take_place(kinds, key) : place_of(kinds, key);
    if (kind->key != key) {
        return;
    }
    kind->brief = 0;
    kind->seen++;
    kind->deep += is_deep;
    if (kind->seen == SEEN_REMEMBERED) {
        kind->seen /= 2;
        kind->deep /= 2;
    }
}

void
kinds_learn_brief(struct kinds *kinds, const void *key)
{
    struct kind *kind = place_of(kinds, key);
    /* This is worth less than what is known of another one. */
    if (kind->key != key && (kind->outgrown > 0 || kind->deep > 0)) {
        return;
    }
    kind = take_place(kinds, key);
    if (kind->brief < BRIEF_ROW) {
        kind->brief++;
    }
}
