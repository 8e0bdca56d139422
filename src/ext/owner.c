/* Looks into other threads, and requests to them; see owner.h. */

#include "owner.h"

#include <stdatomic.h>

#include "doomed.h"
#include "trace.h"
#include "tree.h"

/* The record of a living thread that a greenlet belongs to; NULL if there is none.  For a
   look. */
static struct thread *
living_thread(struct greenlet *greenlet)
{
    struct thread *thread = tree_find_thread(greenlet);
    return thread != NULL && thread_living_state(thread) != NULL ? thread
                                                                 : NULL;
}

/* A new reference to the main greenlet of the living thread that a greenlet belongs to;
   NULL if there is none. */
static PyObject *
main_of_owner(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    const struct thread *thread = living_thread(greenlet);
    PyObject *main = thread != NULL ? Py_NewRef(thread->main->object) : NULL;
    look_end(stopped);
    return main;
}

void
owner_refuse(const struct thread *current, struct greenlet *wanted)
{
    PyObject *main = wanted != NULL ? main_of_owner(wanted) : NULL;
    if (main == NULL) {
        PyErr_SetString(current->module->error,
                        "cannot switch to a different thread (which happens "
                        "to have exited)");
        return;
    }
    PyErr_Format(current->module->error,
                 "Cannot switch to a different thread\n\tCurrent:  %R\n\t"
                 "Expected: %R",
                 current->main->object, main);
    Py_DECREF(main);
}

PyObject *
owner_parent(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    PyObject *parent = Py_XNewRef((PyObject *)greenlet->parent);
    look_end(stopped);
    return parent;
}

PyObject *
owner_run(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    PyObject *run = Py_XNewRef(greenlet->run);
    look_end(stopped);
    return run;
}

PyObject *
owner_parked_frame(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    PyObject *frame = state_frame(&greenlet->interpreter, tstate_current());
    look_end(stopped);
    return frame;
}

static const char *
name_of_state(const struct greenlet *greenlet)
{
    if (greenlet_is_dead(greenlet)) {
        return "dead";
    }
    if (!greenlet_is_alive(greenlet)) {
        return "unstarted";
    }
    return greenlet_is_running(greenlet) ? "running" : "parked";
}

/* The innermost frame of a parked or a running greenlet, a new reference; NULL, perhaps with
   an exception, if it has none.  For a look. */
static PyObject *
innermost_frame(struct greenlet *greenlet)
{
    PyThreadState *running = greenlet_is_running(greenlet)
                                 ? thread_living_state(greenlet->thread)
                                 : NULL;
    return running != NULL
               ? (PyObject *)PyThreadState_GetFrame(running)
               : state_frame(&greenlet->interpreter, tstate_current());
}

/* What the system calls the thread of a record, which lives, or 0 for NULL. */
static unsigned long
ident_of(const struct thread *thread)
{
    return thread != NULL ? tstate_thread_ident(thread->tstate) : 0;
}

int
owner_describe(struct greenlet *greenlet, struct description *description)
{
    int collects = collector_pause();
    bool stopped = look_begin(greenlet);
    description->state = name_of_state(greenlet);
    description->ident = ident_of(living_thread(greenlet));
    description->frame = innermost_frame(greenlet);
    bool failed = description->frame == NULL && PyErr_Occurred();
    description->run = failed ? NULL : Py_XNewRef(greenlet->run);
    look_end(stopped);
    collector_go_on(collects);
    return failed ? -1 : 0;
}

unsigned long
owner_ident(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    unsigned long ident = ident_of(living_thread(greenlet));
    look_end(stopped);
    return ident;
}

uint64_t
owner_serial(struct greenlet *greenlet)
{
    static _Atomic(uint64_t) last;
    bool stopped = look_begin(greenlet);
    if (greenlet->serial == 0) {
        greenlet->serial
            = atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
    }
    uint64_t serial = greenlet->serial;
    look_end(stopped);
    return serial;
}

const char *
owner_stack(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    const char *stack = NULL;
    if (greenlet_is_alive(greenlet)) {
        stack = !greenlet->slice.has_own_stack       ? "shared"
                : slice_is_vacated(&greenlet->slice) ? "vacated"
                                                     : "own";
    }
    look_end(stopped);
    return stack;
}

size_t
owner_stack_kept(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    size_t kept
        = greenlet_is_parked(greenlet) ? slice_kept(&greenlet->slice) : 0;
    look_end(stopped);
    return kept;
}

/* Where the context is; NULL if another thread is using it.  For a look. */
static PyObject **
context_place(struct greenlet *greenlet)
{
    bool is_lost_main
        = greenlet_is_main(greenlet) && owner_tstate(greenlet) == NULL;
    bool is_running = greenlet_is_running(greenlet);
    bool is_elsewhere = is_running && !thread_is_own(greenlet->thread);
    return is_lost_main || is_elsewhere
               ? NULL
               : state_context(&greenlet->interpreter,
                               is_running ? tstate_current() : NULL);
}

PyObject *
owner_context(struct greenlet *greenlet)
{
    bool stopped = look_begin(greenlet);
    PyObject **place = context_place(greenlet);
    PyObject *context = NULL;
    if (place != NULL) {
        context = Py_NewRef(*place != NULL ? *place : Py_None);
    }
    look_end(stopped);
    return context;
}

int
owner_set_context(struct greenlet *greenlet, PyObject *context)
{
    bool stopped = look_begin(greenlet);
    PyObject **place = context_place(greenlet);
    PyObject *previous = NULL;
    if (place != NULL) {
        previous = *place;
        *place = Py_XNewRef(context);
        tstate_context_changed(tstate_current());
    }
    look_end(stopped);
    Py_XDECREF(previous);
    return place != NULL ? 0 : -1;
}

/* May a new reference to the greenlet be made?  A greenlet that is being deallocated can
   still be noted as started. */
static bool
can_be_referred_to(const struct greenlet *greenlet)
{
    return greenlet_state(greenlet) == SLICE_ACTIVE
           && Py_REFCNT(greenlet->object) > 0;
}

/* Put new references to them into a list that has room, or NULL, and count them.  With the
   world stopped. */
static Py_ssize_t
collect(const struct module_state *module, PyObject *list)
{
    Py_ssize_t count = 0;
    const struct thread *thread = module->threads;
    for (; thread != NULL; thread = thread->next) {
        for (uint32_t i = 0; i <= thread->started_count; i++) {
            struct greenlet *greenlet
                = i == 0 ? thread->main : thread->started[i - 1];
            if (!can_be_referred_to(greenlet)) {
                continue;
            }
            if (list != NULL) {
                PyList_SET_ITEM(list, count, Py_NewRef(greenlet->object));
            }
            count++;
        }
    }
    return count;
}

Py_ssize_t
owner_collect(const struct module_state *module, PyObject *list)
{
    world_stop();
    Py_ssize_t count = collect(module, NULL);
    if (list != NULL && PyList_GET_SIZE(list) == count) {
        (void)collect(module, list);
    }
    world_start();
    return count;
}

/* Put a greenlet on the list of the doomed of its owner, unless it is there or the owner has
   ended: is it there now for the first time? */
static bool
doom(struct greenlet *greenlet, bool is_found)
{
    struct thread *thread = greenlet->thread;
    lock_take(&thread->doom_lock);
    bool is_news = thread->tstate != NULL && !greenlet->is_doomed;
    if (is_news) {
        greenlet->is_found = is_found;
        Py_INCREF(greenlet->object);
        doomed_push(&thread->doomed, greenlet);
        SHARED_STORE(
            thread->attention,
            (uint8_t)(RELAXED_LOAD(thread->attention) | ATTENTION_BEFORE));
    }
    lock_leave(&thread->doom_lock);
    return is_news;
}

/* The world need not be stopped for each of thousands that a collection has found: all others
   of the same thread come on the list with the first, but for those with a finalizer of their
   own. */
static void
doom_others_found(const struct thread *thread)
{
    for (uint32_t i = 0; i < thread->started_count; i++) {
        struct greenlet *greenlet = thread->started[i];
        if (object_is_found((PyObject *)greenlet->object)
            && !greenlet->is_opaque && greenlet_is_parked(greenlet))
        {
            greenlet_count_run(greenlet);
            state_hold_found(&greenlet->interpreter, NULL);
            (void)doom(greenlet, true);
        }
    }
}

/* Is it on a list already, put there with another one? */
static bool
is_doomed(const struct greenlet *greenlet)
{
    lock_take(&greenlet->thread->doom_lock);
    bool is_listed = greenlet->is_doomed;
    lock_leave(&greenlet->thread->doom_lock);
    return is_listed;
}

/* The same for a greenlet that the collector has found.  What its frames refer to is held:
   from now on the collector does not look for that.  Weak references may still lead to it; if
   its owner has woken it by one, it is not lost, and goes on with what is held. */
static bool
doom_found(struct greenlet *greenlet)
{
    if (is_doomed(greenlet)) {
        return false;
    }
    bool stopped = look_begin(greenlet);
    bool is_news = false;
    if (greenlet_is_parked(greenlet)) {
        state_hold_found(&greenlet->interpreter, NULL);
        is_news = doom(greenlet, true);
    }
    else if (greenlet_is_running(greenlet)) {
        state_hold_found(&greenlet->interpreter,
                         thread_living_state(greenlet->thread));
    }
    if (stopped && is_news) {
        doom_others_found(greenlet->thread);
    }
    look_end(stopped);
    return is_news;
}

struct thread *
owner_doom(struct greenlet *greenlet, bool is_found)
{
    assert(!greenlet_is_main(greenlet));
    struct thread *thread = greenlet->thread;
    bool is_news = is_found ? doom_found(greenlet) : doom(greenlet, false);
    return is_news && thread->gets_calls ? thread : NULL;
}

/* Exchange the trace function of a thread, a record's or NULL, if it is the one expected.
   For a look. */
static PyObject *
exchange_trace(struct thread *thread, PyObject *callback, PyObject *expected)
{
    PyObject *present
        = thread != NULL && thread->trace != NULL ? thread->trace : Py_None;
    if (thread == NULL || (expected != NULL && expected != present)) {
        return Py_NewRef(present);
    }
    PyObject *previous = trace_exchange(&thread->trace, callback);
    thread_update_attention(thread);
    return previous;
}

PyObject *
owner_exchange_trace(struct greenlet *greenlet, PyObject *callback,
                     PyObject *expected)
{
    bool stopped = look_begin(greenlet);
    PyObject *previous
        = exchange_trace(living_thread(greenlet), callback, expected);
    look_end(stopped);
    return previous;
}

PyObject *
owner_exchange_trace_of_new_threads(struct module_state *module,
                                    PyObject *callback)
{
    world_stop();
    PyObject *previous
        = trace_exchange(&module->trace_of_new_threads, callback);
    world_start();
    return previous;
}
