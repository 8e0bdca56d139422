/* needs: part_stack_lists.h or no_stack_lists.h,
   struct _PyInterpreterFrame, frame_code, frame_is_entry, tstate_tools_version,
   code_instrument.

   Bytecode that reports to tools, from CPython 3.12 on: to those of
   sys.monitoring, and to sys.settrace and sys.setprofile.

   When a tool comes or goes, the interpreter rewrites each function that is
   executing, which it finds by the frames of all threads, and any other
   function when it is next called.  Frames of parked greenlets are not found.
   Left alone they would go on reporting to tools that are gone, which debug
   builds of CPython assert never to happen, and not report to new ones.  So a
   greenlet notes the version of the tools when it is suspended, and has its
   functions rewritten when it is resumed under another version.

   Of what is needed these are for this file only:

     unsigned tstate_tools_version(const PyThreadState *)
     int code_instrument(PyCodeObject *, PyThreadState *)
         Rewrite a function for the present tools.  -1 with an exception. */

#ifndef GREENLET_CPYTHON_PART_INSTRUMENTATION_H
#define GREENLET_CPYTHON_PART_INSTRUMENTATION_H

#include <Python.h>

#include "part_frames.h"

/* Rewrite the functions of a chain for the present tools.  Without memory they
   may stay as they are.  An exception that is set stays set.  Runs no Python
   code. */
static __attribute__((noinline, cold)) void
frames_instrument(struct _PyInterpreterFrame *frame, PyThreadState *tstate)
{
    PyObject *raised = PyErr_GetRaisedException();
    frame = frame_skip_entries(frame);
    while (frame != NULL) {
        PyCodeObject *code = frame_code(frame);
        if ((unsigned)RELAXED_LOAD(code->_co_instrumentation_version)
                != tstate_tools_version(tstate)
            && code_instrument(code, tstate) < 0)
        {
            PyErr_Clear();
        }
        frame = frame_skip_entries(frame->previous);
    }
    PyErr_SetRaisedException(raised);
}

#endif
