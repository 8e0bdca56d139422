/* See layout.h. */

#include "layout.h"

#include "tstate.h"

#include <stdio.h>

/* Checks a fact and returns what is elsewhere, or NULL. */
typedef const char *fact(PyThreadState *tstate);

#ifdef GREENLET_CPYTHON_DEBUG_OFFSETS_H

static const struct place places[] = {
    /* main_thread comes next. */
    PLACE(_PyRuntimeState, _finalizing, runtime_state.finalizing),
    PLACE(_PyRuntimeState, interpreters.head, runtime_state.interpreters_head),
    /* own_gil comes next. */
    PLACE(PyInterpreterState, ceval.gil, interpreter_state.ceval_gil),
    PLACE(PyInterpreterState, gc, interpreter_state.gc),
    PLACE(struct _gc_runtime_state, collecting, gc.collecting),
    PLACE(PyThreadState, interp, thread_state.interp),
    PLACE(PyThreadState, current_frame, thread_state.current_frame),
    PLACE(PyThreadState, thread_id, thread_state.thread_id),
    PLACE(PyThreadState, datastack_chunk, thread_state.datastack_chunk),
    PLACE(struct _PyInterpreterFrame, f_executable,
          interpreter_frame.executable),
    PLACE(struct _PyInterpreterFrame, previous, interpreter_frame.previous),
    PLACE(struct _PyInterpreterFrame, instr_ptr, interpreter_frame.instr_ptr),
    PLACE(struct _PyInterpreterFrame, owner, interpreter_frame.owner),
    PLACE(struct _PyInterpreterFrame, localsplus, interpreter_frame.localsplus),
    PLACE(PyCodeObject, co_firstlineno, code_object.firstlineno),
    PLACE(PyCodeObject, co_localsplusnames, code_object.localsplusnames),
    PLACE(PyCodeObject, co_code_adaptive, code_object.co_code_adaptive),
    MORE_PLACES{NULL, 0, 0},
};

static const char *
misplaced_field(PyThreadState *tstate)
{
    (void)tstate;
    const char *table = (const char *)&_PyRuntime.debug_offsets;
    const struct place *place = places;
    for (; place->name != NULL; place++) {
        uint64_t running;
        memcpy(&running, table + place->entry, sizeof running);
        if (running != place->compiled) {
            break;
        }
    }
    return place->name;
}

size_t
layout_interpreter_size(void)
{
    return (size_t)_PyRuntime.debug_offsets.interpreter_state.size;
}

#else /* No table: 3.10 to 3.12. */

/* The ID lies behind all that a switch exchanges but the data stack. */
static const char *
misplaced_field(PyThreadState *tstate)
{
    bool is_there = tstate == PyThreadState_Get()
                    && tstate->interp == PyInterpreterState_Get()
                    && tstate->id == PyThreadState_GetID(tstate);
    return is_there ? NULL : "PyThreadState.id";
}

static const char *
misplaced_collector(PyThreadState *tstate)
{
    const int *enabled = &tstate->interp->gc.enabled;
    int before = PyGC_Disable();
    bool is_there = *enabled == 0;
    PyGC_Enable();
    is_there = is_there && *enabled == 1;
    if (!before) {
        PyGC_Disable();
    }
    return is_there ? NULL : "PyInterpreterState.gc";
}

/* The public function's answer is for the main interpreter. */
static const char *
misplaced_main_thread(PyThreadState *tstate)
{
    bool is_there = tstate->interp != PyInterpreterState_Main()
                    || thread_is_main() == (_PyOS_IsMainThread() != 0);
    return is_there ? NULL : "_PyRuntimeState.main_thread";
}

size_t
layout_interpreter_size(void)
{
    return sizeof(PyInterpreterState);
}

#endif

/* The main interpreter always has a GIL of its own. */
#ifdef GREENLET_CPYTHON_PART_SINCE_3_12_H
static const char *
misplaced_own_gil(PyThreadState *tstate)
{
    (void)tstate;
    return PyInterpreterState_Main()->ceval.own_gil == 1
               ? NULL
               : "PyInterpreterState.ceval.own_gil";
}
#endif

#ifdef GREENLET_CPYTHON_PART_SINCE_3_11_H

#  define FRAME_OBJECT_SIZE                                                    \
    (offsetof(PyFrameObject, _f_frame_data)                                    \
     + offsetof(struct _PyInterpreterFrame, localsplus))

static const char *
misplaced_data_stack(PyThreadState *tstate)
{
    const _PyStackChunk *chunk = tstate->datastack_chunk;
    const char *limit = (const char *)tstate->datastack_limit;
    return chunk == NULL || limit == (const char *)chunk + chunk->size
               ? NULL
               : "PyThreadState.datastack_limit";
}

/* What precedes the bytecode, which is of any length. */
static const char *
misplaced_bytecode(PyThreadState *tstate)
{
    (void)tstate;
    Py_ssize_t head_size = offsetof(PyCodeObject, co_code_adaptive);
    return PyCode_Type.tp_basicsize == head_size
               ? NULL
               : "PyCodeObject.co_code_adaptive";
}

#else

#  define FRAME_OBJECT_SIZE sizeof(PyFrameObject)

#endif

static const char *
misplaced_frame(PyThreadState *tstate)
{
    (void)tstate;
    return PyFrame_Type.tp_basicsize == (Py_ssize_t)FRAME_OBJECT_SIZE
               ? NULL
               : "the end of PyFrameObject";
}

#ifdef GREENLET_CPYTHON_PART_STACK_HOME_H

/* The limits are a few pages apart, and most of a stack is beyond them.  What lies
   before and behind the three, a stack's lower end for example, does not look so. */
static const char *
misplaced_bounds(PyThreadState *tstate)
{
    const struct stack_bounds *bounds = tstate_bounds(tstate);
    bool is_there = bounds->hard_limit < bounds->soft_limit
                    && bounds->soft_limit < bounds->top
                    && bounds->soft_limit - bounds->hard_limit
                           < bounds->top - bounds->soft_limit;
    return is_there ? NULL : "_PyThreadStateImpl.c_stack_top";
}
#endif

/* Each may rely on the ones before it. */
static fact *const facts[] = {
    misplaced_field,
#ifndef GREENLET_CPYTHON_DEBUG_OFFSETS_H
    misplaced_collector,  misplaced_main_thread,
#endif
#ifdef GREENLET_CPYTHON_PART_SINCE_3_12_H
    misplaced_own_gil,
#endif
#ifdef GREENLET_CPYTHON_PART_SINCE_3_11_H
    misplaced_data_stack, misplaced_bytecode,
#endif
    misplaced_frame,
#ifdef GREENLET_CPYTHON_PART_STACK_HOME_H
    misplaced_bounds,
#endif
};

static void
refuse(const char *misplaced)
{
    char running[32];
    snprintf(running, sizeof running, "%.*s",
             (int)strcspn(Py_GetVersion(), " "), Py_GetVersion());
    PyErr_Format(
        PyExc_ImportError,
        "greenlet was compiled for CPython %s, and this CPython %s keeps "
        "%s elsewhere: build greenlet from source for it (pip install "
        "--force-reinstall --no-binary greenlet greenlet)",
        PY_VERSION, running, misplaced);
}

int
layout_check(void)
{
    PyThreadState *tstate = tstate_current();
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        const char *misplaced = facts[i](tstate);
        if (misplaced != NULL) {
            refuse(misplaced);
            return -1;
        }
    }
    return 0;
}
