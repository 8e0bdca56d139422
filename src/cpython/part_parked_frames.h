/* needs: part_stack_lists.h or no_stack_lists.h,
   struct _PyInterpreterFrame, frame_code, frame_is_entry, frame_clear_callable,
   frame_visit_callable, frame_generator, frame_give_code, part_object_slots.h or
   stackref_slots.h.

   What the frames of a parked greenlet refer to, CPython 3.11 and later: showing
   it to the garbage collector, and releasing it when the greenlet will never
   run again.

   Each reference is shown as often as the frames own it, or not at all.
   Showing too few is safe: the collector takes a reference that it does not
   find for one from outside.  Showing too many is not: the collector would tear
   what is in use, and releasing would release it twice. */

#ifndef GREENLET_CPYTHON_PART_PARKED_FRAMES_H
#define GREENLET_CPYTHON_PART_PARKED_FRAMES_H

#include <Python.h>

#include <stdbool.h>
#include <string.h>

static inline int
frame_visit(struct _PyInterpreterFrame *frame, bool calls_c, visitproc visit,
            void *arg)
{
    if (!frame_slots_are_visited(frame)) {
        int count = frame_slot_count(frame, calls_c);
        for (int i = 0; i < count; i++) {
            int result = slot_visit(frame->localsplus[i], visit, arg);
            if (result != 0) {
                return result;
            }
        }
    }
    if (frame->owner != FRAME_OWNED_BY_THREAD) {
        return 0;
    }
    Py_VISIT(frame->frame_obj);
    Py_VISIT(frame->f_locals);
    return frame_visit_callable(frame, visit, arg);
}

static inline bool
frame_is_generators(const struct _PyInterpreterFrame *frame)
{
    return frame->owner == FRAME_OWNED_BY_GENERATOR;
}

static inline bool
frames_have_generator(const struct _PyInterpreterFrame *frame)
{
    while (frame != NULL && !frame_is_generators(frame)) {
        frame = frame->previous;
    }
    return frame != NULL;
}

/* Nothing is shown if a generator or coroutine is executing: whoever has resumed it may
   have borrowed it from what the collector would tear, a task for example, and its frame
   would go before the greenlet.  Runs no Python code. */
static inline int
frames_visit(struct _PyInterpreterFrame *frame, visitproc visit, void *arg)
{
    int result = 0;
    if (frames_have_generator(frame)) {
        return 0;
    }
    bool calls_c = true;
    for (; frame != NULL && result == 0; frame = frame->previous) {
        bool is_entry = frame_is_entry(frame);
        if (!is_entry) {
            result = frame_visit(frame, calls_c, visit, arg);
        }
        calls_c = is_entry;
    }
    return result;
}

/* Somebody holds the frame object: let it own a copy of the frame, with all
   references but the value stack's, as the interpreter does when a frame
   returns. */
static inline void
frame_move_to_object(struct _PyInterpreterFrame *frame)
{
    PyFrameObject *object = frame->frame_obj;
    PyFrameObject *back = PyFrame_GetBack(object);
    if (back == NULL) {
        PyErr_Clear();
    }
    int locals = frame_code(frame)->co_nlocalsplus;
    for (int i = 0; i < locals; i++) {
        slot_own(&frame->localsplus[i]);
    }
    frame->frame_obj = NULL;
    struct _PyInterpreterFrame *copy
        = (struct _PyInterpreterFrame *)object->_f_frame_data;
    memcpy(copy, frame,
           (size_t)((char *)&frame->localsplus[locals] - (char *)frame));
    frame_set_slot_count(copy, locals);
    copy->owner = FRAME_OWNED_BY_FRAME_OBJECT;
    copy->previous = NULL;
    object->f_frame = copy;
    object->f_back = back;
    if (!PyObject_GC_IsTracked((PyObject *)object)) {
        PyObject_GC_Track(object);
    }
    Py_DECREF(object);
}

/* Release what a frame refers to; its first `count` slots are its own.  May run
   Python code. */
static inline void
frame_drop(struct _PyInterpreterFrame *frame, int count)
{
    PyFrameObject *object = frame->frame_obj;
    int locals = frame_code(frame)->co_nlocalsplus;
    for (int i = count - 1; i >= locals; i--) {
        slot_clear(&frame->localsplus[i]);
    }
    if (object != NULL && !object_is_unshared((PyObject *)object)) {
        frame_move_to_object(frame);
        return;
    }
    frame->frame_obj = NULL;
    Py_XDECREF(object);
    for (int i = 0; i < locals; i++) {
        slot_clear(&frame->localsplus[i]);
    }
    Py_CLEAR(frame->f_locals);
    frame_clear_callable(frame);
}

/* End a generator that executes, as if its frame had returned; otherwise its
   finalizer would complain.  Consumes a reference to the generator.  May run
   Python code. */
static inline void
generator_drop(struct _PyInterpreterFrame *frame, int count)
{
    PyGenObject *generator = frame_generator(frame);
    PyCodeObject *code = (PyCodeObject *)Py_NewRef(frame_code(frame));
    generator->gi_frame_state = FRAME_CLEARED;
    generator->gi_exc_state.previous_item = NULL;
    frame->previous = NULL;
    frame_drop(frame, count);
    frame_give_code(frame, code);
    Py_CLEAR(generator->gi_exc_state.exc_value);
    Py_DECREF(generator);
}

/* Release a chain of frames.  Entry frames, if it is not sealed, belong to the
   C stack.  May run Python code. */
static inline void
frames_drop(struct _PyInterpreterFrame *frame)
{
    /* What a frame refers to may own a generator farther out. */
    struct _PyInterpreterFrame *each = frame;
    for (; each != NULL; each = each->previous) {
        if (frame_is_generators(each)) {
            Py_INCREF(frame_generator(each));
        }
    }
    bool calls_c = true;
    while (frame != NULL) {
        struct _PyInterpreterFrame *previous = frame->previous;
        bool is_entry = frame_is_entry(frame);
        if (!is_entry) {
            int count = frame_slot_count(frame, calls_c);
            if (frame->owner == FRAME_OWNED_BY_THREAD) {
                frame_drop(frame, count);
            }
            else {
                generator_drop(frame, count);
            }
        }
        calls_c = is_entry;
        frame = previous;
    }
}

#endif
