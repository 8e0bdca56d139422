/* Words of a stack, packed; see packed_words.h. */

#include "packed_words.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#if UINTPTR_MAX > UINT32_MAX
typedef uint32_t half;
#else
typedef uint16_t half;
#endif

#define WORD_SIZE sizeof(uintptr_t)
#define HALF_SIZE sizeof(half)
#define HALF_BITS (HALF_SIZE * CHAR_BIT)

enum tag { TAG_ZERO, TAG_SMALL, TAG_ALIKE, TAG_WHOLE };

#define TAG_BITS 2U
#define TAGS_IN_BYTE (CHAR_BIT / TAG_BITS)

/* What is there of a word. */
static const unsigned char bytes_left[] = {[TAG_ZERO] = 0,
                                           [TAG_SMALL] = HALF_SIZE,
                                           [TAG_ALIKE] = HALF_SIZE,
                                           [TAG_WHOLE] = WORD_SIZE};

static size_t
tags_size(size_t size)
{
    assert(size % WORD_SIZE == 0);
    return (size / WORD_SIZE + TAGS_IN_BYTE - 1) / TAGS_IN_BYTE;
}

static uintptr_t
word_at(const char *words, size_t place)
{
    uintptr_t word;
    memcpy(&word, words + place, WORD_SIZE);
    return word;
}

/* `*high` is the high half of the last whole word. */
static enum tag
tag_of(uintptr_t word, half *high)
{
    half own = (half)(word >> HALF_BITS);
    if (own == 0) {
        return word == 0 ? TAG_ZERO : TAG_SMALL;
    }
    if (own == *high) {
        return TAG_ALIKE;
    }
    *high = own;
    return TAG_WHOLE;
}

size_t
packed_size(const char *words, size_t size)
{
    size_t packed = tags_size(size);
    half high = 0;
    for (size_t place = 0; place < size; place += WORD_SIZE) {
        packed += bytes_left[tag_of(word_at(words, place), &high)];
    }
    return packed;
}

/* The bits in its byte of the tag of a word. */
static unsigned
tag_at(size_t word_index, enum tag tag)
{
    return (unsigned)tag << word_index % TAGS_IN_BYTE * TAG_BITS;
}

/* Put a word down as its tag says. */
static void
put_word(char *to, uintptr_t word, enum tag tag)
{
    half low = (half)word;
    if (tag == TAG_WHOLE) {
        memcpy(to, &word, WORD_SIZE);
    }
    else {
        memcpy(to, &low, bytes_left[tag]);
    }
}

bool
pack_words(char *packed, size_t room, const char *words, size_t size)
{
    size_t used = tags_size(size);
    if (used > room) {
        return false;
    }
    memset(packed, 0, used);
    half high = 0;
    for (size_t i = 0; i < size / WORD_SIZE; i++) {
        uintptr_t word = word_at(words, i * WORD_SIZE);
        enum tag tag = tag_of(word, &high);
        if (bytes_left[tag] > room - used) {
            return false;
        }
        put_word(packed + used, word, tag);
        used += bytes_left[tag];
        unsigned char *tags = (unsigned char *)packed + i / TAGS_IN_BYTE;
        *tags = (unsigned char)(*tags | tag_at(i, tag));
    }
    return true;
}

static uintptr_t
get_word(const char *from, enum tag tag, half *high)
{
    if (tag == TAG_WHOLE) {
        uintptr_t word = word_at(from, 0);
        *high = (half)(word >> HALF_BITS);
        return word;
    }
    half low = 0;
    memcpy(&low, from, bytes_left[tag]);
    return tag == TAG_ALIKE ? (uintptr_t)*high << HALF_BITS | low : low;
}

void
unpack_words(char *words, size_t size, const char *packed)
{
    const char *from = packed + tags_size(size);
    half high = 0;
    for (size_t i = 0; i < size / WORD_SIZE; i++) {
        unsigned char tags = (unsigned char)packed[i / TAGS_IN_BYTE];
        enum tag tag = tags >> i % TAGS_IN_BYTE * TAG_BITS & TAG_WHOLE;
        uintptr_t word = get_word(from, tag, &high);
        memcpy(words + i * WORD_SIZE, &word, WORD_SIZE);
        from += bytes_left[tag];
    }
}
