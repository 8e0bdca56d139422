/* Switch hooks: C functions that are told of what all greenlets of an interpreter do.

   An interpreter has one list of hooks, which never changes: adding and removing makes another
   list.  A report that runs hooks which may run Python code holds a reference to its list, and
   goes on along it whatever happens meanwhile; but it asks each hook whether it has been removed.
   Hooks that run no Python code need neither, since nobody can change the list while they run.

   A list is exchanged while the world is stopped, and so is the flag of each thread that tells
   switches that there are hooks.  So no switch that lands afterwards goes unnoticed, and none is
   reported to a hook that has been removed. */

#ifndef GREENLET_EXT_HOOKS_H
#define GREENLET_EXT_HOOKS_H

#include "thread.h"

/* Events of switches, and all there are. */
#define HOOK_SWITCHES                                                          \
    (PyGreenlet_EVENT_SWITCH | PyGreenlet_EVENT_THROW | PyGreenlet_EVENT_START \
     | PyGreenlet_EVENT_FINISH)
#define HOOK_EVENTS (HOOK_SWITCHES | PyGreenlet_EVENT_CREATE)

/* Add a hook to the interpreter's, behind those that there are.  Its number, from 1 on; 0 with
   a MemoryError.  `data` and `release` as PyGreenlet_API_2's add_hook.  May stop the world, and
   so run Python code in other threads. */
uint64_t hooks_add(struct module_state *module, PyGreenlet_Hook function,
                   void *data, unsigned events, unsigned flags,
                   void (*release)(void *data));

/* Remove a hook.  1 if it has been removed, 0 if there is none of this number; -1 with a
   MemoryError, and it stays.  May run `release`, and stop the world as hooks_add does. */
int hooks_remove(struct module_state *module, uint64_t number);

/* The interpreter ends: release all hooks.  May run what they release. */
void hooks_clear(struct module_state *module);

/* A record has come on the interpreter's list: from here on its thread reports its switches, if
   there are hooks for that.  Runs no Python code. */
void hooks_note_thread(struct thread *thread);

/* Tell the hooks for any of `events` of what has just happened in the calling thread.  An
   exception is set if this is a throw, and only then; it stays set.  Runs Python code if the hooks
   do, and may switch. */
void hooks_report(const struct thread *thread, unsigned events,
                  PyGreenlet *origin, PyGreenlet *target);

/* The same for a greenlet that has just been made, by the running one. */
static inline void
hooks_report_creation(const struct thread *thread, PyGreenlet *made)
{
    if (!LIKELY(SHARED_LOAD(thread->module->hooks) == NULL)) {
        hooks_report(thread, PyGreenlet_EVENT_CREATE,
                     thread_running(thread)->object, made);
    }
}

#endif
