/* Parents: which greenlet goes on when another one ends, and which thread a greenlet
   belongs to that has not started. */

#ifndef GREENLET_EXT_TREE_H
#define GREENLET_EXT_TREE_H

#include "thread.h"

/* The record of the thread to which a greenlet belongs, borrowed; NULL if its
   parents end in nothing, which only garbage collection can bring about.  An unstarted
   greenlet remembers it, until any unstarted greenlet may have come to another thread.
   For a look (owner.h), or if the greenlet is the caller's own.  Runs no Python code. */
struct thread *tree_find_thread(struct greenlet *greenlet);

/* The same, in a look of its own. */
struct thread *tree_stop_and_find_thread(struct greenlet *greenlet);

/* An unstarted greenlet that nobody knows yet belongs to this thread.  Runs no Python
   code. */
void tree_remember_thread(struct greenlet *greenlet, struct thread *thread);

/* Is a greenlet known to belong to the calling thread?  Runs no Python code. */
bool tree_is_own(const struct greenlet *greenlet);

/* The record of the thread to which any greenlet belongs, as above.  Look into it only if it
   is the caller's own.  May stop the world; runs no Python code. */
static inline struct thread *
tree_thread(struct greenlet *greenlet)
{
    if (!FREE_THREADED) {
        return tree_find_thread(greenlet);
    }
    struct thread *thread = SHARED_LOAD(greenlet->thread);
    if (thread == NULL) {
        thread = tree_is_own(greenlet) ? thread_last_used()
                                       : tree_stop_and_find_thread(greenlet);
    }
    return thread;
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
