/* Which greenlets get a stack of their own.

   On the thread's own stack, which its greenlets share, a parked greenlet keeps only the
   bytes that it uses, and a switch copies them: best for shallow greenlets and for many.
   On a stack of its own nothing is copied, and no frames are visited at a switch; but the
   stack takes whole pages, and page tables: best for deep greenlets.

   So by default a greenlet starts on the shared stack, unless of its kind (kinds.h)
   at least one in four has been seen parked deep: with a slice larger than
   SLICE_DEEP, or with frames that are larger than FRAMES_DEEP.  On the shared stack a
   greenlet is found to be deep when the first bytes beyond that are copied; on a stack of
   its own when it ends, from where it was last parked.  While a thread has POLICY_FEW
   stacks of their own at most, their memory is nothing against the quarter of each switch
   that they save, and every greenlet gets a stack, except greenlets of a kind that hardly
   ever parks: making the stack is a tenth of a life without a switch in between.

   A program can ask that all greenlets have their own stacks, or none, and set how many
   stacks there may be, and their size.  Where no stack can be had, the shared stack
   serves: nothing fails.  The shared stack serves as well where no other stack could be as
   large as it may become, unless the program has asked for stacks of their own.  The
   system's limit of the shared stack can be raised at any time; whoever raises it for the
   sake of recursion in Python raises the interpreter's limit, too, and then the system's is
   looked at before each start. */

#ifndef GREENLET_EXT_POLICY_H
#define GREENLET_EXT_POLICY_H

#include "state.h"

struct thread;

/* The stacks of more greenlets would not stay in the processor's caches; slices of the
   shared stack are denser. */
#define POLICY_FEW 16

/* Make the policy that the environment variable GREENLET_STACK_POLICY names.  A wrong name
   is a warning; -1 with an exception if a filter has made the warning an exception.  May
   run Python code. */
int policy_init(struct stack_policy *policy);

/* Give a greenlet that is about to start, to call `run`, a stack if it is to have its own.
   Returns how many bytes of frames the greenlet should have room for, or 0.  Runs no
   Python code. */
size_t policy_start(struct thread *thread, struct greenlet *greenlet,
                    PyObject *run);

/* The running greenlet is about to park with more frames than it had room for.
   Runs no Python code. */
void policy_note_frames(struct thread *thread, struct greenlet *greenlet);

/* The running greenlet, which has a stack of its own and whose run is still known,
   ends.  Runs no Python code. */
void policy_note_end(struct thread *thread, struct greenlet *greenlet);

/* The witness of the stack machine (slice.h) that notes which kinds of greenlets are
   deep.  Runs no Python code. */
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
