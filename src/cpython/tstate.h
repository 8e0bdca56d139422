/* What the interpreter keeps per thread and a greenlet has to take along.

   This header picks the one file that knows the running CPython; below it
   nothing tests the version.  Each version file defines `struct
   interpreter_state`, which holds what a parked greenlet takes along, and the
   functions below.  A state of zeros is that of a greenlet that has not
   started; a state serves such a greenlet again after state_leave or
   state_abandon, and then state_clear.

     PyThreadState *tstate_current(void)
         The caller's thread state; never NULL while the GIL is held.

     int state_prepare(struct interpreter_state *, struct chunk_pool *,
                       size_t frames_size)
         Allocate what the greenlet needs to start, with room for `frames_size`
         bytes of frames, or for the usual number if that is 0.  The state owns
         it until state_cancel, state_leave or state_abandon.  -1 when out of
         memory, without an exception.
     void state_cancel(struct interpreter_state *, struct chunk_pool *)
         The prepared greenlet does not start after all.
     size_t state_parked_frames_size(const struct interpreter_state *,
                                     const PyThreadState *)
         About the running greenlet, all of whose frames are gone: how many bytes
         of frames it had when it was last suspended; 0 if it had outgrown its
         room then.
     bool state_outgrown(const struct interpreter_state *,
                         const PyThreadState *)
     size_t state_frames_size(const PyThreadState *)
         Have the frames of the running greenlet outgrown the room that they had
         when it was last resumed or prepared?  How many bytes are they?
     void state_note_room(struct interpreter_state *, const PyThreadState *)
         Note the room that they have now; to be called before state_suspend where
         state_outgrown is true.
     size_t state_room(const struct interpreter_state *)
         How many bytes the frames of a greenlet, once prepared, and what they leave
         unused while it is suspended take together; 0 if that may change before the
         next state_note_room.  A state begins with a struct slice_room (core/slice.h)
         that tells of these bytes.
     void state_start(struct interpreter_state *, PyThreadState *)
         Give the thread state to a greenlet that begins; to be called in its
         first C function.
     void state_suspend(struct interpreter_state *, PyThreadState *)
         Note all that travels.  state_resume on the same state undoes this call
         and state_seal's.
     void *state_seal(struct interpreter_state *, PyThreadState *)
         The C stack of a suspended greenlet is about to be overwritten: make its
         frames, which others can reach, independent of that stack.  Pass the
         thread state while it still refers to these frames, because the thread
         has not gone on to another greenlet yet: then the frames keep what the
         thread state has lent them, and the result is for state_settle.
         Otherwise pass NULL, and the result is NULL.  Idempotent.
     STATE_SEALS
         0 if state_seal does nothing, since nothing refers to the C stack.
     void state_resume(struct interpreter_state *, PyThreadState *)
         Give the thread state back to a greenlet that was suspended.
     STATE_LENDS
         Does state_seal ever return anything but NULL?
     void state_settle(void *lent)
         The thread has gone on to another greenlet after a state_seal that
         returned `lent`: the sealed frames give back what they had borrowed.
     void state_leave(struct interpreter_state *, PyThreadState *,
                      struct chunk_pool *)
         The running greenlet has ended, has no frames left, and is about to
         switch away for good.
     void state_abandon(struct interpreter_state *, struct chunk_pool *)
         A parked greenlet can never be resumed: release what its frames refer
         to.  The pool may be NULL.

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
         Take the stack in use for the thread's own.  If it is the current stack
         of `callers`, which may be NULL, tell the thread state of it and return
         true.
     size_t homes_extent(const struct stack_homes *)
         How many bytes of the thread's own stack the interpreter lets calls take:
         it may have settled that when the thread began.  SIZE_MAX if it does not
         look at stacks.
     void home_init(struct stack_home *, const PyThreadState *,
                    const char *bottom, const char *top)
         Make the home of a stack between these addresses.
     void homes_enter(struct stack_homes *, PyThreadState *,
                      const struct stack_home *)
         The stack of this home, or the thread's own for NULL, is in use from
         now on.  To be called before state_start and state_resume.

     void state_note_arguments(struct interpreter_state *,
                               PyObject *const *end)
         The running greenlet is about to be suspended by a function whose
         arguments end at `end`, NULL if the interpreter has not called that
         function.  From `end` more may be known of the greenlet's frames.

     PyObject *state_frame(struct interpreter_state *, PyThreadState *)
         New reference to the innermost frame of a suspended greenlet; NULL if
         there is none, or with an exception.
     PyObject **state_context(struct interpreter_state *, PyThreadState *)
         Where the context of a suspended greenlet is, or of the running one if
         a thread state is given.  After a change call tstate_context_changed.
     void state_hold(struct interpreter_state *, const PyThreadState *running)
         Let a greenlet that is suspended, or about to be if a thread state is given,
         hold counted references to all that its frames refer to without one.  Without
         memory it holds fewer.  Runs no Python code.
     void state_hold_found(struct interpreter_state *, const PyThreadState *running)
         The same for a greenlet that the collector has found: some of what it holds is held
         until it ends.
     bool object_is_deferred(const PyObject *)
         Does the collector alone free it, so that a reference need not be counted which is
         shown by object_visit_deferred?  Not any more when the collector has found who
         refers to it, nor when collector_counts_all.
     int object_visit_deferred(PyObject *, visitproc, void *)
     bool collector_counts_all(void)
         Does the interpreter end, so that nothing is deferred any more?
     void state_hold_no_more(struct interpreter_state *, PyObject *greenlet)
         After state_resume, as soon as Python code may run, with the object whose state it
         is.  May run Python code.
     int state_visit_uncounted(struct interpreter_state *, visitproc, void *)
         Show the collector those references only that are not counted.
     int state_visit(struct interpreter_state *, visitproc, void *)
     void state_clear(struct interpreter_state *)
         Garbage collection; clearing is for greenlets that have ended.

     bool state_in_callback(const struct interpreter_state *)
         Is a call from C to Python, apart from the one that started it, known
         to be under way in a suspended greenlet?
     int tstate_callbacks(const PyThreadState *)
         How many calls from C that had to ask for the GIL first are under way in all
         greenlets of a thread.

     python_frame
     python_frame *frame_innermost(const PyThreadState *)
     python_frame *frame_outward(const python_frame *)
         The frames of Python functions under way in the running greenlet,
         borrowed, from the innermost outwards; NULL at the end.
     PyCodeObject *frame_code(python_frame *)
     uint32_t frame_place(python_frame *)
         The code that a frame executes, borrowed, and the place in it, counted
         in units of 2 bytes.
     void frame_note_handlers(python_frame *, uint32_t *handlers, uint32_t size)
         Note for each place in the frame's code, as far as known, the place
         where exceptions raised there are handled.  `handlers` has `size`
         elements, all 0.
     void handler_inherit(uint32_t *handler, uint32_t inherited)
         The handler for a place is that of the place from which it was reached,
         unless the handlers for all places have been noted.
     PyObject *code_bytes(PyCodeObject *)
         A new reference to the code as it was compiled; NULL with an exception.
     bool code_is_of_same_source(PyCodeObject *, uint32_t place, uint32_t other)
         Are the instructions at two places known to come from the same piece of
         source?
     CODE_STEPS
         What follows this version's instructions, for the table in loops.c.

     PyObject *object_new_with_room(PyTypeObject *, size_t room)
         A new object, untracked, with `room` bytes of zeros behind it, of a
         type whose tp_alloc is PyType_GenericAlloc.  NULL with MemoryError.
     OBJECT_HEAD_SIZE
         How many bytes of the collector's the memory of an object begins with.
     int object_prepare_calls(PyObject **dict)
         Let the interpreter call methods of an object fast whose instance dict
         is at `dict`.  -1 with an exception.
     int collector_pause(void), void collector_go_on(int paused)
         Bracket what makes objects but must not start a collection, which would run
         Python code.
     bool tstate_collecting(PyThreadState *)
         Is the cyclic garbage collector at work?
     bool tstate_yield_calls(PyThreadState *)
         In a pending call that is about to run code which may switch away for good:
         let Python make other pending calls.  False if no call is under way.
     void tstate_reclaim_calls(PyThreadState *)
         After a true result: the code has returned.
     bool object_is_unshared(const PyObject *)
         Has the caller the only reference?  Without a GIL the answer is no as well if that
         is not known.
     void object_track(PyObject *), void object_untrack(PyObject *)
         PyObject_GC_Track, for what is not tracked, and PyObject_GC_UnTrack.
     bool object_is_finalized(PyObject *)
         PyObject_GC_IsFinalized.
     void object_rearm_finalizer(PyObject *)
         Let tp_finalize be called once more.
     void object_renew_finalizer(PyObject *)
         The same for an object that has just been made of a deallocated one by
         PyObject_Init.
     bool object_is_found(PyObject *)
         Without a GIL, with the world stopped: has the collection found it that calls
         finalizers now?
     void object_resurrect(PyObject *)
     bool object_lives_on(PyObject *)
         Bracket what may make references to an object that is being deallocated: is
         there a reference afterwards?
     void tstate_enter_tracing / tstate_leave_tracing(PyThreadState *)
         Bracket a trace function, which is not traced itself.
     void tools_install(void)
         To be called at import: find what state_resume may need of
         sys.monitoring.
     bool tstate_is_shared(const PyThreadState *)
         May several native threads use it in turn?
     bool interpreter_finalizing(void)
     bool interpreter_runs_apart(void)
         Does the calling interpreter run at the same time as the main one?  Then
         it shares no object with the main interpreter, and no static type.
     TSTATE_MODULE_SLOTS
         Slots of a module definition that let such interpreters import the
         module.
     PyObject *tstate_dict(const PyThreadState *)
         The dict of the caller's own thread state, borrowed; NULL if it has none.
     unsigned long tstate_thread_ident(const PyThreadState *)
         What threading.get_ident() says in the thread that uses it.
     bool thread_is_main(void)
         Is this the process's main thread?  Another thread's stack may vanish
         while its thread state lives: until 3.13 a daemon thread ends when it
         finds that the interpreter is ending.
     PyObject *tstate_trash_nesting(PyThreadState *)
         For the published package's tests: how deep the deallocator is.
     TSTATE_HAS_TRASH_NESTING
         0 if that is not known.

   About threads that run at the same time, for data that more than one thread uses:

     FREE_THREADED
         1 if the threads of an interpreter do so, 0 if there is a GIL.  Then there is
         nothing to do for the following functions.
     SHARED_LOAD(place), SHARED_STORE(place, value), SHARED_ADD(place, number)
         Read, write or change a variable that several threads use.  What a thread has
         done before it writes is done for who reads the result.
     RELAXED_LOAD(place)
         Read such a variable where the value alone counts.  It is written with
         RELAXED_STORE, see core/compiler.h, if nothing else is to be seen with it.
     void world_stop(void), void world_start(void)
         Between the two no other thread of the interpreter runs.  In between no
         Python code is run, no reference given up, no mutex locked, and the world is
         not stopped again.  Before world_stop returns others may run any code.
     bool tstate_is_clearing(const PyThreadState *)
         Is the caller's own thread state being cleared?  With a GIL it is not asked, and
         false.
     bool tstate_lives(uint64_t number)
         With the world stopped: does the interpreter have a thread state with this number,
         PyThreadState_GetID's?
     struct lock
         Zeros at first.
     void lock_take(struct lock *), void lock_leave(struct lock *)
         Between the two nobody else holds the lock, and the world is not stopped.  In
         between no other lock is taken, no reference given up and no object of the
         collector's made.  Nothing runs in this thread while it waits.
     void lock_take_at_rest(struct lock *)
         The same as lock_take, but the world may be stopped in between, and this thread
         while it waits.

   Only state_frame, state_abandon and state_clear can run Python code, and
   until CPython 3.11, where making an object may collect, object_new_with_room
   and object_prepare_calls. */

#ifndef GREENLET_CPYTHON_TSTATE_H
#define GREENLET_CPYTHON_TSTATE_H

/* Both: an extension with the interpreter's internal structures.  By the second pyport.h
   knows how PyInit functions are exported, and what is imported from a DLL. */
#ifndef Py_BUILD_CORE
#  define Py_BUILD_CORE 1
#endif
#ifndef Py_BUILD_CORE_MODULE
#  define Py_BUILD_CORE_MODULE 1
#endif
#include <Python.h>

#include "internal/pycore_runtime.h"

#include <stdbool.h>
#include <string.h>

#include "core/compiler.h"

#if !defined(Py_GIL_DISABLED)
#  include "no_stack_lists.h"
#elif PY_VERSION_HEX >= 0x030E0000
#  include "part_stack_lists.h"
#elif defined(SANITIZES_THREADS)
/* `make test-tsan` builds 3.13 from source, and with it what it hides from extensions. */
#  include "part_critical_sections.h"
#else
#  error "of CPython's free-threaded builds 3.14 and newer ones are supported"
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

/* Patch releases may add fields, and what was compiled for older ones runs
   there: so after a version's betas only our own builds (make lint) stop. */
#if (defined(TSTATE_CHECK_FIELDS)                                              \
     || PY_RELEASE_LEVEL < PY_RELEASE_LEVEL_FINAL)                             \
    && !defined(Py_STATS) /* has a field of its own */
#  include "part_fields.h"
#endif

/* The same everywhere: */

#include "part_callbacks.h"

#define OBJECT_HEAD_SIZE (FREE_THREADED ? 0 : sizeof(PyGC_Head))

static inline PyObject **
state_context(struct interpreter_state *state, PyThreadState *running)
{
    return running != NULL ? &running->context : &state->context;
}

static inline PyObject *
tstate_dict(const PyThreadState *tstate)
{
    return tstate->dict;
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
tstate_lives(uint64_t number)
{
    PyThreadState *tstate
        = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    while (tstate != NULL && PyThreadState_GetID(tstate) != number) {
        tstate = PyThreadState_Next(tstate);
    }
    return tstate != NULL;
}

static inline bool
tstate_collecting(PyThreadState *tstate)
{
    return RELAXED_LOAD(tstate->interp->gc.collecting) != 0;
}

#endif
