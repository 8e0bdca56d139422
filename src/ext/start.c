/* Preparing greenlets to be started; see start.h. */

#include "start.h"

#include "core/compiler.h"
#include "policy.h"
#include "room.h"

HOT int
start_prepare(struct thread *thread, struct greenlet *target, PyObject *run,
              PyObject *args, enum message_kind kind)
{
    assert(greenlet_state(target) == SLICE_UNSTARTED);
    assert(target->thread == NULL && kind <= MESSAGE_EXCEPTION);
    if (thread_reserve_start(thread) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    size_t frames_size
        = policy_start(thread, target, run != NULL ? run : target->run);
    if (state_prepare(&target->interpreter, &thread->chunks, frames_size) < 0) {
        slice_release(&target->slice);
        PyErr_NoMemory();
        return -1;
    }
    room_note(target);
    if (!LIKELY(run == NULL)) {
        thread->handover.attribute = greenlet_take_run(target);
        target->run = run;
    }
    target->holds.args = args;
    target->call_kind = kind;
    thread_retain(thread);
    SHARED_STORE(target->thread, thread);
    RELAXED_STORE(target->as.started.doomed_next, NULL);
    if (FREE_THREADED) {
        target->is_opaque = object_is_opaque((PyObject *)target->object,
                                             thread->module->type->tp_finalize);
    }
    target->callbacks = (uint8_t)tstate_callbacks(thread->tstate);
    thread_note_start(thread, target);
    return 0;
}

OUT_OF_LINE void
start_undo(struct thread *thread, struct greenlet *target)
{
    assert(greenlet_state(target) == SLICE_UNSTARTED);
    assert(target->thread == thread);
    PyObject *run = thread->handover.attribute;
    PyObject *args = target->holds.args;
    state_cancel(&target->interpreter, &thread->chunks);
    slice_release(&target->slice);
    if (!start_has_slot(thread, target)) {
        run = greenlet_take_run(target);
        target->run = thread->handover.attribute;
    }
    thread->handover.attribute = NULL;
    target->holds.args = NULL;
    thread_note_end(thread, target);
    SHARED_STORE(target->thread, NULL);
    RELAXED_STORE(target->as.unstarted.found_thread, NULL);
    thread_release(thread, thread);
    Py_XDECREF(run);
    Py_XDECREF(args);
}
