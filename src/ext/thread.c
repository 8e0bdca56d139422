/* Thread records: finding, making and ending them; the doomed. */

#include "thread.h"

#include "module.h"
#include "switch.h"

#ifdef __GLIBC__
#  include <malloc.h>
#endif

/* A burst is at least so many greenlets: the heap is searched after each. */
#define BURST 4096

static const char capsule_name[] = "greenlet.thread";

_Thread_local struct thread *thread_cached;

/* Guarded by the GIL; for tests only. */
static Py_ssize_t records_alive;
static Py_ssize_t doomed_waiting;

void
thread_retain(struct thread *thread)
{
    thread->references++;
}

void
thread_release(struct thread *thread)
{
    thread->references--;
    if (thread->references == 0) {
        PyMem_RawFree(thread);
    }
}

void
thread_note_start(struct thread *thread)
{
    thread->alive++;
    if (thread->alive > thread->alive_peak) {
        thread->alive_peak = thread->alive;
    }
}

void
thread_note_end(struct thread *thread)
{
    thread->alive--;
    if (thread->alive >= thread->alive_peak / 2
        || thread->alive_peak - thread->alive < BURST)
    {
        return;
    }
    thread->alive_peak = thread->alive;
#ifdef __GLIBC__
    /* It keeps free memory that lies below a block in use.  Other allocators
       need not be asked. */
    (void)malloc_trim(0);
#endif
}

void
thread_update_attention(struct thread *thread)
{
    thread->attention = thread->trace != NULL || thread->doomed != NULL;
}

/* The list takes over a reference. */
static void
list_push(struct greenlet **list, struct greenlet *greenlet)
{
    greenlet->is_doomed = true;
    greenlet->doomed_next = *list;
    *list = greenlet;
    doomed_waiting++;
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
        doomed_waiting--;
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
kill_doomed(struct thread *thread, struct greenlet *greenlet)
{
    if (greenlet_is_alive(greenlet)) {
        switch_kill(greenlet);
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
        kill_doomed(thread, greenlet);
    }
}

/* The last moment at which the thread can run code. */
static void
kill_everything(struct thread *thread)
{
    thread_settle(thread);
    struct greenlet *refused = thread->refused;
    thread->refused = NULL;
    struct greenlet *greenlet;
    while ((greenlet = list_pop(&refused)) != NULL) {
        kill_doomed(thread, greenlet);
    }
    thread_settle(thread);
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

/* The thread has come to its end, or another thread clears up after it. */
static void
thread_end(struct thread *thread)
{
    bool in_main = thread_running(thread) == thread->main;
    if (thread->tstate == tstate_current() && in_main) {
        thread_cached = thread;
        release_users(thread);
        if (!interpreter_finalizing()) {
            kill_everything(thread);
        }
    }
    if (thread_cached == thread) {
        thread_cached = NULL;
    }
    records_alive--;
    struct greenlet *main = thread->main;
    PyObject *trace = thread->trace;
    if (!in_main) {
        state_forget_running(&main->interpreter, thread->tstate);
    }
    thread->tstate = NULL;
    thread->main = NULL;
    thread->trace = NULL;
    list_release(&thread->doomed);
    list_release(&thread->refused);
    Py_XDECREF(trace);
    chunk_pool_clear(&thread->chunks);
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
    PyGreenlet *main = greenlet_new_main(thread);
    if (main == NULL) {
        thread_release(thread);
        return NULL;
    }
    thread->main = greenlet_of(main);
    stack_init(&thread->stack, &thread->main->slice, switch_entry, switch_land);
    Py_INCREF(main); /* the running greenlet's */
    records_alive++;

    PyObject *capsule = PyCapsule_New(thread, capsule_name, capsule_destroyed);
    if (capsule == NULL) {
        thread_end(thread);
        return NULL;
    }
    int stored = PyDict_SetItem(dict, module->thread_key, capsule);
    Py_DECREF(capsule);
    return stored < 0 ? NULL : thread;
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
    PyObject *capsule = PyDict_GetItemWithError(dict, module->thread_key);
    if (capsule != NULL) {
        return PyCapsule_GetPointer(capsule, capsule_name);
    }
    if (PyErr_Occurred()) {
        return NULL;
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
    if (thread != NULL) {
        thread_cached = thread;
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
    return doomed_waiting;
}

Py_ssize_t
thread_count(void)
{
    return records_alive;
}
