/* Packed words are the same words afterwards, take no more room than was said, and less
   than they did. */

#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "core/packed_words.h"

#define MOST 200
#define WORD_SIZE sizeof(uintptr_t)
#define HALF_BITS (WORD_SIZE * 4)

static uint64_t state = 88172645463325252U;

static uint64_t
random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* As they lie on a stack, or nearly. */
static uintptr_t
random_word(void)
{
    static const uintptr_t highs[] = {0, 1, (uintptr_t)-1 >> HALF_BITS, 0x7f12};
    uint64_t number = random_number();
    uintptr_t low = (uintptr_t)number & ((uintptr_t)-1 >> HALF_BITS);
    switch (number >> 60) {
    case 0:
    case 1:
    case 2:
    case 3:
        return 0;
    case 4:
        return (uintptr_t)number;
    case 5: /* nothing but its high half */
        return (uintptr_t)1 << HALF_BITS;
    default:
        return highs[number >> 56 & 3] << HALF_BITS | low;
    }
}

/* Pack, with bytes behind that must stay, and unpack. */
static size_t
check_round(const uintptr_t *words, size_t count)
{
    static char packed[2 * MOST * WORD_SIZE];
    static uintptr_t unpacked[MOST + 1];
    size_t size = count * WORD_SIZE;
    size_t room = packed_size((const char *)words, size);
    CHECK_INT(room, <, sizeof packed);
    memset(packed, 0x5A, sizeof packed);
    CHECK(pack_words(packed, room, (const char *)words, size));
    CHECK_INT(packed[room], ==, 0x5A);
    memset(unpacked, 0x5A, sizeof unpacked);
    uintptr_t behind = unpacked[count];
    unpack_words((char *)unpacked, size, packed);
    CHECK_INT(memcmp(unpacked, words, size), ==, 0);
    CHECK(unpacked[count] == behind);
    return room;
}

static void
test_any_words(void)
{
    uintptr_t words[MOST];
    for (int round = 0; round < 2000; round++) {
        size_t count = (size_t)random_number() % (MOST + 1);
        for (size_t i = 0; i < count; i++) {
            words[i] = random_word();
        }
        (void)check_round(words, count);
    }
}

/* Each byte of tags is for four words. */
static void
test_sizes(void)
{
    uintptr_t words[8] = {0};
    uintptr_t high = (uintptr_t)0x7f12 << HALF_BITS;
    size_t half = WORD_SIZE / 2;
    CHECK_INT(check_round(words, 0), ==, 0);
    CHECK_INT(check_round(words, 1), ==, 1);
    CHECK_INT(check_round(words, 4), ==, 1);
    CHECK_INT(check_round(words, 5), ==, 2);
    words[1] = 7;
    CHECK_INT(check_round(words, 4), ==, 1 + half);
    words[2] = high | 1;
    CHECK_INT(check_round(words, 4), ==, 1 + half + WORD_SIZE);
    words[3] = high;
    CHECK_INT(check_round(words, 4), ==, 1 + 2 * half + WORD_SIZE);
    /* A number between two addresses is in nobody's way. */
    words[4] = 9;
    words[5] = high | 2;
    CHECK_INT(check_round(words, 8), ==, 2 + 4 * half + WORD_SIZE);
}

/* Another thread may write to what lies on a parked stack, at any time. */
static void
test_words_that_grow_meanwhile(void)
{
    uintptr_t words[MOST] = {0};
    char packed[MOST * WORD_SIZE];
    size_t room = packed_size((const char *)words, sizeof words);
    memset(packed, 0x5A, sizeof packed);
    words[0] = (uintptr_t)-1;
    CHECK(!pack_words(packed, room, (const char *)words, sizeof words));
    words[0] = 1;
    CHECK(!pack_words(packed, room + 1, (const char *)words, sizeof words));
    CHECK_INT(packed[room + 1], ==, 0x5A);
    CHECK(!pack_words(packed, room - 1, (const char *)words, sizeof words));
}

int
main(void)
{
    test_any_words();
    test_sizes();
    test_words_that_grow_meanwhile();
    return 0;
}
