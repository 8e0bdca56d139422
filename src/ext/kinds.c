/* Kinds of greenlets; see kinds.h. */

#include "core/compiler.h"
#include "kinds.h"

/* The most bytes of frames that are expected: larger chunks there are not. */
#define LARGEST ((size_t)UINT16_MAX)

/* The place of a kind, after another kind that was there has been forgotten. */
static struct kind *
take_place(struct kinds *kinds, const void *key)
{
    struct kind *kind = kinds_place(kinds, key);
    if (kind->key != key) {
        *kind = (struct kind){.key = key, .starts = 1, .tries = 1};
    }
    return kind;
}

/* Note a size that was needed: the largest of late. */
static void
learn_size(uint32_t *largest, size_t size)
{
    uint32_t needed = (uint32_t)(size < LARGEST ? size : LARGEST);
    *largest -= *largest / 8;
    if (*largest < needed) {
        *largest = needed;
    }
}

void
kinds_learn_frames(struct kinds *kinds, const void *key, size_t frames_size)
{
    struct kind *kind = take_place(kinds, key);
    uint32_t outgrown
        = kind->outgrown + (needs_room(kind) ? FRAMES_CERTAIN : 1U);
    kind->outgrown
        = (uint16_t)(outgrown < kind->starts ? outgrown : kind->starts);
    learn_size(&kind->frames_size, frames_size);
}

void
kinds_learn_room(struct kinds *kinds, const void *key, size_t size, size_t had)
{
    struct kind *kind = take_place(kinds, key);
    if (kind->room_size > 0 && had >= kind->room_size) {
        return; /* it had what most need */
    }
    if (kind->cramped < kind->tries) {
        kind->cramped++;
    }
    learn_size(&kind->room_size, size);
}

void
kinds_learn_depth(struct kinds *kinds, const void *key, bool is_deep)
{
    struct kind *kind
        = is_deep ? take_place(kinds, key) : kinds_place(kinds, key);
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
    struct kind *kind = kinds_place(kinds, key);
    /* This is worth less than what is known of another one. */
    if (kind->key != key && (kind->outgrown > 0 || kind->deep > 0)) {
        return;
    }
    kind = take_place(kinds, key);
    if (kind->brief < BRIEF_ROW) {
        kind->brief++;
    }
}
