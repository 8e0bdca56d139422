/* The switching protocol: who runs next, with what in its hands. */

#ifndef GREENLET_EXT_SWITCH_H
#define GREENLET_EXT_SWITCH_H

#include "object.h"

/* What is handed over.  With `args` NULL it is the exception that is set. */
struct message {
    PyObject *args;    /* owned; a tuple */
    bool has_keywords; /* args are a pair: a tuple, and a dict that is not
                          empty */
    bool is_exit;      /* args are the GreenletExit that ended a greenlet, of
                          which one that has not started is told nothing */
};

/* The arguments of a message for a call, borrowed; there may be no keywords. */
PyObject *message_positional(const struct message *message);
PyObject *message_keywords(const struct message *message);

/* To a message that has none; -1 with an exception.  Allocates, and so may run
   Python code. */
int message_add_keywords(struct message *message, PyObject *kwargs);

/* Make a message of the arguments of a vectorcall; -1 with an exception.
   Allocates, and so may run Python code. */
int message_collect(struct message *message, PyObject *const *args,
                    Py_ssize_t count, PyObject *keywords);

/* The method switch(), and what it comes to from C.  switch_message consumes
   the message; both return a new reference, or NULL with an exception, once
   somebody has switched back.  Run Python code and switch. */
PyObject *switch_method(PyObject *self, PyObject *const *args, Py_ssize_t count,
                        PyObject *keywords);
PyObject *switch_message(PyGreenlet *target, struct message message);

/* The method throw(), and what it comes to from C.  NULL stands for what is
   not given. */
PyObject *throw_method(PyObject *self, PyObject *const *args, Py_ssize_t count,
                       PyObject *keywords);
PyObject *throw_exception(PyGreenlet *target, PyObject *type, PyObject *value,
                          PyObject *traceback);

/* Throw GreenletExit, which says `reason`, into a parked greenlet of the calling
   thread and come back.  Another exception that leaves it is reported as
   unraisable; the one that is set stays set.  Runs Python code and switches. */
void switch_kill(struct greenlet *greenlet, PyObject *reason);

/* The first function of every greenlet, and what every switch ends with; for
   the thread record. */
void switch_entry(struct stack *stack);
void *switch_land(struct stack *stack, struct slice *arrived);

#endif
