/* What the frames of a parked greenlet refer to, CPython 3.11 and later: showing
   it to the garbage collector, and releasing it when the greenlet will never
   run again.  The including version file defines frame_code,
   frame_is_entry, frame_clear_callable and frame_visit_callable, and includes one
   of the two
   *_slots.h. */

#ifndef GREENLET_CPYTHON_PARKED_FRAMES_H
#define GREENLET_CPYTHON_PARKED_FRAMES_H

static inline int
frame_visit(struct _PyInterpreterFrame *frame, visitproc visit, void *arg)
{
    if (!frame_slots_are_visited(frame)) {
        int count = frame_slot_count(frame);
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

/* Runs no Python code. */
static inline int
frames_visit(struct _PyInterpreterFrame *frame, visitproc visit, void *arg)
{
    int result = 0;
    for (; frame != NULL && result == 0; frame = frame->previous) {
        if (!frame_is_entry(frame)) {
            result = frame_visit(frame, visit, arg);
        }
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
    frame_end_stack(copy);
    copy->owner = FRAME_OWNED_BY_FRAME_OBJECT;
    copy->previous = NULL;
    object->f_frame = copy;
    object->f_back = back;
    if (!PyObject_GC_IsTracked((PyObject *)object)) {
        PyObject_GC_Track(object);
    }
    Py_DECREF(object);
}

static inline void
frame_drop(struct _PyInterpreterFrame *frame)
{
    PyFrameObject *object = frame->frame_obj;
    int locals = frame_code(frame)->co_nlocalsplus;
    for (int i = frame_slot_count(frame) - 1; i >= locals; i--) {
        slot_clear(&frame->localsplus[i]);
    }
    if (object != NULL && Py_REFCNT(object) > 1) {
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

/* Release a chain.  Frames of generators belong to their generators, entry frames,
   if it is not sealed, to the C stack.  May run Python code. */
static inline void
frames_drop(struct _PyInterpreterFrame *frame)
{
    while (frame != NULL) {
        struct _PyInterpreterFrame *previous = frame->previous;
        if (frame->owner == FRAME_OWNED_BY_THREAD) {
            frame_drop(frame);
        }
        else if (!frame_is_entry(frame)) {
            frame->previous = NULL;
        }
        frame = previous;
    }
}

#endif
