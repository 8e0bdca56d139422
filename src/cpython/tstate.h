/* What the interpreter keeps per thread and a greenlet has to take along.

   This header picks the one file that knows the running CPython; below it
   there is no test of the version.  Each of those files defines `struct
   interpreter_state`, what a greenlet keeps of it while it is parked, and
   these functions.  A state of zeros is that of a greenlet that has not started,
   and so is one that was left or abandoned, and then cleared.

     PyThreadState *tstate_current(void)
         The caller's thread state; never NULL while the GIL is held.

     int state_prepare(struct interpreter_state *, struct chunk_pool *,
                       size_t frames_size)
         Get what the first run will need, with room for frames of so many bytes
         if that is known, or 0.  -1 when out of memory, without an exception.
         state_cancel undoes it.
     size_t state_parked_frames_size(const struct interpreter_state *,
                                     const PyThreadState *)
         About the running greenlet, all of whose frames are gone: how many bytes
         of frames it had when it was last suspended; 0 if it had outgrown its
         room then.
     bool state_outgrown(const struct interpreter_state *,
                         const PyThreadState *)
     size_t state_frames_size(const PyThreadState *)
         Have the frames of the running greenlet gone beyond the room that they
         were in when it was last resumed or prepared, and how many bytes are
         they?
     void state_start(struct interpreter_state *, PyThreadState *)
         Give the thread state to a greenlet that begins; to be called in its
         first C function.
     void state_suspend(struct interpreter_state *, PyThreadState *)
         Note everything.  state_resume on the same state undoes the call, and
         that of state_seal.
     void *state_seal(struct interpreter_state *, PyThreadState *)
         The C stack of a suspended greenlet is about to go: make what others can
         reach (frames) independent of it.  A thread state is given if that still
         refers to the greenlet's frames, since the thread has not yet gone on to
         another one.  Then what it has lent them stays, and what state_settle
         wants is returned; otherwise NULL.  Done twice it is done once.  Only
         where STATE_HAS_SEAL is defined: elsewhere nothing refers to
         the C stack.
     void state_resume(struct interpreter_state *, PyThreadState *)
         Give the thread state back to a greenlet that was suspended.
     void state_settle(void *lent)
         The thread has gone on to another greenlet after a state_seal: whatever
         was still lent from the thread goes back.
     void state_leave(struct interpreter_state *, PyThreadState *,
                      struct chunk_pool *)
         The greenlet has ended, no frame of it is left, and the next thing is
         a switch away.
     void state_abandon(struct interpreter_state *, struct chunk_pool *)
         Let go of a parked greenlet that can never be resumed.  What its
         frames refer to is released.

     void state_forget_running(const struct interpreter_state *main,
                               PyThreadState *)
         Another thread is about to free a thread state in which a greenlet was
         running: leave in it only what the interpreter may free, as it was in
         the main greenlet when that was suspended.

     struct stack_home
         What a thread state says of a stack; it lies on the stack itself, if
         that is a greenlet's own, and lasts as long.
     HOME_SMALLEST
         How many bytes a stack must have at least, for recursion to end in an
         error and not in the guard.
     struct stack_homes
         Part of the thread record: the thread's own home, and which one is
         current.
     bool homes_init(struct stack_homes *, PyThreadState *,
                     const struct stack_homes *callers)
         Take the stack in use for the thread's own.  If it is the current one of
         `callers`, which may be NULL, the thread state is told of it, and the
         result is true.
     void home_init(struct stack_home *, const PyThreadState *,
                    const char *bottom, const char *top)
         Make the home of a stack between these addresses.
     void homes_enter(struct stack_homes *, PyThreadState *,
                      const struct stack_home *)
         The stack of this home is in use from now on, the thread's own if it is
         NULL.  To be called before state_start and state_resume.

     PyObject *state_frame(struct interpreter_state *, PyThreadState *)
         New reference to the innermost frame of a suspended greenlet; NULL,
         perhaps with an exception, if there is none.
     PyObject **state_context(struct interpreter_state *, PyThreadState *)
         Where the context of a greenlet is, that of the running one if a
         thread state is given.  After a change call tstate_context_changed.
     int state_visit(struct interpreter_state *, visitproc, void *)
     void state_clear(struct interpreter_state *)
         Garbage collection; clearing is for greenlets that have ended.

     PyObject *object_new_with_room(PyTypeObject *, size_t room)
         A new object with so many zeros behind it, untracked, of a type whose
         tp_alloc is PyType_GenericAlloc.  NULL with MemoryError.
     int object_prepare_calls(PyObject **dict)
         Do what lets the interpreter call methods of an object fast whose
         instance dict is at `dict`.  -1 with an exception.
     bool tstate_collecting(PyThreadState *)
         Is the cyclic garbage collector at work?
     void object_rearm_finalizer(PyObject *)
         Let tp_finalize be called once more.
     void tstate_enter_tracing / tstate_leave_tracing(PyThreadState *)
         Bracket a trace function, which is not traced itself.
     void tools_install(void)
         To be called at import: find what state_resume may need of
         sys.monitoring.
     bool tstate_is_shared(const PyThreadState *)
         May several native threads use it in turn?
     bool interpreter_finalizing(void)
     bool interpreter_has_own_gil(void)
         Does the calling interpreter run in parallel with the main one?  Then it
         shares no object with that, and no static type.
     TSTATE_MODULE_SLOTS
         Slots of a module definition: what has to be said for such interpreters
         to import it.
     unsigned long tstate_thread_ident(const PyThreadState *)
         What threading.get_ident() says in the thread that uses it.
     bool thread_is_main(void)
         Is this the process's main thread?  Another one's stack may vanish while
         its thread state lives: until 3.13 daemon threads end when they find that
         the interpreter does.
     PyObject *tstate_trash_nesting(PyThreadState *)
         For the published package's tests: how deep the deallocator is.  Only
         where TSTATE_HAS_TRASH_NESTING is defined.

   Only state_frame, state_abandon and state_clear can run Python code. */

#ifndef GREENLET_CPYTHON_TSTATE_H
#define GREENLET_CPYTHON_TSTATE_H

#ifndef Py_BUILD_CORE
#  define Py_BUILD_CORE 1
#endif
#include <Python.h>

#include "internal/pycore_runtime.h"

#include <stdbool.h>
#include <string.h>

#ifdef Py_GIL_DISABLED
#  error "free-threaded builds are not supported yet"
#endif

static inline void
tstate_context_changed(PyThreadState *tstate)
{
    tstate->context_ver++;
}

#if PY_VERSION_HEX < 0x030A0000
#  error "CPython 3.10 or newer is needed"
#elif PY_VERSION_HEX < 0x030B0000
#  include "v3_10.h"
#elif PY_VERSION_HEX < 0x030C0000
#  include "v3_11.h"
#elif PY_VERSION_HEX < 0x030D0000
#  include "v3_12.h"
#elif PY_VERSION_HEX < 0x030E0000
#  include "v3_13.h"
#elif PY_VERSION_HEX < 0x030F0000
#  include "v3_14.h"
#elif PY_VERSION_HEX < 0x03100000
#  include "v3_15.h"
#else
#  error "this CPython is too new: see docs/add-a-cpython.md"
#endif

/* The same everywhere: */

static inline PyObject **
state_context(struct interpreter_state *state, PyThreadState *running)
{
    return running != NULL ? &running->context : &state->context;
}

static inline unsigned long
tstate_thread_ident(const PyThreadState *tstate)
{
    return tstate->thread_id;
}

static inline bool
thread_is_main(void)
{
    return PyThread_get_thread_ident() == _PyRuntime.main_thread;
}

static inline bool
tstate_collecting(PyThreadState *tstate)
{
    return tstate->interp->gc.collecting != 0;
}

static inline void
object_rearm_finalizer(PyObject *object)
{
    _Py_AS_GC(object)->_gc_prev &= ~(uintptr_t)_PyGC_PREV_MASK_FINALIZED;
}

#endif
