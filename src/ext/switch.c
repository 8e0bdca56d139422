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

   A parked greenlet is handed one object, `handover.value`.  A greenlet that starts finds
   the arguments of its run in its own fields. */

#include "switch.h"

#include "check.h"
#include "core/compiler.h"
#include "doomed.h"
#include "hooks.h"
#include "owner.h"
#include "policy.h"
#include "room.h"
#include "start.h"
#include "trace.h"
#include "tree.h"

/* Tell hooks and the trace function of the switch that has just landed; `thrown` says that it
   hands over the exception that is set.  -1 if the trace function has raised, and then its
   exception has replaced that.  May run Python code and switch. */
static ALWAYS_INLINE int
report(struct thread *thread, PyGreenlet *origin, unsigned events, bool thrown)
{
    if (thread->has_hooks) {
        events |= thrown ? PyGreenlet_EVENT_THROW : PyGreenlet_EVENT_SWITCH;
        if (greenlet_state(greenlet_of(origin)) == SLICE_DEAD) {
            events |= PyGreenlet_EVENT_FINISH;
        }
        hooks_report(thread, events, origin, thread_running(thread)->object);
    }
    return trace_switch(thread, greenlet_of(origin), thread_running(thread),
                        thrown);
}

/* The far side of a switch of which somebody is to be told, from `origin`, which is the running
   greenlet itself after a switch to oneself.  Consumes and returns `value`; NULL stands for the
   exception that is set.  May run Python code and switch. */
static PyObject *
land_reported(struct thread *thread, PyGreenlet *origin, PyObject *value)
{
    if (report(thread, origin, 0, value == NULL) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

/* There was no memory to save what lies where the heir's stack belongs.  There is always one
   greenlet whose stack is in place; it gets a MemoryError. */
static _Noreturn void
leave_for_refuge(struct thread *thread, struct greenlet *heir)
{
    Py_CLEAR(thread->handover.value);
    if (greenlet_state(heir) == SLICE_UNSTARTED) {
        start_undo(thread, heir);
    }
    PyErr_NoMemory();
    Py_DECREF(heir->object);
    heir = greenlet_of_slice(stack_refuge(&thread->stack));
    Py_INCREF(heir->object);
    (void)stack_switch(&thread->stack, &heir->slice);
    Py_FatalError("greenlet: a switch that needs no memory has failed");
}

/* There was no memory for the switch: take back what was prepared for it.  NULL
   with MemoryError, if the greenlet is not dying. */
static OUT_OF_LINE PyObject *
land_nowhere(struct thread *thread)
{
    struct greenlet *origin = greenlet_of(thread->handover.origin);
    struct greenlet *target = greenlet_of_slice(thread->stack.unreached);
    if (greenlet_state(origin) == SLICE_DEAD) {
        leave_for_refuge(thread, target);
    }
    state_resume(&origin->interpreter, thread->tstate);
    PyObject *value = thread->handover.value;
    if (greenlet_state(target) == SLICE_UNSTARTED) {
        start_undo(thread, target);
    }
    thread_check_landing(thread);
    Py_XDECREF(value);
    Py_DECREF(target->object);
    return PyErr_NoMemory();
}

/* The end of each landing, of `self`: the origin may be deallocated.  Consumes `origin`. */
static ALWAYS_INLINE void
let_origin_go(struct greenlet *self, PyGreenlet *origin)
{
    state_hold_no_more(&self->interpreter, (PyObject *)self->object);
    Py_DECREF(origin);
}

/* The origin ends here. */
static OUT_OF_LINE PyObject *
land_slowly(struct greenlet *self, PyGreenlet *origin, PyObject *value)
{
    let_origin_go(self, origin);
    return value;
}

static HOT NOT_INLINED PyObject *
land_watched(struct thread *thread, PyGreenlet *origin, PyObject *value)
{
    value = land_reported(thread, origin, value);
    let_origin_go(thread_running(thread), origin);
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
    PyGreenlet *origin = thread->handover.origin;
    homes_enter(&thread->homes, thread->tstate, policy_home(self));
    state_resume(&self->interpreter, thread->tstate);
    thread_settle_lent(thread);
    PyObject *value = thread->handover.value;
    thread_check_landing(thread);
    if (!LIKELY(!(RELAXED_LOAD(thread->attention) & ATTENTION_AFTER))) {
        return land_watched(thread, origin, value);
    }
    /* The count only chooses the faster way: on both the origin may be deallocated.  Without
       a GIL asking takes longer than what it saves. */
    if (!FREE_THREADED && !LIKELY(Py_REFCNT(origin) > 1)) {
        return land_slowly(self, origin, value);
    }
    let_origin_go(self, origin);
    return value;
}

static inline PyObject *
depart(struct thread *thread, struct greenlet *target, PyObject *value,
       void *lent)
{
    thread_set_lent(thread, lent);
    thread->handover.value = value;
    thread->handover.origin = thread_running(thread)->object;
    return stack_switch(&thread->stack, &target->slice);
}

/* Not inlined: `commit` would save registers for the seal, which most switches do
   without. */
static HOT NOT_INLINED PyObject *
depart_sealed(struct thread *thread, struct greenlet *target, PyObject *value)
{
    struct greenlet *origin = thread_running(thread);
    void *lent = state_seal(&origin->interpreter, thread->tstate);
    return depart(thread, target, value, lent);
}

/* The commit: from here on the switch happens. */
static inline PyObject *
commit(struct thread *thread, struct greenlet *target, PyObject *value)
{
    struct greenlet *origin = thread_running(thread);
    state_suspend(&origin->interpreter, thread->tstate);
    if (STATE_SEALS && thread->seals_early && !origin->slice.has_own_stack) {
        return depart_sealed(thread, target, value);
    }
    return depart(thread, target, value, NULL);
}

/* The running greenlet parks with more frames than it had room for.  (Main
   greenlets have no run, and room enough.) */
static OUT_OF_LINE PyObject *
resume_outgrown(struct thread *thread, struct greenlet *target, PyObject *value)
{
    struct greenlet *origin = thread_running(thread);
    policy_note_frames(thread, origin);
    state_note_room(&origin->interpreter, thread->tstate);
    room_note(origin);
    return commit(thread, target, value);
}

/* The running greenlet parks, and the collector shall not take away what it runs with. */
static OUT_OF_LINE void
hold_frames(struct thread *thread)
{
    state_hold(&thread_running(thread)->interpreter, thread->tstate);
}

static ALWAYS_INLINE PyObject *
resume(struct thread *thread, struct greenlet *target, PyObject *value)
{
    const struct greenlet *origin = thread_running(thread);
    if (FREE_THREADED && !LIKELY(!origin->is_opaque)) {
        hold_frames(thread);
    }
    if (!LIKELY(!state_outgrown(&origin->interpreter, thread->tstate))) {
        return resume_outgrown(thread, target, value);
    }
    return commit(thread, target, value);
}

/* The thread has more greenlets than the processor's caches have room for.  Kept apart,
   since a call in the middle would make switch_resume save registers. */
static HOT NOT_INLINED PyObject *
resume_cold(struct thread *thread, struct greenlet *target, PyObject *value)
{
    slice_fetch_copy(&target->slice, greenlet_room(target));
    return resume(thread, target, value);
}

/* Not inlined, so that nothing of its callers lies between the interpreter and the switch
   if they end with it. */
HOT NOT_INLINED PyObject *
switch_resume(struct thread *thread, struct greenlet *target, PyObject *value)
{
    assert(target->thread == thread && greenlet_state(target) != SLICE_DEAD);
    if (target->slice.has_own_stack) {
        slice_fetch_stack(&thread->stack, &target->slice);
    }
    else if (!LIKELY(thread->started_count <= SLICES_CACHED)) {
        return resume_cold(thread, target, value);
    }
    return resume(thread, target, value);
}

/* Park the running greenlet and start `target`.  Consumes a reference to it,
   `run` and the message. */
static PyObject *
start(struct thread *thread, struct greenlet *target, PyObject *run,
      struct message *message)
{
    if (start_prepare(thread, target, run, message->args, message->kind) < 0) {
        Py_XDECREF(run);
        Py_XDECREF(message->args);
        Py_DECREF(target->object);
        return NULL;
    }
    return switch_resume(thread, target, NULL);
}

/* Who runs when `wanted` is switched to: it, or if it has ended the nearest
   parent that has not.  A new reference; NULL with an exception.  If that greenlet has
   not started, `*run` is what start_prepare takes.  An exception that is
   set stays set.  May run Python code and switch; between its return and the switch
   nothing may run that could start or end greenlets, which an allocation could. */
static HOT struct greenlet *
resolve(struct thread *thread, PyGreenlet *wanted, PyObject **run)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    *run = NULL;
    for (;;) {
        struct greenlet *target = greenlet_of(wanted);
        bool is_own = tree_is_in(target, thread);
        while (greenlet_state(target) == SLICE_DEAD && is_own
               && target->parent != NULL)
        {
            target = greenlet_of(target->parent);
            is_own = tree_is_in(target, thread);
        }
        if (!is_own || greenlet_state(target) == SLICE_DEAD) {
            owner_refuse(thread, is_own ? NULL : target);
            break;
        }
        Py_INCREF(target->object);
        bool started = greenlet_state(target) == SLICE_ACTIVE;
        if (!started && start_find_run(thread, target, run) < 0) {
            Py_DECREF(target->object);
            break;
        }
        /* That code may have started it, or moved it elsewhere. */
        if (started
            || (greenlet_state(target) == SLICE_UNSTARTED
                && tree_is_in(target, thread)))
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
switch_to(struct thread *thread, PyGreenlet *wanted, struct message *message)
{
    PyObject *run = NULL;
    struct greenlet *target = resolve(thread, wanted, &run);
    if (target == NULL) {
        Py_XDECREF(message->args);
        return NULL;
    }
    state_note_arguments(&thread_running(thread)->interpreter,
                         message->arguments_end);
    if (greenlet_state(target) == SLICE_UNSTARTED) {
        return start(thread, target, run, message);
    }
    /* All that the message held is held by the value now. */
    PyObject *value = message_unpack(message);
    Py_XDECREF(message->args);
    if (target != thread_running(thread)) {
        return switch_resume(thread, target, value);
    }
    if (RELAXED_LOAD(thread->attention) & ATTENTION_AFTER) {
        value = land_reported(thread, target->object, value);
    }
    Py_DECREF(target->object);
    return value;
}

void
switch_kill(struct greenlet *greenlet)
{
    assert(greenlet_is_parked(greenlet));
    struct thread *thread = greenlet->thread;
    PyGreenlet *killer = thread_running(thread)->object;
    PyGreenlet *parent
        = tree_swap_parent(thread, greenlet, (PyGreenlet *)Py_NewRef(killer));
    size_t swaps = thread->parent_swaps;
    greenlet->is_killed = true;
    Py_INCREF(greenlet->object);
    state_note_arguments(&greenlet_of(killer)->interpreter, NULL);
    PyObject *result = switch_resume(thread, greenlet, NULL);
    greenlet->is_killed = false;
    /* The parent that it had may have become its child meanwhile. */
    if (thread->parent_swaps == swaps
        || !tree_descends_from(greenlet_of(parent), greenlet))
    {
        parent = tree_swap_parent(thread, greenlet, parent);
    }
    if (result == NULL) {
        PyErr_WriteUnraisable((PyObject *)greenlet->object);
    }
    Py_XDECREF(result);
    Py_DECREF(parent);
}

void
switch_leave_for_good(struct thread *thread, struct greenlet *killer)
{
    assert(killer->thread == thread && killer != thread_running(thread));
    Py_INCREF(killer->object);
    state_note_arguments(&thread_running(thread)->interpreter, NULL);
    PyObject *result = switch_resume(thread, killer, Py_NewRef(Py_None));
    assert(result == NULL);
    Py_XDECREF(result);
    PyErr_Clear();
}

/* The last switch of a greenlet.  Never returns, but no compiler may know, lest it make a
   call of what is to be a jump (core/switch.h).  Consumes the reference to `heir`. */
static ALWAYS_INLINE void
leave(struct thread *thread, struct greenlet *heir, PyObject *value)
{
    assert(heir->thread == thread && greenlet_state(heir) != SLICE_DEAD);
    struct greenlet *self = thread_running(thread);
    state_leave(&self->interpreter, thread->tstate, &thread->chunks);
    thread_note_end(thread, self);
    thread_set_lent(thread, NULL);
    thread->handover.value = value;
    thread->handover.origin = self->object;
    slice_die(&self->slice);
    (void)stack_switch(&thread->stack, &heir->slice);
}

/* The usual case: the parent is parked in this thread. */
static HOT bool
can_resume(const struct thread *thread, const PyGreenlet *parent)
{
    if (parent == NULL) {
        return false;
    }
    const struct greenlet *greenlet = greenlet_of(parent);
    return greenlet_state(greenlet) == SLICE_ACTIVE
           && greenlet->thread == thread;
}

/* What the run of a greenlet has come to that has returned NULL: the exception that is set,
   of which a GreenletExit is a value.  May run Python code. */
static NOT_INLINED PyObject *
outcome_of_exception(const struct thread *thread, struct greenlet *self)
{
    PyObject *value = message_take_exit(thread->module);
    if (value != NULL && self->is_killed) {
        self->is_killed = false;
        /* Its traceback holds the frames, and they what is to be released
           here: in the greenlet's own context, and on its own stack, lest
           a row of greenlets that hold each other is a recursion. */
        Py_SETREF(value, Py_NewRef(Py_None));
    }
    return value;
}

/* Does somebody else hold `wanted` until the switch?  Code that its end runs must not run
   between resolve and the switch.  Without a GIL another thread may let go at any moment of
   a reference that is counted now; but as a parent it exchanges nothing unless it stops this
   thread (owner.h), which has no point to stop at in between. */
static inline bool
stays_held(const struct greenlet *self, PyGreenlet *wanted)
{
    return FREE_THREADED ? self->parent == wanted : Py_REFCNT(wanted) > 1;
}

/* Leave for whoever runs when `wanted` is switched to, or for the main greenlet if that is
   NULL; come back, with an exception set, if there is nobody.  Consumes `value`, which is
   NULL for the exception that is set.  May run Python code and switch. */
static void
leave_for(struct thread *thread, PyGreenlet *wanted, PyObject *value,
          enum message_kind kind)
{
    struct greenlet *self = thread_running(thread);
    /* Looking it up can run code that would free it. */
    Py_XSETREF(self->holds.heir, Py_XNewRef((PyObject *)wanted));
    struct message message = {.kind = kind};
    if (value != NULL) {
        message.args = PyTuple_Pack(1, value);
        Py_DECREF(value);
    }
    if (message.args == NULL) {
        message.kind = MESSAGE_EXCEPTION;
    }
    PyObject *run = NULL;
    struct greenlet *heir = thread->main;
    if (wanted == NULL) {
        Py_INCREF(heir->object);
    }
    else {
        heir = resolve(thread, wanted, &run);
    }
    if (heir != NULL && greenlet_state(heir) == SLICE_ACTIVE) {
        value = message_unpack(&message);
        Py_XDECREF(message.args);
        if (wanted != NULL && stays_held(self, wanted)) {
            Py_CLEAR(self->holds.heir);
        }
        leave(thread, heir, value);
        return;
    }
    if (heir != NULL
        && start_prepare(thread, heir, run, message.args, message.kind) == 0)
    {
        leave(thread, heir, NULL);
        return;
    }
    Py_XDECREF(run);
    Py_XDECREF(message.args);
    Py_XDECREF(heir != NULL ? heir->object : NULL);
}

/* Hand the outcome of run to another heir than a parent that is parked in this thread.
   Never returns. */
static NOT_INLINED void
finish_slowly(struct thread *thread, PyObject *value, enum message_kind kind)
{
    struct greenlet *self = thread_running(thread);
    PyGreenlet *wanted = self->parent;
    self->is_dying = true;
    for (;;) {
        leave_for(thread, wanted, value, kind);
        value = NULL;
        if (wanted != NULL) {
            wanted = greenlet_of(wanted)->parent;
        }
    }
}

/* Hand the outcome of run to the parent, for ever.  `value` is NULL for an
   exception.  Never returns; see leave.  Not inlined: the frame of switch_entry is part of
   every slice. */
static HOT NOT_INLINED void
finish(struct thread *thread, PyObject *value)
{
    struct greenlet *self = thread_running(thread);
    enum message_kind kind = MESSAGE_ARGUMENTS;
    if (!LIKELY(value != NULL)) {
        value = outcome_of_exception(thread, self);
        kind = MESSAGE_EXIT;
    }
    if (self->slice.has_own_stack) {
        policy_note_end(thread, self);
    }
    greenlet_release_call(self);
    doomed_forgive(thread, self);

    PyGreenlet *wanted = self->parent;
    if (can_resume(thread, wanted)) {
        Py_INCREF(wanted);
        leave(thread, greenlet_of(wanted), value);
    }
    else {
        finish_slowly(thread, value, kind);
    }
}

/* The first thing a new greenlet does, not inlined for the same reason.  -1 if
   it is to end at once, of the exception that is set.  May run Python code and
   switch. */
static HOT NOT_INLINED int
entry_land(struct thread *thread)
{
    struct greenlet *self = thread_running(thread);
    PyGreenlet *origin = thread->handover.origin;
    homes_enter(&thread->homes, thread->tstate, policy_home(self));
    state_start(&self->interpreter, thread->tstate);
    thread_settle_lent(thread);
    bool thrown = self->call_kind == MESSAGE_EXCEPTION;
    PyObject *attribute = thread->handover.attribute;
    thread->handover.attribute = NULL;
    thread_check_landing(thread);
    Py_XDECREF(attribute);
    if (self->call_kind == MESSAGE_EXIT) {
        Py_SETREF(self->holds.args, PyTuple_New(0));
    }
    int result = thrown ? -1 : 0;
    if (!LIKELY(!(RELAXED_LOAD(thread->attention) & ATTENTION_AFTER))
        && report(thread, origin, PyGreenlet_EVENT_START, thrown) < 0)
    {
        result = -1;
    }
    if (greenlet_state(greenlet_of(origin)) == SLICE_DEAD) {
        Py_CLEAR(greenlet_of(origin)->holds.heir);
    }
    Py_DECREF(origin);
    return result;
}

/* What calls a new greenlet's run with its arguments; NULL if only entry_call
   can. */
static HOT NOT_INLINED vectorcallfunc
entry_function(const struct greenlet *self)
{
    return self->call_kind == MESSAGE_KEYWORDS
               ? NULL
               : PyVectorcall_Function(self->run);
}

static OUT_OF_LINE PyObject *
entry_call(const struct greenlet *self)
{
    struct message message = {.kind = (enum message_kind)self->call_kind,
                              .args = self->holds.args};
    return PyObject_Call(self->run, message_positional(&message),
                         message_keywords(&message));
}

/* A call that fails has to set an exception, which PyObject_Vectorcall would check. */
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
    if (entry_land(thread) == 0) {
        vectorcallfunc function = entry_function(thread_running(thread));
        const struct greenlet *self = thread_running(thread);
        PyObject *args = self->holds.args;
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
