/* Thread records: finding, making and ending them; the doomed. */

#include "thread.h"

#include "module.h"
#include "policy.h"
#include "switch.h"

#include <stdatomic.h>
#ifdef __GLIBC__
#  include <malloc.h>
#endif

/* Room for so many started greenlets at first. */
#define STARTED_SMALLEST 16

/* So often, when a thread ends, what is parked is killed: as often as POSIX lets a
   thread end its thread-specific data. */
#define LAST_ROUNDS 4

static const char capsule_name[] = "greenlet.thread";

_Thread_local struct thread *thread_cached;

uint64_t
thread_native(void)
{
    static _Atomic(uint64_t) last;
    static _Thread_local uint64_t number;
    if (number == 0) {
        number = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
    }
    return number;
}

/* In all interpreters; for tests only. */
static _Atomic(Py_ssize_t) records_alive;
static _Atomic(Py_ssize_t) doomed_waiting;

static void
count(_Atomic(Py_ssize_t) *counter, Py_ssize_t change)
{
    atomic_fetch_add_explicit(counter, change, memory_order_relaxed);
}

void
thread_retain(struct thread *thread)
{
    thread->references++;
}

static void
let_go(struct thread *thread)
{
    if (atomic_fetch_sub(&thread->holders, 1) == 1) {
        PyMem_RawFree(thread);
    }
}

void
thread_release(struct thread *thread)
{
    thread->references--;
    if (thread->references == 0) {
        let_go(thread);
    }
}

/* Have it found next time; NULL for none.  If another native thread ends the
   record, this one does not hear of it: hence the hold. */
static void
remember(struct thread *thread)
{
    struct thread *previous = thread_cached;
    if (thread != NULL) {
        atomic_fetch_add(&thread->holders, 1);
    }
    thread_cached = thread;
    if (previous != NULL) {
        let_go(previous);
    }
}

/* What ends has been remembered: from here on it is whoever has called it. */
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
        let_go(caller);
    }
}

/* Afterwards there is room for half as many again. */
int
thread_resize_started(struct thread *thread)
{
    size_t count = thread->started_count;
    size_t capacity = count + count / 2 + STARTED_SMALLEST;
    if (capacity > UINT32_MAX) {
        return -1;
    }
    struct greenlet **started = PyMem_RawRealloc(
        thread->started, capacity * sizeof(struct greenlet *));
    if (started == NULL) {
        return -1;
    }
    thread->started = started;
    thread->started_capacity = (uint32_t)capacity;
    return 0;
}

void
thread_give_back(struct thread *thread)
{
    thread->started_peak = thread->started_count;
    (void)thread_resize_started(thread);
#ifdef __GLIBC__
    /* It keeps free memory that lies below a block in use.  Other allocators
       need not be asked. */
    (void)malloc_trim(0);
#endif
}

void
thread_update_attention(struct thread *thread)
{
    thread->attention
        = thread->trace != NULL || thread->doomed != NULL || thread->is_shared;
}

/* The list takes over a reference. */
static void
list_push(struct greenlet **list, struct greenlet *greenlet)
{
    greenlet->is_doomed = true;
    greenlet->doomed_next = *list;
    *list = greenlet;
    count(&doomed_waiting, 1);
}

/* The caller takes over a reference; NULL at the end. */
static struct greenlet *
list_pop(struct greenlet **list)
{
    struct greenlet *greenlet = *list;
    if (greenlet != NULL) {
        *list = greenlet->doomed_next;
        greenlet->doomed_next = NULL;
        greenlet->is_doomed = false;
        count(&doomed_waiting, -1);
    }
    return greenlet;
}

/* Only the main thread of a process gets such calls; other threads settle at
   their next use of greenlets, or at their end.  A finalizer that the collector
   runs may bring it about too early: then it is asked for again. */
static int
settle_when_called(void *unused)
{
    struct thread *thread = thread_last_used();
    if (thread != NULL) {
        thread_settle(thread);
        if (thread->doomed != NULL) {
            (void)Py_AddPendingCall(settle_when_called, unused);
        }
    }
    return 0;
}

void
thread_doom(struct thread *thread, struct greenlet *greenlet)
{
    if (greenlet->is_doomed) {
        return;
    }
    if (thread->doomed == NULL) {
        (void)Py_AddPendingCall(settle_when_called, NULL);
    }
    Py_INCREF(greenlet->object);
    list_push(&thread->doomed, greenlet);
    thread_update_attention(thread);
}

void
thread_refused(struct thread *thread, struct greenlet *greenlet)
{
    PyObject *object = (PyObject *)greenlet->object;
    if (Py_REFCNT(object) > 1 || greenlet->is_doomed) {
        return;
    }
    Py_INCREF(object);
    list_push(&thread->refused, greenlet);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PySys_FormatStderr("GreenletExit did not kill %R\n", object);
    PyErr_Restore(type, value, traceback);
}

static bool
list_remove(struct greenlet **list, const struct greenlet *greenlet)
{
    while (*list != NULL && *list != greenlet) {
        list = &(*list)->doomed_next;
    }
    return list_pop(list) != NULL;
}

void
thread_forgive(struct thread *thread, struct greenlet *greenlet)
{
    if (greenlet->is_doomed
        && (list_remove(&thread->refused, greenlet)
            || list_remove(&thread->doomed, greenlet)))
    {
        thread_update_attention(thread);
        Py_DECREF(greenlet->object); /* not the last: it is running */
    }
}

/* Kill one greenlet and consume the reference to it. */
static void
kill_one(struct thread *thread, struct greenlet *greenlet, PyObject *reason)
{
    if (greenlet_is_alive(greenlet)) {
        switch_kill(greenlet, reason);
        if (greenlet_is_alive(greenlet)) {
            thread_refused(thread, greenlet);
            object_rearm_finalizer((PyObject *)greenlet->object);
        }
    }
    Py_DECREF(greenlet->object);
}

void
thread_settle(struct thread *thread)
{
    struct greenlet *greenlet;
    while (!tstate_collecting(thread->tstate)
           && (greenlet = list_pop(&thread->doomed)) != NULL)
    {
        thread_update_attention(thread);
        kill_one(thread, greenlet, thread->module->vanished_reason);
    }
}

/* Kill all that are parked, but none a second time.  What moves into the place of one
   that ends has either been killed or started since. */
static void
kill_started(struct thread *thread)
{
    for (uint32_t i = thread->started_count; i > 0; i--) {
        if (i > thread->started_count) {
            continue;
        }
        struct greenlet *greenlet = thread->started[i - 1];
        if (!greenlet->is_told_to_end) {
            greenlet->is_told_to_end = true;
            Py_INCREF(greenlet->object);
            kill_one(thread, greenlet, thread->module->thread_end_reason);
        }
    }
}

/* Among the living records of its interpreter. */
static void
enlist(struct thread *thread)
{
    struct thread **first = &thread->module->threads;
    thread->next = *first;
    thread->link = first;
    if (thread->next != NULL) {
        thread->next->link = &thread->next;
    }
    *first = thread;
}

static void
delist(struct thread *thread)
{
    if (thread->link != NULL) {
        *thread->link = thread->next;
        if (thread->next != NULL) {
            thread->next->link = thread->link;
        }
        thread->next = NULL;
        thread->link = NULL;
    }
}

void
thread_forget_module(struct module_state *module)
{
    while (module->threads != NULL) {
        delist(module->threads);
    }
}

/* The last moment at which the thread can run code.  What the dying start is killed
   as well; what those start, too; but not for ever. */
static void
kill_everything(struct thread *thread)
{
    thread_settle(thread);
    for (int round = 0; round < LAST_ROUNDS; round++) {
        kill_started(thread);
        thread_settle(thread);
    }
}

static void
list_release(struct greenlet **list)
{
    struct greenlet *greenlet;
    while ((greenlet = list_pop(list)) != NULL) {
        Py_DECREF(greenlet->object);
    }
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
    if (Py_REFCNT(main) == 2) { /* as main, and as running */
        Py_CLEAR(main->dict);
    }
}

#ifdef STATE_HAS_SEAL
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
        thread->lent = lent;
    }
}

/* The shared stack is about to go; or has gone, and then they are sealed. */
static void
seal_parked(struct thread *thread)
{
    struct slice *slice = thread->seals_early ? NULL : thread->stack.shared;
    for (; slice != NULL; slice = slice->older) {
        if (slice != thread->stack.current && slice->saved_size == 0) {
            (void)state_seal(&greenlet_of_slice(slice)->interpreter, NULL);
        }
    }
}
#endif

/* The thread has come to its end, or another thread clears up after it. */
static void
thread_end(struct thread *thread)
{
    bool in_main = thread_running(thread) == thread->main;
    if (thread->tstate == tstate_current() && in_main
        && thread_is_native(thread))
    {
        remember(thread);
        release_users(thread);
        if (!interpreter_finalizing()) {
            kill_everything(thread);
        }
    }
    forget(thread);
#ifdef STATE_HAS_SEAL
    seal_parked(thread);
#endif
    count(&records_alive, -1);
    delist(thread);
    struct greenlet *main = thread->main;
    PyObject *trace = thread->trace;
    if (!in_main) {
        homes_enter(&thread->homes, thread->tstate, NULL);
        state_forget_running(&main->interpreter, thread->tstate);
    }
    thread->tstate = NULL;
    thread->main = NULL;
    thread->trace = NULL;
    list_release(&thread->doomed);
    list_release(&thread->refused);
    Py_XDECREF(trace);
    thread->started_count = 0;
    thread->started_capacity = 0;
    PyMem_RawFree(thread->started);
    chunk_pool_clear(&thread->chunks);
    stack_pool_close(&thread->stack.pool);
    greenlet_free_spares(thread);
    if (in_main) {
        Py_DECREF(main->object);
    }
    Py_DECREF(main->object);
    thread_release(thread);
}

static void
capsule_destroyed(PyObject *capsule)
{
    struct thread *thread = PyCapsule_GetPointer(capsule, capsule_name);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    thread_end(thread);
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
        atomic_fetch_add(&last->holders, 1);
        thread->caller = last;
    }
}

/* A record with its main greenlet, in the dict of the thread state. */
static struct thread *
thread_new(PyThreadState *tstate, struct module_state *module, PyObject *dict)
{
    struct thread *thread = PyMem_RawCalloc(1, sizeof *thread);
    if (thread == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    thread->tstate = tstate;
    thread->module = module;
    thread->references = 1;
    atomic_init(&thread->holders, 1);
    thread->is_shared = tstate_is_shared(tstate);
    thread->native = thread_native();
    chunk_pool_init(&thread->chunks, module->chunk_store);
    PyGreenlet *main = greenlet_new_main(thread);
    if (main == NULL) {
        thread_release(thread);
        return NULL;
    }
    thread->main = greenlet_of(main);
    stack_init(&thread->stack, &thread->main->slice, switch_entry, switch_land);
#ifdef STATE_HAS_SEAL
    thread->seals_early = !thread_is_main() || thread->is_shared;
    thread->stack.evicting = thread->seals_early ? NULL : seal_evicted;
#endif
    thread->stack.deepens = policy_witness;
    find_home(thread);
    Py_INCREF(main); /* the running greenlet's */
    thread->trace = Py_XNewRef(module->trace_of_new_threads);
    thread_update_attention(thread);
    enlist(thread);
    count(&records_alive, 1);

    PyObject *capsule = PyCapsule_New(thread, capsule_name, capsule_destroyed);
    if (capsule == NULL) {
        thread_end(thread);
        return NULL;
    }
    int stored = PyDict_SetItem(dict, module->thread_key, capsule);
    Py_DECREF(capsule);
    return stored < 0 ? NULL : thread;
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

static struct thread *
thread_find(PyThreadState *tstate)
{
    struct module_state *module = module_state();
    if (module == NULL) {
        return NULL;
    }
    PyObject *dict = PyThreadState_GetDict();
    if (dict == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    struct thread *thread = thread_look_up(dict, module->thread_key);
    if (thread != NULL || PyErr_Occurred()) {
        return thread;
    }
    return thread_new(tstate, module, dict);
}

struct thread *
thread_current(void)
{
    struct thread *thread = thread_last_used();
    if (thread != NULL) {
        return thread;
    }
    thread = thread_find(tstate_current());
    if (thread != NULL && !thread->is_shared) {
        remember(thread);
    }
    return thread;
}

struct thread *
thread_enter_slowly(void)
{
    struct thread *thread = thread_current();
    if (thread != NULL && thread->doomed != NULL) {
        thread_settle(thread);
    }
    return thread;
}

Py_ssize_t
thread_count_doomed(void)
{
    return atomic_load_explicit(&doomed_waiting, memory_order_relaxed);
}

Py_ssize_t
thread_count(void)
{
    return atomic_load_explicit(&records_alive, memory_order_relaxed);
}
