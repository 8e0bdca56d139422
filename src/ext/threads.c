/* Thread records: finding, making and ending them. */

#include "threads.h"

#include <limits.h>
#include <stdatomic.h>

#include "check.h"
#include "create.h"
#include "doomed.h"
#include "hooks.h"
#include "idle.h"
#include "kill.h"
#include "policy.h"
#include "room.h"
#include "spares.h"
#include "switch.h"
#include "thread_list.h"

static const char capsule_name[] = "greenlet.thread";

/* In all interpreters; for tests only. */
static _Atomic(Py_ssize_t) records_alive;

static void
count_records(Py_ssize_t change)
{
    atomic_fetch_add_explicit(&records_alive, change, memory_order_relaxed);
}

/* Make `thread` the record that this native thread finds without a search; NULL for none.
   Another native thread can end the record, and this thread would not know: so it is
   held. */
static void
remember(struct thread *thread)
{
    struct thread *previous = thread_cached;
    if (thread != NULL) {
        thread_hold(thread);
    }
    thread_cached = thread;
    if (previous != NULL) {
        thread_let_go(previous);
    }
}

/* The record ends: it is not found any more.  If a greenlet of another record has called
   into this thread's interpreter, that record is found again. */
static void
forget(struct thread *thread)
{
    struct thread *caller = thread->caller;
    thread->caller = NULL;
    if (thread_cached == thread) {
        bool lives = caller != NULL && caller->tstate != NULL;
        remember(lives ? caller : NULL);
    }
    if (caller != NULL) {
        thread_let_go(caller);
    }
}

/* Clear the dict of a main greenlet that only its record refers to.  May run Python code.
   Others may get at it by weak references: so the world is stopped, if there is a dict,
   which is seldom. */
static void
clear_dict(PyGreenlet *main)
{
    PyObject *dict = NULL;
    if (SHARED_LOAD(main->dict) != NULL) {
        world_stop();
        if (Py_REFCNT(main) == 2) { /* as main, and as running */
            dict = main->dict;
            main->dict = NULL;
        }
        world_start();
    }
    Py_XDECREF(dict);
}

/* Release, while the record can still be used, what might use it: code that
   runs later would make another record, which nobody ends. */
static void
release_users(struct thread *thread)
{
    PyGreenlet *main = thread->main->object;
    PyObject *trace = thread->trace;
    thread->trace = NULL;
    thread_update_attention(thread);
    Py_XDECREF(trace);
    clear_dict(main);
}

/* A witness of the stack machine. */
static void
seal_evicted(struct stack *stack, struct slice *slice)
{
    struct thread *thread = (struct thread *)stack;
    struct greenlet *greenlet = greenlet_of_slice(slice);
    bool is_origin = slice == stack->current;
    void *lent
        = state_seal(&greenlet->interpreter, is_origin ? thread->tstate : NULL);
    if (is_origin) {
        thread_set_lent(thread, lent);
    }
}

/* The shared stack is about to go; or has gone, and then they are sealed. */
static void
seal_parked(struct thread *thread)
{
    struct slice *slice
        = STATE_SEALS && !thread->seals_early ? thread->stack.shared : NULL;
    for (; slice != NULL; slice = slice->older) {
        if (slice != thread->stack.current && slice->saved_size == 0) {
            (void)state_seal(&greenlet_of_slice(slice)->interpreter, NULL);
        }
    }
}

/* Is this the thread whose record it is, where Python code can still be run and no
   greenlet is under way? */
static bool
can_run_code(const struct thread *thread)
{
    return thread_is_own(thread) && thread_is_native(thread)
           && thread_running(thread) == thread->main
           && !interpreter_finalizing();
}

/* The end of a record, in five steps. */

/* First, since it runs code of Python: later such code would make another record, which
   nobody ends. */
static void
end_users(struct thread *thread)
{
    if (can_run_code(thread)) {
        /* The dict of the thread state, where it is looked up, is being cleared. */
        remember(thread);
        release_users(thread);
        kill_settle(thread, true);
    }
}

/* Nobody finds the record any more. */
static void
withdraw(struct thread *thread)
{
    forget(thread);
    thread_list_remove(thread);
    count_records(-1);
}

/* Callbacks are counted for the last time.  Of a thread state that has gone before its
   record nothing is known. */
static void
note_callbacks(struct thread *thread)
{
    bool is_look = !thread_is_own(thread);
    if (is_look) {
        world_stop();
    }
    const PyThreadState *tstate = thread_living_state(thread);
    thread->last_callbacks
        = tstate != NULL ? tstate_callbacks(tstate) : INT_MAX;
    if (is_look) {
        world_start();
    }
}

/* From here on its greenlets are dead.  Before that, since the thread state is needed or
   the chain of slices: frames are cut loose from the stack, which goes with the thread;
   what the interpreter will free is put back. */
static void
leave_thread_state(struct thread *thread)
{
    seal_parked(thread);
    /* A thread that comes to its end by itself does so in its main greenlet, and its thread
       state may have gone before.  Otherwise it is another thread that ends this one. */
    if (thread_running(thread) != thread->main) {
        homes_enter(&thread->homes, thread->tstate, NULL);
        state_forget_running(&thread->main->interpreter, thread->tstate);
    }
    note_callbacks(thread);
    /* Any thread that finds its greenlets dead may release them from here on, and give
       back what they have. */
    stack_close(&thread->stack);
    thread_leave_dict(thread);
    lock_take(&thread->doom_lock);
    SHARED_STORE(thread->tstate, NULL);
    lock_leave(&thread->doom_lock);
}

/* What the record refers to, but for its main greenlet, goes after the thread state: the
   last reference to a greenlet may be among it, which is released then and not killed. */
static void
let_go_of_references(struct thread *thread)
{
    PyObject *trace = thread->trace;
    thread->trace = NULL;
    doomed_let_go(thread);
    Py_XDECREF(trace);
}

static void
free_memory(struct thread *thread)
{
    thread->started_count = 0;
    thread->started_capacity = 0;
    PyMem_RawFree(thread->started);
    chunk_pool_clear(&thread->chunks);
    spares_free(thread);
}

/* The thread has come to its end, or another thread clears up after it. */
static void
thread_end(struct thread *thread)
{
    assert(thread->tstate != NULL);
    thread_check(thread);
    /* Otherwise the greenlet that runs is lost, and with it its reference to itself. */
    bool in_main = thread_running(thread) == thread->main;
    end_users(thread);
    withdraw(thread);
    leave_thread_state(thread);
    let_go_of_references(thread);
    free_memory(thread);
    struct greenlet *main = thread->main;
    thread->main = NULL;
    if (in_main) {
        Py_DECREF(main->object);
    }
    Py_DECREF(main->object);
    thread_leave_to_greenlets(thread);
}

/* The context that has held the record's end goes.  If it has been copied at the last
   moment, the record may have ended before. */
static void
last_capsule_destroyed(PyObject *capsule)
{
    struct thread *thread = PyCapsule_GetPointer(capsule, capsule_name);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (thread->tstate != NULL) {
        thread_end(thread);
    }
    thread_let_go(thread);
    PyErr_Restore(type, value, traceback);
}

/* Let the calling thread's context, a copy that is nobody else's, hold an object.
   Without memory it does not. */
static void
put_into_context(PyObject *variable, PyObject *object)
{
    PyObject *context = PyContext_CopyCurrent();
    if (context != NULL && PyContext_Enter(context) == 0) {
        Py_XDECREF(PyContextVar_Set(variable, object));
    }
    Py_XDECREF(context);
    PyErr_Clear();
}

/* The dict of the thread state is going, and what is in it after the capsule goes later:
   perhaps a thread-local variable that holds the last reference to a parked greenlet,
   which can still be killed in its thread.  The next that goes is the context: the end
   comes with that. */
static void
postpone_end(struct thread *thread)
{
    assert(!thread->is_ending && thread->tstate != NULL);
    PyObject *capsule
        = PyCapsule_New(thread, capsule_name, last_capsule_destroyed);
    if (capsule == NULL) {
        PyErr_Clear();
        thread_end(thread);
        return;
    }
    thread_hold(thread);
    thread_leave_dict(thread);
    thread_list_note_ending(thread);
    thread_update_attention(thread);
    remember(NULL);
    put_into_context(thread->module->end_variable, capsule);
    Py_DECREF(capsule);
}

static void
capsule_destroyed(PyObject *capsule)
{
    struct thread *thread = PyCapsule_GetPointer(capsule, capsule_name);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (can_run_code(thread) && !thread->is_shared) {
        postpone_end(thread);
    }
    else {
        thread_end(thread);
    }
    PyErr_Restore(type, value, traceback);
}

/* On which stack it is: perhaps that of a greenlet which has called into this thread's
   interpreter. */
static void
find_home(struct thread *thread)
{
    struct thread *last = thread_cached;
    bool lives = last != NULL && last->tstate != NULL;
    if (homes_init(&thread->homes, thread->tstate, lives ? &last->homes : NULL))
    {
        thread_hold(last);
        thread->caller = last;
    }
}

/* What a record says of its thread from the start; NULL with a MemoryError.  It has no
   greenlet yet. */
static struct thread *
make_record(PyThreadState *tstate, struct module_state *module)
{
    struct thread *thread = PyMem_RawCalloc(1, sizeof *thread);
    if (thread == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    thread->tstate = tstate;
    thread_leave_dict(thread);
    thread->module = module;
    thread->no_arguments = module->no_arguments;
    thread->references = THREAD_LIVES;
    atomic_init(&thread->holders, 1);
    thread->is_shared = tstate_is_shared(tstate);
    thread->native = thread_native();
    thread->state_number = PyThreadState_GetID(tstate);
    thread->gets_calls
        = thread_is_main()
          && PyInterpreterState_Get() == PyInterpreterState_Main();
    thread->seals_early
        = STATE_SEALS && (!thread_is_main() || thread->is_shared);
    chunk_pool_init(&thread->chunks, module->chunk_store);
    return thread;
}

/* Give a record its main greenlet, which runs; -1 with an exception.  Runs no Python code:
   a finalizer that uses greenlets would make another record. */
static int
make_main(struct thread *thread)
{
    int collects = collector_pause();
    PyGreenlet *main = create_main(thread);
    collector_go_on(collects);
    if (main == NULL) {
        return -1;
    }
    thread->main = greenlet_of(main);
    Py_INCREF(main); /* the running greenlet's */
    stack_init(&thread->stack, &thread->main->slice, switch_entry, switch_land);
    thread->stack.evicting
        = STATE_SEALS && !thread->seals_early ? seal_evicted : NULL;
    thread->stack.deepens = policy_witness;
    thread->stack.cramped = room_witness;
    thread->stack.room_offset
        = (ptrdiff_t)offsetof(struct greenlet, interpreter)
          - (ptrdiff_t)offsetof(struct greenlet, slice);
    thread->stack.watch = SYSTEM_VACATES_STACKS ? idle_watch : NULL;
    thread->stack.until_watch = 1;
    thread->stack.pool.room_unused
        = MAPPED_STACK_ROOM - sizeof(struct stack_home);
    find_home(thread);
    return 0;
}

/* Let the dict of the thread state hold the record, and end it; -1 with an exception, and
   then the record has ended. */
static int
put_into_dict(struct thread *thread, PyObject *dict)
{
    PyObject *key = thread->module->thread_key;
    PyObject *capsule = PyCapsule_New(thread, capsule_name, capsule_destroyed);
    if (capsule == NULL) {
        thread_end(thread);
        return -1;
    }
    int stored = PyDict_SetItem(dict, key, capsule);
    if (stored == 0) {
        SHARED_STORE(thread->dict, dict);
        /* A list of all objects shall not keep it beyond the thread state.  The collector
           need not see it, since nothing but the thread state refers to it. */
        PyObject_GC_UnTrack(dict);
    }
    Py_DECREF(capsule);
    return stored;
}

/* End the records that were made too late for their thread states to end them.  May run
   Python code. */
static void
end_late(struct module_state *module)
{
    if (!FREE_THREADED || SHARED_LOAD(module->late_threads) == 0) {
        return;
    }
    struct thread *taken = thread_list_take_over(module);
    while (taken != NULL) {
        struct thread *thread = taken;
        taken = thread->next;
        thread->next = NULL;
        thread_end(thread);
    }
}

/* Without a dict it is a late record.  The dict comes last: what it holds may be found and
   ended by code of Python at once. */
static struct thread *
thread_new(PyThreadState *tstate, struct module_state *module, PyObject *dict)
{
    struct thread *thread = make_record(tstate, module);
    if (thread == NULL) {
        return NULL;
    }
    if (make_main(thread) < 0) {
        thread_leave_to_greenlets(thread);
        return NULL;
    }
    thread->is_late = thread->is_ending = dict == NULL;
    thread->trace = Py_XNewRef(module->trace_of_new_threads);
    thread_list_add(thread);
    hooks_note_thread(thread);
    count_records(1);
    if (dict != NULL && put_into_dict(thread, dict) < 0) {
        return NULL;
    }
    end_late(module);
    return thread;
}

/* The record in the dict of a thread state, NULL if there is none.  One that another
   native thread has left behind ends here. */
static struct thread *
thread_look_up(PyObject *dict, PyObject *key)
{
    PyObject *capsule;
    while ((capsule = PyDict_GetItemWithError(dict, key)) != NULL) {
        struct thread *thread = PyCapsule_GetPointer(capsule, capsule_name);
        if (thread_is_native(thread)) {
            return thread;
        }
        if (PyDict_DelItem(dict, key) < 0) {
            return NULL;
        }
    }
    return NULL;
}

/* The record of a thread state whose dict has gone, NULL if there is none.  One that
   only seems to be, since a context that has been copied at the last moment has kept it
   while its thread state has gone, and there is another at the same address, ends. */
static struct thread *
find_ending(PyThreadState *tstate, struct module_state *module)
{
    struct thread *thread = thread_list_find_ending(module, tstate);
    if (thread != NULL && !thread_is_own(thread)) {
        thread_end(thread);
        thread = NULL;
    }
    return thread;
}

/* The dict of the current thread state, borrowed; NULL with a MemoryError.  Runs no Python
   code: a finalizer that asks for it while it is made would get another one. */
static PyObject *
thread_dict(void)
{
    int collects = collector_pause();
    PyObject *dict = PyThreadState_GetDict();
    collector_go_on(collects);
    if (dict == NULL) {
        PyErr_NoMemory();
    }
    return dict;
}

static struct thread *
thread_find(PyThreadState *tstate)
{
    struct module_state *module = module_state();
    if (module == NULL) {
        return NULL;
    }
    struct thread *thread = NULL;
    if (SHARED_LOAD(module->ending_threads) > 0) {
        thread = find_ending(tstate, module);
    }
    if (thread != NULL) {
        return thread;
    }
    bool is_late = tstate_is_clearing(tstate);
    PyObject *dict = is_late ? tstate_dict(tstate) : thread_dict();
    if (dict == NULL && !is_late) {
        return NULL;
    }
    thread = dict != NULL ? thread_look_up(dict, module->thread_key) : NULL;
    if (thread != NULL || PyErr_Occurred()) {
        return thread;
    }
    return thread_new(tstate, module, is_late ? NULL : dict);
}

void
threads_forget_module(struct module_state *module)
{
    end_late(module);
    thread_list_clear(module);
}

struct thread *
threads_current(void)
{
    struct thread *thread = thread_cached;
    /* Not thread_is_current: the dict in which it is found may be going. */
    if (thread != NULL && thread_is_own(thread)) {
        return thread;
    }
    thread = thread_find(tstate_current());
    if (thread != NULL && !thread->is_shared && !thread->is_ending) {
        remember(thread);
    }
    return thread;
}

struct thread *
threads_enter_slowly(void)
{
    struct thread *thread = threads_current();
    if (thread != NULL && SHARED_LOAD(thread->doomed) != NULL) {
        kill_settle(thread, false);
    }
    return thread;
}

Py_ssize_t
threads_count(void)
{
    struct module_state *module = FREE_THREADED ? module_state() : NULL;
    if (module != NULL) {
        end_late(module);
    }
    else if (FREE_THREADED) {
        PyErr_Clear();
    }
    return atomic_load_explicit(&records_alive, memory_order_relaxed);
}
