/* Parents: which greenlet goes on when another one ends, and which thread a greenlet
   belongs to that has not started. */

#ifndef GREENLET_EXT_TREE_H
#define GREENLET_EXT_TREE_H

#include "thread.h"

#include <stdatomic.h>

/* Counts each event by which an unstarted greenlet, and with it all unstarted greenlets
   below it, may have come to another thread.  At UINT32_MAX it stops, and from then on
   nothing is remembered.  The process has one counter, and not each record: a greenlet has to
   learn whether the record that it remembers is out of date without looking into that
   record, which may have been freed. */
extern _Atomic(uint32_t) tree_thread_moves;

static inline uint32_t
tree_thread_moves_now(void)
{
    return atomic_load_explicit(&tree_thread_moves, memory_order_relaxed);
}

/* The record that an unstarted greenlet remembers, or NULL.  The caller may be any thread, and
   the greenlet be started meanwhile: then the result is to be compared only, and equal to no
   record. */
static inline struct thread *
tree_remembered_thread(const struct greenlet *greenlet)
{
    struct thread *thread = RELAXED_LOAD(greenlet->as.unstarted.found_thread);
    uint32_t when = RELAXED_LOAD(greenlet->number.found_when);
    return when == tree_thread_moves_now() && when != UINT32_MAX ? thread
                                                                 : NULL;
}

/* The record of the thread to which a greenlet belongs, borrowed; NULL if its
   parents end in nothing, which only garbage collection can bring about.  An unstarted
   greenlet remembers it, until any unstarted greenlet may have come to another thread.
   For a look (owner.h), or if the greenlet is the caller's own.  Runs no Python code. */
struct thread *tree_find_thread(struct greenlet *greenlet);

/* The same, in a look of its own. */
struct thread *tree_stop_and_find_thread(struct greenlet *greenlet);

/* An unstarted greenlet that nobody knows yet belongs to this thread.  Runs no Python
   code. */
static inline void
tree_remember_thread(struct greenlet *greenlet, struct thread *thread)
{
    RELAXED_STORE(greenlet->as.unstarted.found_thread, thread);
    RELAXED_STORE(greenlet->number.found_when, tree_thread_moves_now());
}

/* Is a greenlet known to belong to the calling thread, whose record is `own`, not NULL?  Runs
   no Python code. */
static inline bool
tree_is_known_in(const struct greenlet *greenlet, const struct thread *own)
{
    const struct thread *thread = SHARED_LOAD(greenlet->thread);
    if (thread == NULL) {
        thread = tree_remembered_thread(greenlet);
    }
    return thread == own;
}

/* The same where the record is not at hand. */
static inline bool
tree_is_own(const struct greenlet *greenlet)
{
    const struct thread *own = thread_last_used();
    return own != NULL && tree_is_known_in(greenlet, own);
}

/* Does a greenlet belong to the calling thread, known or not?  May stop the world; runs no
   Python code. */
static inline bool
tree_is_in(struct greenlet *greenlet, const struct thread *own)
{
    if (!FREE_THREADED) {
        return tree_find_thread(greenlet) == own;
    }
    return tree_is_known_in(greenlet, own)
           || (SHARED_LOAD(greenlet->thread) == NULL
               && tree_stop_and_find_thread(greenlet) == own);
}

/* Unstarted greenlets may have come to another thread: nothing that is remembered of
   their threads is true any more.  Runs no Python code. */
void tree_forget_threads(void);

/* Is `ancestor` the greenlet itself, its parent, or a parent's parent?  Runs no
   Python code. */
bool tree_descends_from(const struct greenlet *greenlet,
                        const struct greenlet *ancestor);

/* Make `parent`, whose reference is taken over, the parent of `greenlet`, and return the
   parent before, with its reference.  `thread` is the record of `parent`, or NULL, and counts
   these calls (parent_swaps): while the count stands still, no line of parents that ends in
   the thread has changed.  Runs no Python code. */
PyGreenlet *tree_swap_parent(struct thread *thread, struct greenlet *greenlet,
                             PyGreenlet *parent);

/* Give `greenlet`, which is no main greenlet, another parent; -1 with a ValueError if that
   would make a cycle, or `parent` is in another thread.  May stop the world, and run
   Python code. */
int tree_set_parent(struct greenlet *greenlet, struct greenlet *parent);

#endif
