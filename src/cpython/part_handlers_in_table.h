/* needs: struct _PyInterpreterFrame, frame_code, tstate_frame.

   Where a function handles exceptions, CPython 3.11 and later: its code has a
   table of that.  See tstate.h for what is defined here; tstate_frame is the
   innermost frame of a thread, complete or not. */

#ifndef GREENLET_CPYTHON_PART_HANDLERS_IN_TABLE_H
#define GREENLET_CPYTHON_PART_HANDLERS_IN_TABLE_H

#include <Python.h>

#include <stdbool.h>
#include <string.h>

typedef struct _PyInterpreterFrame python_frame;

/* A frame that is not complete is not in its function's own code yet, or has no
   Python code. */
static inline python_frame *
frame_skip_incomplete(python_frame *frame)
{
    while (frame != NULL && _PyFrame_IsIncomplete(frame)) {
        frame = frame->previous;
    }
    return frame;
}

static inline python_frame *
frame_innermost(const PyThreadState *tstate)
{
    return frame_skip_incomplete(tstate_frame(tstate));
}

static inline python_frame *
frame_outward(const python_frame *frame)
{
    return frame_skip_incomplete(frame->previous);
}

static inline uint32_t
frame_place(python_frame *frame)
{
    return (uint32_t)_PyInterpreterFrame_LASTI(frame);
}

static inline PyObject *
code_bytes(PyCodeObject *code)
{
    return PyCode_GetCode(code);
}

/* Each byte has 6 bits of the number, and a bit that says whether another byte
   follows. */
static inline uint32_t
table_read_number(const uint8_t **at)
{
    uint32_t number = **at & 63U;
    while (*(*at)++ & 64U) {
        number = number << 6 | (**at & 63U);
    }
    return number;
}

static inline void
frame_note_handlers(python_frame *frame, uint32_t *handlers, uint32_t size)
{
    PyObject *table = frame_code(frame)->co_exceptiontable;
    const uint8_t *at = (const uint8_t *)PyBytes_AS_STRING(table);
    const uint8_t *end = at + PyBytes_GET_SIZE(table);
    while (at < end) {
        uint32_t place = table_read_number(&at);
        uint32_t count = table_read_number(&at);
        uint32_t handler = table_read_number(&at);
        (void)table_read_number(&at); /* the height of the value stack there */
        for (; count > 0 && place < size && handler < size; count--) {
            handlers[place++] = handler;
        }
    }
}

static inline void
handler_inherit(uint32_t *handler, uint32_t inherited)
{
    (void)handler;
    (void)inherited;
}

static inline bool
code_is_of_same_source(PyCodeObject *code, uint32_t place, uint32_t other)
{
    int where[4], where_other[4];
    (void)PyCode_Addr2Location(code, (int)place * 2, &where[0], &where[1],
                               &where[2], &where[3]);
    (void)PyCode_Addr2Location(code, (int)other * 2, &where_other[0],
                               &where_other[1], &where_other[2],
                               &where_other[3]);
    return where[0] > 0 && memcmp(where, where_other, sizeof(where)) == 0;
}

#endif
