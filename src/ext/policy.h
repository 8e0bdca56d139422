/* Which greenlets get a stack of their own.

   On the thread's own stack, which all share, a parked greenlet keeps only the bytes
   that it uses, and a switch copies them: best for the shallow and for the many.  On
   a stack of its own nothing is copied, nor are its frames to be visited at each
   switch; but it takes whole pages, and page tables: best for the deep.

   So by default a greenlet starts on the shared stack, unless of its kind (kinds.h)
   at least one in four has been seen parked deep: with a slice larger than
   SLICE_DEEP, or with frames that are larger than FRAMES_DEEP.  On the shared stack a
   greenlet is seen when the first of its bytes are copied that make it a deep one;
   on a stack of its own when it ends, as it was last parked.  And as long as there are
   few of them in the thread, FEW at most, their memory is nothing against the quarter
   of each switch that they save, and any greenlet gets one, but those of a kind that
   hardly ever parks: for a life that has no switch but the first and the last, the
   stack is a tenth of the time.

   A program can ask for all or for none of them to have their own, and say how many
   there may be, and how large.  Where there is none to be had, the shared stack
   serves: nothing fails. */

#ifndef GREENLET_EXT_POLICY_H
#define GREENLET_EXT_POLICY_H

#include "object.h"

struct thread;

enum stack_mode {
    STACKS_AUTOMATIC,
    STACKS_SHARED,
    STACKS_OWN,
};

struct stack_policy {
    enum stack_mode mode;
    size_t size; /* bytes; 0 for as large as the thread's own */
};

/* As the environment variable GREENLET_STACK_POLICY says.  -1 with an exception,
   if a warning about its value has been made one.  May run Python code. */
int policy_init(struct stack_policy *policy);

/* For one that is about to start to call `run`: give it a stack if it is to have one.
   Returns for how many bytes of frames it should have room, or 0.  Runs no Python
   code. */
size_t policy_start(struct thread *thread, struct greenlet *greenlet,
                    PyObject *run);

/* The running greenlet is about to park with more frames than it had room for.
   Runs no Python code. */
void policy_note_frames(struct thread *thread, struct greenlet *greenlet);

/* The running greenlet, which has a stack of its own and whose run is still known,
   ends.  Runs no Python code. */
void policy_note_end(struct thread *thread, struct greenlet *greenlet);

/* The witness of the stack machine. */
slice_witness policy_witness;

/* The home of the stack that a greenlet has of its own; NULL if it has none. */
static inline struct stack_home *
policy_home(const struct greenlet *greenlet)
{
    return greenlet->slice.has_own_stack
               ? (struct stack_home *)greenlet->slice.own->room
               : NULL;
}

/* The Python function stack_policy(), and its result's type, a new reference. */
PyObject *policy_function(PyObject *module, PyObject *args, PyObject *kwargs);
PyTypeObject *policy_new_type(void);

#endif
