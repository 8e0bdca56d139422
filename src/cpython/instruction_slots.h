/* Which slots of a value stack are the frame's own in the middle of an instruction,
   CPython 3.14 and later.

   The interpreter notes the height of a value stack before whatever may come back to
   Python.  At that moment some instructions have given a reference away, or are about
   to, whose slot is still below that height:

       POP_EXCEPT      [exception]            becomes the exception that is handled
       STORE_DEREF     [value]                is the cell's, its old value is released
       STORE_SUBSCR    [value dict key]       are the dict's, its old value is released
       MAP_ADD         [key value]            the same
       SET_ADD         [value]                is the set's, or released as a duplicate
       STORE_SLICE     [value object start stop]
                                              two are a slice's that is gone by now
       LOAD_ATTR       [object]               released by what finds a method
       GET_ITER        [object]               released by what makes the iterator
       CALL, CALL_KW, CALL_FUNCTION_EX
                       [callable ...]         of a Python function: the new frame's, and
                                              released if they do not fit its parameters;
                                              of C: the only argument is released, or
                                              after all arguments the callable

   A finalizer that runs then may switch, and the greenlet is parked with a slot that
   says more than the frame owns.  Shown to the collector such a reference counts
   twice; released it would be released twice.  So these slots are taken for somebody
   else's.  In some moments of these instructions they are the frame's after all, which
   cannot be told from the others: then the collector takes what they refer to for
   referred to from outside, and it is not released with the frame.

   All other instructions, those of 3.14.10 and 3.15.2, lower the height or
   overwrite the slot first.  When CPython itself is out of memory in BINARY_SLICE,
   STORE_SLICE or list.append() it releases what a slot refers to; that is ignored here.
   An instruction that has called a Python function without C in between is left
   alone: it has taken its inputs off the stack. */

#ifndef GREENLET_CPYTHON_INSTRUCTION_SLOTS_H
#define GREENLET_CPYTHON_INSTRUCTION_SLOTS_H

#include <Python.h>

#include <stdbool.h>

#include <opcode.h>

#include "internal/pycore_code.h"
#include "internal/pycore_interpframe.h"
#include "internal/pycore_stackref.h"

#include "opcodes.h"

struct instruction {
    int opcode; /* as the compiler made it */
    int argument;
};

#ifdef Py_GIL_DISABLED
/* The instruction at which a frame is; false if that is not known.  Makes no object: the
   collector may be walking the heap.  Only the lowest bits of its argument are looked at
   where a prefix may have more. */
static inline bool
instruction_find(struct instruction *found, struct _PyInterpreterFrame *frame)
{
    const _Py_CODEUNIT *unit = frame->instr_ptr;
    const _Py_CODEUNIT *first = _PyFrame_GetBytecode(frame);
    bool may_have_prefix = unit > first && unit[-1].op.code == EXTENDED_ARG;
    found->opcode = opcode_as_compiled(unit->op.code);
    found->argument = unit->op.arg;
    bool needs_prefix = found->opcode == CALL || found->opcode == CALL_KW;
    return found->opcode != 0 && !(may_have_prefix && needs_prefix);
}
#else
/* The instruction at which a frame is; false when out of memory. */
static inline bool
instruction_find(struct instruction *found, struct _PyInterpreterFrame *frame)
{
    PyObject *bytes = PyCode_GetCode(_PyFrame_GetCode(frame));
    if (bytes == NULL) {
        PyErr_Clear();
        return false;
    }
    const unsigned char *first
        = (const unsigned char *)PyBytes_AS_STRING(bytes);
    const unsigned char *unit
        = first + 2 * (frame->instr_ptr - _PyFrame_GetBytecode(frame));
    while (unit > first && unit[-2] == EXTENDED_ARG) {
        unit -= 2;
    }
    found->argument = 0;
    for (; *unit == EXTENDED_ARG; unit += 2) {
        found->argument = found->argument << 8 | unit[1];
    }
    found->opcode = unit[0];
    found->argument = found->argument << 8 | unit[1];
    Py_DECREF(bytes);
    return true;
}
#endif

/* A value stack, seen from its top, which has the depth 1. */
struct value_stack {
    const _PyStackRef *top;
    int height;
};

/* The object at a depth, borrowed; NULL if there is none. */
static inline PyObject *
value_at(const struct value_stack *stack, int depth)
{
    if (depth > stack->height || PyStackRef_IsNullOrInt(stack->top[-depth])) {
        return NULL;
    }
    return PyStackRef_AsPyObjectBorrow(stack->top[-depth]);
}

/* Could the object at a depth be in the middle of its deallocation?  Its
   reference count is 0 then, except during the call of its finalizer. */
static inline bool
value_may_be_dying(const struct value_stack *stack, int depth)
{
    PyObject *object = value_at(stack, depth);
    return object != NULL
           && (Py_REFCNT(object) == 0 || Py_TYPE(object)->tp_finalize != NULL);
}

static inline bool
value_is_dict(const struct value_stack *stack, int depth)
{
    PyObject *object = value_at(stack, depth);
    return object != NULL && PyDict_Check(object);
}

/* Is this a C function whose single argument, or object, is released while its
   slot counts? */
static inline bool
callable_takes_one(PyObject *callable)
{
    if (PyCFunction_CheckExact(callable)) {
        return PyCFunction_GET_FLAGS(callable) == METH_O;
    }
    return Py_IS_TYPE(callable, &PyMethodDescr_Type)
           && ((PyMethodDescrObject *)callable)->d_method->ml_flags
                  == METH_NOARGS;
}

/* How many slots a call has given away.  The callable is the deepest of `count`
   values; what is above the arguments, if anything, is a constant. */
static inline int
call_given_away(const struct value_stack *stack, int count, int arguments)
{
    PyObject *callable = value_at(stack, count);
    if (callable == NULL) {
        return 0;
    }
    if (PyFunction_Check(callable)) {
        return count;
    }
    if (callable_takes_one(callable)) {
        return value_may_be_dying(stack, 1) ? 1 : 0;
    }
    for (int depth = count - 1; depth >= count - arguments; depth--) {
        if (value_at(stack, depth) != NULL) {
            return 0;
        }
    }
    return value_may_be_dying(stack, count) ? count : 0;
}

/* The same for CALL_FUNCTION_EX.  A callable of C lies under a tuple and
   perhaps a dict of arguments.  A Python function, which may be gone already,
   lies on top on 3.15, under a NULL on 3.14. */
static inline int
call_ex_given_away(const struct value_stack *stack)
{
    int depth = value_at(stack, 1) != NULL ? 1 : 2;
    PyObject *value = value_at(stack, depth);
    if (value == NULL || PyTuple_CheckExact(value) || PyDict_CheckExact(value))
    {
        return 0;
    }
    return depth;
}

static inline int
instruction_given_away(const struct instruction *instruction,
                       const struct value_stack *stack)
{
    int argument = instruction->argument;
    switch (instruction->opcode) {
    case POP_EXCEPT:
    case STORE_DEREF:
        return 1;
    case MAP_ADD:
        return 2;
    case STORE_SUBSCR:
        return value_is_dict(stack, 2) ? 3 : 0;
    case STORE_SLICE:
        return stack->height >= 4 && value_at(stack, 3) == NULL ? 2 : 0;
    case LOAD_ATTR:
        return (argument & 1) != 0 && value_may_be_dying(stack, 1) ? 1 : 0;
    case SET_ADD:
    case GET_ITER:
        return value_may_be_dying(stack, 1) ? 1 : 0;
    case CALL:
        return call_given_away(stack, argument + 2, argument + 1);
    case CALL_KW: /* the names lie on top */
        return call_given_away(stack, argument + 3, argument + 1);
    case CALL_FUNCTION_EX:
        return call_ex_given_away(stack);
    default:
        return 0;
    }
}

/* How many of the topmost slots may be somebody else's in a frame that waits
   for C code.  Runs no Python code. */
static inline int
frame_given_away(struct _PyInterpreterFrame *frame)
{
    struct value_stack stack = {
        .top = frame->stackpointer,
        .height = (int)(frame->stackpointer - _PyFrame_Stackbase(frame)),
    };
    /* A frame that has not begun may be the interpreter's, with code in
       read-only memory. */
    if (stack.height == 0 || _PyFrame_IsIncomplete(frame)) {
        return 0;
    }
    struct instruction instruction;
    if (!instruction_find(&instruction, frame)) {
        return stack.height;
    }
    int count = instruction_given_away(&instruction, &stack);
    return count <= stack.height ? count : 0;
}

#endif
