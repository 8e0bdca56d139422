/* The switching protocol.

   A switch has three parts.  *Prepare* may fail and may run Python code.
   *Commit* does neither: from here on a switch happens.  *Land* is the first
   thing on the stack of the target, which takes what is handed over from the
   thread record, reports to the trace function and lets go of the origin.

        origin                        target
        prepare, commit
              \----- stack_switch ----->
                                      land (or switch_entry, if it is new)

   The thread record holds one reference to the running greenlet; it becomes
   that of `origin` for the time between commit and land.

   What hands over a value, and what starts a greenlet, are different: a
   parked greenlet gets one object, `thread->value`; a new one gets the
   arguments of its run in its own fields, and `thread->value` is then the run
   attribute that it no longer needs. */

#include "switch.h"

#include "core/compiler.h"
#include "module.h"
#include "policy.h"
#include "thread.h"
#include "trace.h"

PyObject *
message_positional(const struct message *message)
{
    return message->has_keywords ? PyTuple_GET_ITEM(message->args, 0)
                                 : message->args;
}

PyObject *
message_keywords(const struct message *message)
{
    return message->has_keywords ? PyTuple_GET_ITEM(message->args, 1) : NULL;
}

/* What a parked greenlet sees of a message: a new reference; NULL if it is
   about an exception. */
static HOT PyObject *
message_unpack(const struct message *message)
{
    if (message->args == NULL) {
        return NULL;
    }
    PyObject *positional = message_positional(message);
    PyObject *unpacked = message->args;
    if (!message->has_keywords && PyTuple_GET_SIZE(positional) == 1) {
        unpacked = PyTuple_GET_ITEM(positional, 0);
    }
    if (message->has_keywords && PyTuple_GET_SIZE(positional) == 0) {
        unpacked = message_keywords(message);
    }
    return Py_NewRef(unpacked);
}

/* The far side of a switch from `origin`, which is the running greenlet itself
   after a switch to oneself.  Consumes and returns `value`; NULL stands for the
   exception that is set.  May run Python code and switch. */
static OUT_OF_LINE PyObject *
land_traced(struct thread *thread, struct greenlet *origin, PyObject *value)
{
    bool thrown = value == NULL;
    if (trace_switch(thread, origin, thread_running(thread), thrown) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

/* Make `target` ready to be started: from here on until the switch nothing
   runs.  Consumes `run` and the message if it succeeds; `*attribute` is then
   the run attribute, to be released on the other side.  -1 with MemoryError.
   Runs no Python code. */
static HOT int
start_prepare(struct thread *thread, struct greenlet *target, PyObject *run,
              struct message *message, PyObject **attribute)
{
    if (thread_reserve_start(thread) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    size_t frames_size = policy_start(thread, target, run);
    if (state_prepare(&target->interpreter, &thread->chunks, frames_size) < 0) {
        slice_release(&target->slice);
        PyErr_NoMemory();
        return -1;
    }
    *attribute = target->run;
    target->run = run;
    target->args = message->args;
    target->has_keywords = message->has_keywords;
    target->is_exit = message->is_exit;
    thread_retain(thread);
    target->thread = thread;
    target->doomed_next = NULL;
    thread_note_start(thread, target);
    return 0;
}

static OUT_OF_LINE void
start_undo(struct thread *thread, struct greenlet *target, PyObject *attribute)
{
    PyObject *run = target->run;
    PyObject *args = target->args;
    state_cancel(&target->interpreter, &thread->chunks);
    slice_release(&target->slice);
    target->run = attribute;
    target->args = NULL;
    target->thread = NULL;
    thread_note_end(thread, target);
    thread_release(thread);
    Py_DECREF(run);
    Py_XDECREF(args);
}

/* There was no memory for the switch: take back what was prepared for it.  NULL
   with MemoryError.  A dying greenlet looks for another way out by itself, see
   leave. */
static OUT_OF_LINE PyObject *
land_nowhere(struct thread *thread)
{
    struct greenlet *origin = thread->origin;
    struct greenlet *target = greenlet_of_slice(thread->stack.unreached);
    if (origin->slice.state == SLICE_DEAD) {
        return NULL;
    }
    state_resume(&origin->interpreter, thread->tstate);
    if (target->slice.state == SLICE_UNSTARTED) {
        start_undo(thread, target, thread->value);
    }
    else {
        Py_XDECREF(thread->value);
    }
    Py_DECREF(target->object);
    return PyErr_NoMemory();
}

/* There is a trace function or the like, or the origin ends here. */
static OUT_OF_LINE PyObject *
land_slowly(struct thread *thread, struct greenlet *origin, PyObject *value)
{
    if (thread->attention) {
        value = land_traced(thread, origin, value);
    }
    Py_DECREF(origin->object);
    return value;
}

HOT void *
switch_land(struct stack *stack, struct slice *arrived)
{
    struct thread *thread = (struct thread *)stack;
    if (!LIKELY(arrived != NULL)) {
        return land_nowhere(thread);
    }
    struct greenlet *self = greenlet_of_slice(arrived);
    struct greenlet *origin = thread->origin;
    homes_enter(&thread->homes, thread->tstate, policy_home(self));
    state_resume(&self->interpreter, thread->tstate);
    state_settle(thread->lent);
    PyObject *value = thread->value;
    if (!LIKELY(!thread->attention && Py_REFCNT(origin->object) > 1)) {
        return land_slowly(thread, origin, value);
    }
    Py_DECREF(origin->object);
    return value;
}

/* The commit: from here on the switch happens. */
static inline PyObject *
commit(struct thread *thread, struct greenlet *target, PyObject *value)
{
    struct greenlet *origin = thread_running(thread);
    state_suspend(&origin->interpreter, thread->tstate);
    thread->lent = NULL;
#ifdef STATE_HAS_SEAL
    if (thread->seals_early && !origin->slice.has_own_stack) {
        thread->lent = state_seal(&origin->interpreter, thread->tstate);
    }
#endif
    thread->value = value;
    thread->origin = origin;
    return stack_switch(&thread->stack, &target->slice);
}

/* The running greenlet parks with more frames than it had room for.  (Main
   greenlets have no run, and room enough.) */
static OUT_OF_LINE PyObject *
resume_outgrown(struct thread *thread, struct greenlet *target, PyObject *value)
{
    policy_note_frames(thread, thread_running(thread));
    return commit(thread, target, value);
}

/* Park the running greenlet and go on with `target`, which is parked, or
   prepared to be started.  Consumes `value` and a reference to the target: what
   parks here shall not hold it.  For one that is parked NULL stands for the
   exception that is set.  Not inlined, so that nothing of its callers lies
   between the interpreter and the switch if they end with it. */
static HOT NOT_INLINED PyObject *
resume(struct thread *thread, struct greenlet *target, PyObject *value)
{
    const struct greenlet *origin = thread_running(thread);
    slice_prefetch(&thread->stack, &target->slice);
    if (!LIKELY(!state_outgrown(&origin->interpreter, thread->tstate))) {
        return resume_outgrown(thread, target, value);
    }
    return commit(thread, target, value);
}

/* Park the running greenlet and start `target`.  Consumes a reference to it,
   `run` and the message. */
static HOT PyObject *
start(struct thread *thread, struct greenlet *target, PyObject *run,
      struct message *message)
{
    PyObject *attribute;
    if (start_prepare(thread, target, run, message, &attribute) < 0) {
        Py_DECREF(run);
        Py_XDECREF(message->args);
        Py_DECREF(target->object);
        return NULL;
    }
    return resume(thread, target, attribute);
}

/* greenlet.error about a greenlet that the calling thread cannot run. */
static void
set_thread_error(const struct thread *current, const struct thread *wanted)
{
    if (wanted == NULL || wanted->tstate == NULL) {
        PyErr_SetString(current->module->error,
                        "cannot switch to a different thread (which happens "
                        "to have exited)");
        return;
    }
    PyErr_Format(current->module->error,
                 "Cannot switch to a different thread\n\tCurrent:  %R\n\t"
                 "Expected: %R",
                 current->main->object, wanted->main->object);
}

/* What an unstarted greenlet is to run, as its attribute says: a new reference; NULL with
   an exception.  May run Python code, but not for one of no subclass: there nobody can
   have put anything in the way. */
static inline PyObject *
find_run(const struct thread *thread, const struct greenlet *greenlet)
{
    PyObject *object = (PyObject *)greenlet->object;
    return Py_IS_TYPE(object, thread->module->type) && greenlet->run != NULL
               ? Py_NewRef(greenlet->run)
               : PyObject_GetAttr(object, thread->module->name_run);
}

/* Who runs when `wanted` is switched to: it, or if it has ended the nearest
   parent that has not.  A new reference; NULL with an exception.  For one that
   has not started, `*run` is a new reference to what it is to run.  An
   exception that is set stays set.  May run Python code and switch; after it
   nothing may that could change what was found, an allocation included. */
static HOT struct greenlet *
resolve(struct thread *thread, PyGreenlet *wanted, PyObject **run)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    *run = NULL;
    for (;;) {
        struct greenlet *target = greenlet_of(wanted);
        struct thread *owner = greenlet_thread(target);
        while (target->slice.state == SLICE_DEAD && owner == thread
               && target->parent != NULL)
        {
            target = greenlet_of(target->parent);
            owner = greenlet_thread(target);
        }
        if (owner != thread || target->slice.state == SLICE_DEAD) {
            set_thread_error(thread, owner != thread ? owner : NULL);
            break;
        }
        Py_INCREF(target->object);
        bool started = target->slice.state == SLICE_ACTIVE;
        if (!started) {
            *run = find_run(thread, target);
            if (*run == NULL || object_prepare_calls(&target->object->dict) < 0)
            {
                Py_CLEAR(*run);
                Py_DECREF(target->object);
                break;
            }
        }
        /* That code may have started it, or moved it elsewhere. */
        if (started
            || (target->slice.state == SLICE_UNSTARTED
                && greenlet_thread(target) == thread))
        {
            PyErr_Restore(type, value, traceback);
            return target;
        }
        Py_CLEAR(*run);
        Py_DECREF(target->object);
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return NULL;
}

HOT PyObject *
switch_message(PyGreenlet *wanted, struct message message)
{
    struct thread *thread = thread_enter();
    struct greenlet *target = NULL;
    PyObject *run = NULL;
    if (thread != NULL) {
        target = resolve(thread, wanted, &run);
    }
    if (target == NULL) {
        Py_XDECREF(message.args);
        return NULL;
    }
    if (run != NULL) {
        return start(thread, target, run, &message);
    }
    /* All that the message held is held by the value now. */
    PyObject *value = message_unpack(&message);
    Py_XDECREF(message.args);
    if (target != thread_running(thread)) {
        return resume(thread, target, value);
    }
    value = land_traced(thread, target, value);
    Py_DECREF(target->object);
    return value;
}

int
message_add_keywords(struct message *message, PyObject *kwargs)
{
    if (PyDict_GET_SIZE(kwargs) > 0) {
        PyObject *pair = PyTuple_Pack(2, message->args, kwargs);
        if (pair == NULL) {
            return -1;
        }
        Py_SETREF(message->args, pair);
        message->has_keywords = true;
    }
    return 0;
}

/* A dict of `names` and as many values, or NULL with an exception. */
static PyObject *
collect_keywords(PyObject *names, PyObject *const *values)
{
    PyObject *kwargs = PyDict_New();
    for (Py_ssize_t i = 0; kwargs != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(kwargs, PyTuple_GET_ITEM(names, i), values[i]) < 0) {
            Py_CLEAR(kwargs);
        }
    }
    return kwargs;
}

HOT int
message_collect(struct message *message, PyObject *const *args,
                Py_ssize_t count, PyObject *keywords)
{
    *message = (struct message){.args = PyTuple_New(count)};
    if (message->args == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(message->args, i, Py_NewRef(args[i]));
    }
    if (keywords == NULL) {
        return 0;
    }
    PyObject *kwargs = collect_keywords(keywords, args + count);
    int result = kwargs == NULL ? -1 : message_add_keywords(message, kwargs);
    Py_XDECREF(kwargs);
    if (result < 0) {
        Py_CLEAR(message->args);
    }
    return result;
}

/* switch() with everything that the fast path below does not know. */
static HOT NOT_INLINED PyObject *
switch_slow(PyGreenlet *self, PyObject *const *args, Py_ssize_t count,
            PyObject *keywords)
{
    struct message message;
    if (message_collect(&message, args, count, keywords) < 0) {
        return NULL;
    }
    return switch_message(self, message);
}

/* Takes the address of `value`, and so could not end with a jump. */
static OUT_OF_LINE PyObject *
switch_value_slow(PyGreenlet *self, PyObject *value)
{
    return switch_slow(self, &value, 1, NULL);
}

/* The fast path: hand `value` to a parked greenlet, which may turn out to be
   another thread's.  A function of its own, since it has less to keep while it
   asks for the thread state than its caller. */
static HOT NOT_INLINED PyObject *
switch_value(struct greenlet *target, PyObject *value)
{
    struct thread *thread = target->thread;
    if (!LIKELY(thread->tstate == tstate_current())) {
        return switch_value_slow(target->object, value);
    }
    Py_INCREF(target->object);
    return resume(thread, target, Py_NewRef(value));
}

HOT PyObject *
switch_method(PyObject *self, PyObject *const *args, Py_ssize_t count,
              PyObject *keywords)
{
    struct greenlet *target = greenlet_of((PyGreenlet *)self);
    if (LIKELY(target->slice.state == SLICE_ACTIVE && count <= 1
               && keywords == NULL))
    {
        const struct thread *thread = target->thread;
        if (LIKELY(!thread->attention && target != thread_running(thread))) {
            PyObject *none = thread->module->no_arguments;
            return switch_value(target, count == 1 ? args[0] : none);
        }
    }
    return switch_slow((PyGreenlet *)self, args, count, keywords);
}

/* Turn the arguments of throw() into the exception that is set; -1 if they are
   none, with a TypeError set instead.  May run Python code. */
static int
set_thrown(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (traceback == Py_None) {
        traceback = NULL;
    }
    else if (traceback != NULL && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError,
                        "throw() third argument must be a traceback object");
        return -1;
    }
    if (PyExceptionClass_Check(type)) {
        Py_INCREF(type);
        Py_XINCREF(value);
        Py_XINCREF(traceback);
        PyErr_NormalizeException(&type, &value, &traceback);
    }
    else if (PyExceptionInstance_Check(type)) {
        if (value != NULL && value != Py_None) {
            PyErr_SetString(PyExc_TypeError,
                            "instance exception may not have a separate "
                            "value");
            return -1;
        }
        value = Py_NewRef(type);
        type = Py_NewRef(PyExceptionInstance_Class(type));
        Py_XINCREF(traceback);
    }
    else {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes, or instances, not %s",
                     Py_TYPE(type)->tp_name);
        return -1;
    }
    PyErr_Restore(type, value, traceback);
    return 0;
}

/* GreenletExit ends a greenlet without being an error: the exception that is
   set becomes a value, a new reference.  NULL if it is another one. */
static PyObject *
take_exit(const struct thread *thread)
{
    if (!PyErr_ExceptionMatches(thread->module->greenlet_exit)) {
        return NULL;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
}

PyObject *
throw_exception(PyGreenlet *target, PyObject *type, PyObject *value,
                PyObject *traceback)
{
    struct thread *thread = thread_current();
    if (thread == NULL || set_thrown(type, value, traceback) < 0) {
        return NULL;
    }
    struct message message = {.args = NULL};
    if (greenlet_of(target)->slice.state == SLICE_DEAD) {
        PyObject *exit = take_exit(thread);
        if (exit != NULL) {
            message.is_exit = true;
            message.args = PyTuple_Pack(1, exit);
            Py_DECREF(exit);
            if (message.args == NULL) {
                return NULL;
            }
        }
    }
    return switch_message(target, message);
}

/* throw() without arguments. */
static PyObject *
throw_exit(PyGreenlet *target)
{
    struct thread *thread = thread_current();
    if (thread == NULL) {
        return NULL;
    }
    return throw_exception(target, thread->module->greenlet_exit, NULL, NULL);
}

/* The arguments stay on the caller's value stack, where the collector sees them, and no
   tuple of them is lost with a greenlet that is never resumed. */
PyObject *
throw_method(PyObject *self, PyObject *const *args, Py_ssize_t count,
             PyObject *keywords)
{
    if (keywords != NULL && PyTuple_GET_SIZE(keywords) > 0) {
        PyErr_SetString(PyExc_TypeError, "throw() takes no keyword arguments");
        return NULL;
    }
    if (count > 3) {
        return PyErr_Format(PyExc_TypeError,
                            "throw() takes at most 3 arguments (%zd given)",
                            count);
    }
    if (count == 0) {
        return throw_exit((PyGreenlet *)self);
    }
    return throw_exception((PyGreenlet *)self, args[0],
                           count > 1 ? args[1] : NULL,
                           count > 2 ? args[2] : NULL);
}

void
switch_kill(struct greenlet *greenlet, PyObject *reason)
{
    struct thread *thread = greenlet->thread;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);

    PyObject *exit_type = thread->module->greenlet_exit;
    PyObject *exit = PyObject_CallOneArg(exit_type, reason);
    PyGreenlet *killer = thread_running(thread)->object;
    PyGreenlet *parent
        = greenlet_swap_parent(greenlet, (PyGreenlet *)Py_NewRef(killer));
    size_t swaps = greenlet_parent_swaps();
    bool failed = false;
    /* Making the exception may have run code, which may have ended it. */
    if (greenlet_is_alive(greenlet)) {
        if (exit != NULL) {
            PyErr_Restore(Py_NewRef(exit_type), exit, NULL);
        }
        greenlet->is_killed = true;
        Py_INCREF(greenlet->object);
        PyObject *result = resume(thread, greenlet, NULL);
        greenlet->is_killed = false;
        failed = result == NULL;
        Py_XDECREF(result);
    }
    else {
        Py_XDECREF(exit);
    }
    /* The parent that it had may have become its child meanwhile. */
    if (greenlet_parent_swaps() == swaps
        || !greenlet_descends_from(greenlet_of(parent), greenlet))
    {
        parent = greenlet_swap_parent(greenlet, parent);
    }
    if (failed && greenlet->is_told_to_end && greenlet_is_alive(greenlet)) {
        /* It has not died of that, but thrown it at a parent who is not there: a
           hub tells that it has nothing left to wait for. */
        PyErr_Clear();
    }
    else if (failed) {
        PyErr_WriteUnraisable((PyObject *)greenlet->object);
    }
    Py_DECREF(parent);
    PyErr_Restore(type, value, traceback);
}

/* Let go of what a greenlet that ends has held.  An exception that is set
   stays set.  May run Python code and switch. */
static HOT void
release_run(struct greenlet *self)
{
    PyObject *run = self->run;
    PyObject *args = self->args;
    self->run = NULL;
    self->args = NULL;
    Py_XDECREF(args);
    Py_XDECREF(run);
}

/* The last switch of a greenlet.  Consumes the reference to `heir`. */
static HOT _Noreturn void
leave(struct thread *thread, struct greenlet *heir, PyObject *value)
{
    struct greenlet *self = thread_running(thread);
    state_leave(&self->interpreter, thread->tstate, &thread->chunks);
    thread_note_end(thread, self);
    thread->lent = NULL;
    thread->value = value;
    thread->origin = self;
    slice_die(&self->slice);
    (void)stack_switch(&thread->stack, &heir->slice);

    /* No memory to save what lies where the heir's stack belongs.  There is
       always one greenlet whose stack is in place; it gets a MemoryError. */
    Py_CLEAR(thread->value);
    PyErr_NoMemory();
    Py_DECREF(heir->object);
    heir = greenlet_of_slice(stack_refuge(&thread->stack));
    Py_INCREF(heir->object);
    (void)stack_switch(&thread->stack, &heir->slice);
    Py_FatalError("greenlet: a switch that needs no memory has failed");
}

/* The usual case: the parent is parked in this thread. */
static HOT bool
can_resume(const struct thread *thread, const PyGreenlet *parent)
{
    if (parent == NULL) {
        return false;
    }
    const struct greenlet *greenlet = greenlet_of(parent);
    return greenlet->slice.state == SLICE_ACTIVE && greenlet->thread == thread;
}

/* Hand the outcome of run to the parent, for ever.  `value` is NULL for an
   exception.  Not inlined: the frame of switch_entry is part of every slice. */
static HOT NOT_INLINED _Noreturn void
finish(struct thread *thread, PyObject *value)
{
    struct greenlet *self = thread_running(thread);
    bool is_exit = false;
    if (value == NULL) {
        value = take_exit(thread);
        is_exit = value != NULL;
        if (is_exit && self->is_killed) {
            /* Its traceback holds the frames, and they what is to be released
               here: in the greenlet's own context, and on its own stack, lest
               a row of greenlets that hold each other is a recursion. */
            Py_SETREF(value, Py_NewRef(Py_None));
        }
    }
    if (self->slice.has_own_stack) {
        policy_note_end(thread, self);
    }
    release_run(self);
    thread_forgive(thread, self);

    PyGreenlet *wanted = self->parent;
    if (can_resume(thread, wanted)) {
        Py_INCREF(wanted);
        leave(thread, greenlet_of(wanted), value);
    }
    for (;;) {
        /* Looking it up can run code that would free it: it is kept until it
           is found, or else until the next greenlet has begun. */
        Py_XSETREF(self->run, Py_XNewRef((PyObject *)wanted));
        struct message message = {.args = NULL};
        if (value != NULL) {
            message.is_exit = is_exit;
            message.args = PyTuple_Pack(1, value);
            Py_CLEAR(value);
        }
        PyObject *run = NULL;
        struct greenlet *heir = thread->main;
        if (wanted == NULL) {
            Py_INCREF(heir->object);
        }
        else {
            heir = resolve(thread, wanted, &run);
        }
        if (heir != NULL && run == NULL) {
            value = message_unpack(&message);
            Py_XDECREF(message.args);
            if (wanted != NULL && Py_REFCNT(wanted) > 1) {
                Py_CLEAR(self->run);
            }
            leave(thread, heir, value);
        }
        PyObject *attribute;
        if (heir != NULL
            && start_prepare(thread, heir, run, &message, &attribute) == 0)
        {
            leave(thread, heir, attribute);
        }
        Py_XDECREF(run);
        Py_XDECREF(message.args);
        if (heir != NULL) {
            Py_DECREF(heir->object);
        }
        if (wanted != NULL) {
            wanted = greenlet_of(wanted)->parent;
        }
    }
}

/* The first thing a new greenlet does, not inlined for the same reason.  -1 if
   it is to end at once, of the exception that is set.  May run Python code and
   switch. */
static HOT NOT_INLINED int
entry_land(struct thread *thread)
{
    struct greenlet *self = thread_running(thread);
    struct greenlet *origin = thread->origin;
    state_settle(thread->lent);
    PyObject *attribute = thread->value;
    bool thrown = self->args == NULL;
    Py_XDECREF(attribute);
    if (self->is_exit) {
        Py_SETREF(self->args, PyTuple_New(0));
    }
    int result = thrown ? -1 : 0;
    if (trace_switch(thread, origin, self, thrown) < 0) {
        result = -1;
    }
    if (origin->slice.state == SLICE_DEAD) {
        Py_CLEAR(origin->run);
    }
    Py_DECREF(origin->object);
    return result;
}

/* Give the thread to a new greenlet. */
static HOT NOT_INLINED void
entry_begin(struct thread *thread)
{
    struct greenlet *self = thread_running(thread);
    homes_enter(&thread->homes, thread->tstate, policy_home(self));
    state_start(&self->interpreter, thread->tstate);
}

/* What calls a new greenlet's run with its arguments; NULL if only entry_call
   can. */
static HOT NOT_INLINED vectorcallfunc
entry_function(const struct greenlet *self)
{
    return self->has_keywords ? NULL : PyVectorcall_Function(self->run);
}

static OUT_OF_LINE PyObject *
entry_call(const struct greenlet *self)
{
    struct message message
        = {.args = self->args, .has_keywords = self->has_keywords};
    return PyObject_Call(self->run, message_positional(&message),
                         message_keywords(&message));
}

/* What PyObject_Vectorcall would check. */
static OUT_OF_LINE void
entry_failed(const struct greenlet *self)
{
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_SystemError,
                     "%R returned NULL without setting an exception",
                     self->run);
    }
}

/* The frame of this function is part of every slice.  So it keeps only `thread`
   across calls, and calls run without PyObject_Vectorcall between. */
HOT void
switch_entry(struct stack *stack)
{
    struct thread *thread = (struct thread *)stack;
    PyObject *value = NULL;
    entry_begin(thread);
    if (entry_land(thread) == 0) {
        vectorcallfunc function = entry_function(thread_running(thread));
        const struct greenlet *self = thread_running(thread);
        PyObject *args = self->args;
        value = function != NULL
                    ? function(self->run, &PyTuple_GET_ITEM(args, 0),
                               (size_t)PyTuple_GET_SIZE(args), NULL)
                    : entry_call(self);
        if (value == NULL) {
            entry_failed(thread_running(thread));
        }
    }
    finish(thread, value);
}
