/* How parked greenlets are killed or released; see kill.h. */

#include "kill.h"

#include <stdatomic.h>

#include "cpython/loops.h"
#include "doomed.h"
#include "owner.h"
#include "switch.h"

/* Callbacks */

/* Is what a greenlet runs a function of Python, or a switch?  Other C code may have
   called Python and wait for it, and there is no telling what it does.  A record that is
   not listed any more may outlive the state of its interpreter, which has the type. */
static bool
runs_python(const struct greenlet *greenlet)
{
    PyObject *run = greenlet->run;
    while (run != NULL && PyMethod_Check(run)) {
        run = PyMethod_GET_FUNCTION(run);
    }
    if (run == NULL || PyFunction_Check(run)) {
        return run != NULL;
    }
    const struct thread *thread = greenlet->thread;
    PyObject *self = PyCFunction_Check(run) ? PyCFunction_GET_SELF(run) : NULL;
    return self != NULL && RELAXED_LOAD(thread->link) != NULL
           && PyObject_TypeCheck(self, thread->module->type);
}

/* How many calls from C that asked for the GIL first are under way in a thread, or were
   when it ended. */
static int
callbacks_of_thread(const struct thread *thread)
{
    return thread_is_own(thread) ? tstate_callbacks(thread->tstate)
                                 : thread->last_callbacks;
}

/* Tcl takes the GIL for its callbacks by a way of tkinter's, which nobody counts.  A switch
   that it calls itself, as a command, leaves no trace: so where Tcl can be at work nothing
   is known.  (PyImport_GetModule would wait for another thread's import.) */
static bool
tcl_may_wait(void)
{
    PyObject *modules = PySys_GetObject("modules");
    if (modules == NULL || !PyDict_Check(modules)) {
        return false;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    bool is_there = PyDict_GetItemString(modules, "_tkinter") != NULL;
    PyErr_Restore(type, value, traceback);
    return is_there;
}

bool
kill_finds_callback(const struct greenlet *greenlet)
{
    const struct thread *thread = greenlet->thread;
    return state_in_callback(&greenlet->interpreter)
           || callbacks_of_thread(thread) > greenlet->callbacks
           || !runs_python(greenlet) || tcl_may_wait();
}

/* Release */

void
kill_release(struct greenlet *greenlet)
{
    assert(greenlet_state(greenlet) == SLICE_ACTIVE
           && !greenlet_is_main(greenlet));
    struct thread *thread = greenlet->thread;
    /* C code may have left addresses of its locals anywhere. */
    bool keeps_stack
        = greenlet->slice.has_own_stack && kill_finds_callback(greenlet);
    if (thread->tstate != NULL) {
        slice_drop(&thread->stack, &greenlet->slice);
        state_abandon(&greenlet->interpreter, &thread->chunks);
        thread_note_end(thread, greenlet);
    }
    else {
        /* The shared stack is gone, and with it the chain of slices. */
        slice_die(&greenlet->slice);
        state_abandon(&greenlet->interpreter, NULL);
    }
    /* Only now: its frames may have been linked by what is on it. */
    if (keeps_stack) {
        slice_retire_stack(&greenlet->slice);
    }
    slice_release(&greenlet->slice);
    state_clear(&greenlet->interpreter);
    greenlet_release_call(greenlet);
}

/* Watches */

/* Is a greenlet being killed that the collector has found, and the code that runs its
   own?  During a collection no switch is possible. */
static bool
dying_runs(const struct thread *thread)
{
    const struct greenlet *dying = thread->watching.dying;
    return dying != NULL && dying == thread_running(thread) && dying->is_killed
           && dying->run != NULL && !thread_collects(thread);
}

/* The running greenlet has swallowed what is watched, which is about to be deallocated,
   and could go on for ever.  What called this never ends; so the exception, whose
   traceback holds the frames, lets go of all here. */
static void
leave_for_good(struct thread *thread)
{
    PyObject *exception = thread->watching.exception;
    (void)Py_TYPE(exception)->tp_clear(exception);
    /* That may have run code, and switched. */
    if (dying_runs(thread)) {
        thread->watching.is_left = true;
        switch_leave_for_good(thread, thread->watching.killer);
        thread->watching.is_left = false;
    }
}

/* The callback of the weak references that are watches. */
static PyObject *
watched_goes(PyObject *unused, PyObject *watch)
{
    (void)unused;
    struct thread *thread = thread_last_used();
    if (thread != NULL && watch == thread->watching.watch && dying_runs(thread)
        && loop_is_around(thread->tstate))
    {
        leave_for_good(thread);
    }
    return Py_NewRef(Py_None);
}

static PyMethodDef watcher = {"leave_greenlet", watched_goes, METH_O, NULL};

/* Killing */

/* A greenlet that nobody knows but the caller comes on the list of the refused, which gets a
   new reference, unless it is on a list; false if it does not.  (Should another thread get
   at it meanwhile, it is as if that had happened afterwards.)  Runs no Python code. */
static bool
refuse(struct thread *thread, struct greenlet *greenlet)
{
    lock_take(&thread->doom_lock);
    bool is_news = Py_REFCNT(greenlet->object) == 1 && !greenlet->is_doomed;
    if (is_news) {
        Py_INCREF(greenlet->object);
        doomed_push(&thread->refused, greenlet);
    }
    lock_leave(&thread->doom_lock);
    return is_news;
}

/* A greenlet has caught its GreenletExit and parked again.  Runs Python code only to
   complain. */
static void
note_refusal(struct thread *thread, struct greenlet *greenlet)
{
    if (!refuse(thread, greenlet)) {
        return;
    }
    PyObject *object = (PyObject *)greenlet->object;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PySys_FormatStderr("GreenletExit did not kill %R\n", object);
    PyErr_Restore(type, value, traceback);
}

/* Throw into it what is set, and note how it ends. */
static void
throw_watched(struct thread *thread, struct greenlet *greenlet)
{
    struct watching outside = thread->watching;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *watch = PyWeakref_NewRef(value, thread->module->watcher);
    thread->watching = (struct watching){.watch = watch,
                                         .exception = value,
                                         .dying = greenlet,
                                         .killer = thread_running(thread)};
    /* Without memory for a watch: MemoryError is another way to end it. */
    if (watch != NULL) {
        PyErr_Restore(type, value, traceback);
    }
    else {
        Py_DECREF(type);
        Py_DECREF(value);
        Py_XDECREF(traceback);
    }
    switch_kill(greenlet);
    bool is_left = thread->watching.is_left;
    thread->watching = outside;
    Py_XDECREF(watch);
    if (is_left && greenlet_is_alive(greenlet)) {
        kill_release(greenlet);
    }
}

static void
kill_one(struct greenlet *greenlet, bool is_found)
{
    struct thread *thread = greenlet->thread;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *exit = PyObject_CallOneArg(thread->module->greenlet_exit,
                                         thread->module->vanished_reason);
    bool is_made = exit != NULL;
    if (is_made) {
        PyErr_Restore(Py_NewRef(Py_TYPE(exit)), exit, NULL);
    }
    /* Making the exception may have run code, which may have ended the greenlet. */
    if (!greenlet_is_alive(greenlet)) {
        PyErr_Clear();
    }
    else if (is_made && is_found) {
        throw_watched(thread, greenlet);
    }
    else {
        switch_kill(greenlet);
    }
    PyErr_Restore(type, value, traceback);
    if (greenlet_is_alive(greenlet)) {
        note_refusal(thread, greenlet);
    }
}

void
kill_dropped(struct greenlet *greenlet)
{
    assert(greenlet_is_alive(greenlet) && !greenlet_is_main(greenlet));
    kill_one(greenlet, false);
}

/* End a doomed greenlet, and consume the reference to it. */
static void
settle_one(struct greenlet *greenlet, bool is_found)
{
    bool in_callback = is_found && greenlet_is_parked(greenlet)
                       && kill_finds_callback(greenlet);
    bool is_parked = greenlet_is_parked(greenlet);
    if (is_parked && in_callback) {
        kill_release(greenlet);
    }
    else if (is_parked) {
        kill_one(greenlet, is_found);
        if (greenlet_is_alive(greenlet)) {
            object_rearm_finalizer((PyObject *)greenlet->object);
        }
    }
    Py_DECREF(greenlet->object);
}

void
kill_settle(struct thread *thread, bool ending)
{
    struct greenlet *greenlet;
    while (!thread_collects(thread) && (greenlet = doomed_next(thread)) != NULL)
    {
        settle_one(greenlet, greenlet->is_found || ending);
    }
}

/* The main thread settles without using greenlets: by a pending call.  During a
   collection that would come too early, since finalizers run Python code; so it is asked
   for when the collector tells its callbacks that it has done.  Other threads get no
   such calls.

   A greenlet that the call kills may switch to another greenlet than the one that the call
   has interrupted, and then the call may never return.  Until it does Python makes no
   other pending call; from 3.13 on it waits for them at its end, for ever.  So there is one
   call of ours at a time, and until it returns the main thread settles as other threads do.
   The calls of other extensions are made meanwhile, from 3.13 on. */

static int settle_when_called(void *unused);

static void
ask_to_be_called(struct module_state *module)
{
    if (!atomic_exchange(&module->is_called, 1)
        && Py_AddPendingCall(settle_when_called, NULL) < 0)
    {
        atomic_store(&module->is_called, 0);
    }
}

/* For gc.callbacks. */
static PyObject *
collector_says(PyObject *unused, PyObject *args)
{
    (void)unused;
    const char *phase;
    PyObject *info;
    if (!PyArg_ParseTuple(args, "sO", &phase, &info)) {
        return NULL;
    }
    if (strcmp(phase, "stop") == 0) {
        struct module_state *module = module_state();
        if (module != NULL) {
            ask_to_be_called(module);
        }
        PyErr_Clear();
    }
    return Py_NewRef(Py_None);
}

static PyMethodDef collector_listener
    = {"settle_greenlets", collector_says, METH_VARARGS, NULL};

/* Is it among the callbacks?  Compares without running code. */
static bool
is_listening(const struct module_state *module)
{
    PyObject *callbacks = module->collector_callbacks;
    bool is_there = false;
    for (Py_ssize_t i = PyList_GET_SIZE(callbacks) - 1; i >= 0 && !is_there;
         i--)
    {
        PyObject *callback = PySequence_GetItem(callbacks, i);
        is_there = callback == module->collector_listener;
        Py_XDECREF(callback);
    }
    PyErr_Clear();
    return is_there;
}

static void
listen_to_collector(const struct module_state *module)
{
    if (!is_listening(module)
        && PyList_Append(module->collector_callbacks,
                         module->collector_listener)
               < 0)
    {
        PyErr_Clear();
    }
}

/* Only while no collection is under way: the collector walks the list by places.  May run
   Python code, which compares other callbacks with ours. */
static void
ignore_collector(const struct module_state *module)
{
    if (is_listening(module)) {
        Py_XDECREF(PyObject_CallMethod(module->collector_callbacks, "remove",
                                       "O", module->collector_listener));
        PyErr_Clear();
    }
}

static void
settle_in_call(struct thread *thread)
{
    if (!thread_collects(thread)) {
        ignore_collector(thread->module);
        bool has_yielded = tstate_yield_calls(thread->tstate);
        kill_settle(thread, false);
        if (has_yielded) {
            tstate_reclaim_calls(thread->tstate);
        }
    }
    /* A greenlet that has been killed may have been the way into a collection. */
    if (SHARED_LOAD(thread->doomed) != NULL) {
        listen_to_collector(thread->module);
    }
}

static int
settle_when_called(void *unused)
{
    (void)unused;
    struct thread *thread = thread_last_used();
    if (thread != NULL) {
        settle_in_call(thread);
    }
    struct module_state *module = module_state();
    if (module == NULL) {
        PyErr_Clear();
        return 0;
    }
    atomic_store(&module->is_called, 0);
    return 0;
}

void
kill_doom(struct greenlet *greenlet, bool is_found)
{
    struct thread *to_call = owner_doom(greenlet, is_found);
    if (to_call == NULL) {
        return;
    }
    if (thread_collects(to_call)) {
        listen_to_collector(to_call->module);
    }
    else {
        ask_to_be_called(to_call->module);
    }
}

/* Of a program that has put something else in their place: a list that nobody reads. */
static PyObject *
find_collector_callbacks(void)
{
    PyObject *collector = PyImport_ImportModule("gc");
    PyObject *callbacks = NULL;
    if (collector != NULL) {
        callbacks = PyObject_GetAttrString(collector, "callbacks");
        Py_DECREF(collector);
    }
    if (callbacks == NULL || !PyList_CheckExact(callbacks)) {
        Py_XDECREF(callbacks);
        PyErr_Clear();
        callbacks = PyList_New(0);
    }
    return callbacks;
}

int
kill_init(struct module_state *module)
{
    module->collector_callbacks = find_collector_callbacks();
    if (module->collector_callbacks == NULL) {
        return -1;
    }
    module->collector_listener = PyCFunction_New(&collector_listener, NULL);
    module->watcher = PyCFunction_New(&watcher, NULL);
    return module->collector_listener == NULL || module->watcher == NULL ? -1
                                                                         : 0;
}
