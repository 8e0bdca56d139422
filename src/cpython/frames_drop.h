/* Releasing the frames of a greenlet that will never run again, CPython 3.11
   to 3.13.  The including version file defines frame_code and
   frame_clear_callable.

   The height of a value stack is not known while its frame makes a call, and
   so what lies there is not released; locals, cells and the function are. */

#ifndef GREENLET_CPYTHON_FRAMES_DROP_H
#define GREENLET_CPYTHON_FRAMES_DROP_H

/* Somebody holds the frame object: let it own a copy of the frame, with all
   references, as the interpreter does when a frame returns. */
static inline void
frame_move_to_object(struct _PyInterpreterFrame *frame)
{
    PyFrameObject *object = frame->frame_obj;
    PyFrameObject *back = PyFrame_GetBack(object);
    if (back == NULL) {
        PyErr_Clear();
    }
    frame->frame_obj = NULL;
    frame->stacktop = frame_code(frame)->co_nlocalsplus;
    struct _PyInterpreterFrame *copy
        = (struct _PyInterpreterFrame *)object->_f_frame_data;
    memcpy(copy, frame,
           (size_t)((char *)&frame->localsplus[frame->stacktop]
                    - (char *)frame));
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
    if (object != NULL && Py_REFCNT(object) > 1) {
        frame_move_to_object(frame);
        return;
    }
    frame->frame_obj = NULL;
    Py_XDECREF(object);
    int locals = frame_code(frame)->co_nlocalsplus;
    for (int i = 0; i < locals; i++) {
        Py_CLEAR(frame->localsplus[i]);
    }
    Py_CLEAR(frame->f_locals);
    frame_clear_callable(frame);
}

/* Release a sealed chain.  Frames of generators belong to their generators.
   May run Python code. */
static inline void
frames_drop(struct _PyInterpreterFrame *frame)
{
    while (frame != NULL) {
        struct _PyInterpreterFrame *previous = frame->previous;
        if (frame->owner == FRAME_OWNED_BY_THREAD) {
            frame_drop(frame);
        }
        else {
            frame->previous = NULL;
        }
        frame = previous;
    }
}

#endif
