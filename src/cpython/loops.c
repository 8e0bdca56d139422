/* A walk over the code of a function; see loops.h.

   A *place* in code is counted in units of 2 bytes, which all versions have: an
   opcode and an argument, to which EXTENDED_ARGs before it add higher bits.
   From 3.11 on inline caches follow, which look like instructions of opcode 0.
   No handler of exceptions is at place 0: that stands for none. */

#include "loops.h"

#include <opcode.h>

/* What follows an instruction.  After a step of 0: the next one, or a
   handler. */
enum {
    STEP_QUIET = 1U, /* it calls nothing but deallocators, and does not raise */
    STEP_ENDS = 2U,  /* the next one does not follow */
    STEP_FORWARD = 4U,   /* its argument is how far it jumps, */
    STEP_BACKWARD = 8U,  /* or how far back, */
    STEP_ABSOLUTE = 16U, /* or where to */
    STEP_TRIES = 32U, /* it does not jump: a handler for what follows is there */
    STEP_TRIED = 64U, /* that handler is for what follows no longer */
    STEP_JUMPS = STEP_FORWARD | STEP_BACKWARD | STEP_ABSOLUTE
};

static const uint8_t steps[UINT8_MAX + 1] = {
    [EXTENDED_ARG] = STEP_QUIET,
    [NOP] = STEP_QUIET,
    [POP_TOP] = STEP_QUIET,
    [POP_EXCEPT] = STEP_QUIET,
    [LOAD_CONST] = STEP_QUIET,
    [LOAD_FAST] = STEP_QUIET,
    [STORE_FAST] = STEP_QUIET,
    [DELETE_FAST] = STEP_QUIET,
    [RETURN_VALUE] = STEP_QUIET | STEP_ENDS,
    [RAISE_VARARGS] = STEP_ENDS,
    [RERAISE] = STEP_ENDS,
    CODE_STEPS,
};

struct code {
    PyCodeObject *object; /* borrowed */
    PyObject *bytes;      /* borrowed */
    uint32_t size;        /* in places */
};

struct decoded {
    uint32_t next;
    uint32_t target; /* if it jumps or tries */
    uint8_t step;
};

struct walk {
    struct code code;
    uint32_t origin;
    bool is_in_call; /* at the origin: all frames but the innermost are */
    bool is_back;
    uint32_t *handlers; /* of what is raised at each place; 0 for none */
    uint32_t *waiting;  /* reached places from which to go on */
    uint32_t waiting_count;
    bool *reached;
};

static uint8_t
code_opcode(const struct code *code, uint32_t place)
{
    return (uint8_t)PyBytes_AS_STRING(code->bytes)[(size_t)2 * place];
}

static uint8_t
code_argument(const struct code *code, uint32_t place)
{
    return (uint8_t)PyBytes_AS_STRING(code->bytes)[(size_t)2 * place + 1];
}

/* Where the instruction begins that a frame says it executes: it may name its last
   place. */
static uint32_t
code_instruction_start(const struct code *code, uint32_t place)
{
    while (place > 0 && code_opcode(code, place) == 0) {
        place--;
    }
    while (place > 0 && code_opcode(code, place - 1) == EXTENDED_ARG) {
        place--;
    }
    return place;
}

/* The instruction that begins at a place. */
static struct decoded
code_instruction(const struct code *code, uint32_t place)
{
    uint32_t argument = code_argument(code, place);
    while (code_opcode(code, place) == EXTENDED_ARG && place + 1 < code->size) {
        place++;
        argument = argument << 8 | code_argument(code, place);
    }
    struct decoded found = {.step = steps[code_opcode(code, place)]};
    do {
        place++;
    } while (place < code->size && code_opcode(code, place) == 0);
    found.next = place;
    found.target = argument;
    if (found.step & STEP_FORWARD) {
        found.target = place + argument;
    }
    if (found.step & STEP_BACKWARD) {
        found.target = place - argument;
    }
    if (found.target > code->size) {
        found.target = code->size;
    }
    return found;
}

/* Compilers may translate a piece of source twice: `while step():` makes its
   first call at one place, and all others at another. */
static bool
walk_is_origin(const struct walk *walk, uint32_t place)
{
    const struct code *code = &walk->code;
    return place == walk->origin
           || (walk->is_in_call
               && code_opcode(code, place) == code_opcode(code, walk->origin)
               && code_is_of_same_source(code->object, place, walk->origin));
}

static void
walk_reach(struct walk *walk, uint32_t place, uint32_t handler)
{
    if (place >= walk->code.size || walk->reached[place]) {
        return;
    }
    walk->reached[place] = true;
    walk->is_back = walk->is_back || walk_is_origin(walk, place);
    handler_inherit(&walk->handlers[place], handler);
    walk->waiting[walk->waiting_count++] = place;
}

/* Reach what can follow the instruction at a place. */
static void
walk_step(struct walk *walk, uint32_t place)
{
    const struct decoded now = code_instruction(&walk->code, place);
    uint32_t handler = walk->handlers[place];
    if (handler != 0 && !(now.step & STEP_QUIET)) {
        walk_reach(walk, handler, walk->handlers[handler]);
    }
    if (now.step & STEP_TRIES) {
        walk->handlers[now.target] = handler;
        handler = now.target;
    }
    else if (now.step & STEP_JUMPS) {
        walk_reach(walk, now.target, handler);
    }
    if (now.step & STEP_TRIED) {
        handler = walk->handlers[handler];
    }
    if (!(now.step & STEP_ENDS)) {
        walk_reach(walk, now.next, handler);
    }
}

/* Does a walk from a place of the frame's code come back there? */
static bool
walk_comes_back(struct walk *walk, python_frame *frame, uint32_t place)
{
    assert(place < walk->code.size);
    frame_note_handlers(frame, walk->handlers, walk->code.size);
    walk->origin = code_instruction_start(&walk->code, place);
    walk->handlers[walk->origin] = walk->handlers[place];
    walk_step(walk, walk->origin);
    while (walk->waiting_count > 0 && !walk->is_back) {
        walk_step(walk, walk->waiting[--walk->waiting_count]);
    }
    return walk->is_back;
}

/* Can a frame come back to what it does now?  -1 with an exception. */
static int
frame_can_come_back(python_frame *frame, bool is_in_call)
{
    PyObject *bytes = code_bytes(frame_code(frame));
    if (bytes == NULL) {
        return -1;
    }
    uint32_t size = (uint32_t)(PyBytes_GET_SIZE(bytes) / 2);
    struct walk walk
        = {.code = {frame_code(frame), bytes, size}, .is_in_call = is_in_call};
    /* The end is a place, too, though none that is reached. */
    walk.handlers = PyMem_RawCalloc((size_t)size + 1,
                                    2 * sizeof(uint32_t) + sizeof(bool));
    int result = -1;
    if (walk.handlers != NULL) {
        walk.waiting = walk.handlers + size + 1;
        walk.reached = (bool *)(walk.waiting + size + 1);
        result = walk_comes_back(&walk, frame, frame_place(frame));
    }
    else {
        PyErr_NoMemory();
    }
    PyMem_RawFree(walk.handlers);
    Py_DECREF(bytes);
    return result;
}

bool
loop_is_around(PyThreadState *tstate)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    python_frame *innermost = frame_innermost(tstate);
    python_frame *frame = innermost;
    int result = 0;
    while (frame != NULL && result == 0) {
        result = frame_can_come_back(frame, frame != innermost);
        frame = frame_outward(frame);
    }
    PyErr_Restore(type, value, traceback);
    return result != 0;
}
