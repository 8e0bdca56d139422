/* The living thread records of an interpreter, in a list of its module state.

   Nothing here runs Python code or fails.  The list borrows its records. */

#ifndef GREENLET_EXT_THREAD_LIST_H
#define GREENLET_EXT_THREAD_LIST_H

#include "thread.h"

/* A record that is on no list comes on that of its interpreter. */
void thread_list_add(struct thread *thread);

/* It leaves the list, if it is on it. */
void thread_list_remove(struct thread *thread);

/* All leave the list: the interpreter ends. */
void thread_list_clear(struct module_state *module);

/* A record on the list is ending from here on. */
void thread_list_note_ending(struct thread *thread);

/* Are there hooks for switches from here on?  With the world stopped, or with the GIL. */
void thread_list_note_hooks(const struct module_state *module, bool has_hooks);

/* The ending record with the thread state `tstate`, or with an earlier one that had the
   same address, borrowed; NULL if there is none. */
struct thread *thread_list_find_ending(struct module_state *module,
                                       PyThreadState *tstate);

/* Take the late records off the list (threads.h) whose thread states have gone: nobody but
   the caller ends them.  They are linked by `next`; NULL if there are none.  Stops the
   world. */
struct thread *thread_list_take_over(struct module_state *module);

#endif
