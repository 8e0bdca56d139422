/* Words of a C stack, packed.

   Of what lies on a stack a quarter is zeros, and most of the rest are small numbers and
   addresses, of which neighbours begin with the same half.  Packed, a stack takes about half
   of its size:

       packed:  | tags: 2 bits for each word, four to a byte | what is left of each word |

   A word is left out (TAG_ZERO), or only its low half is there: the high half is zero
   (TAG_SMALL), or that of the last word that is there as a whole (TAG_ALIKE; TAG_WHOLE). */

#ifndef GREENLET_CORE_PACKED_WORDS_H
#define GREENLET_CORE_PACKED_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes the words in `size` bytes take when they are packed; `size` is a multiple of
   a word's. */
size_t packed_size(const char *words, size_t size);

/* Pack them to `packed`, where `room` bytes are.  False if they take more: another thread has
   written to them since somebody asked how many. */
bool pack_words(char *packed, size_t room, const char *words, size_t size);

/* Unpack as many bytes of words to `words`. */
void unpack_words(char *words, size_t size, const char *packed);

#endif
