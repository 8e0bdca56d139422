/* What is handed over at a switch: arguments, or an exception. */

#ifndef GREENLET_EXT_MESSAGE_H
#define GREENLET_EXT_MESSAGE_H

#include "state.h"

struct message {
    enum message_kind kind;
    PyObject *args;                 /* owned; as `kind` says, or NULL */
    PyObject *const *arguments_end; /* see state_note_arguments */
};

/* The arguments of a message for a call, borrowed; there may be no keywords. */
PyObject *message_positional(const struct message *message);
PyObject *message_keywords(const struct message *message);

/* Add keywords to a message that has none; -1 with an exception.  May run Python code: it
   allocates. */
int message_add_keywords(struct message *message, PyObject *kwargs);

/* A tuple of the positional arguments of a vectorcall, a new reference; NULL with an
   exception.  May run Python code: it allocates. */
PyObject *message_pack(PyObject *const *args, Py_ssize_t count);

/* Make a message of the arguments of a vectorcall; -1 with an exception.  May run Python
   code: it allocates. */
int message_collect(struct message *message, PyObject *const *args,
                    Py_ssize_t count, PyObject *keywords);

/* What a parked greenlet sees of a message: a new reference; NULL if it is
   about an exception.  Runs no Python code. */
PyObject *message_unpack(const struct message *message);

/* GreenletExit ends a greenlet without being an error: the exception that is set
   becomes a value, a new reference.  NULL if it is another exception, which stays set.
   May run Python code. */
PyObject *message_take_exit(const struct module_state *module);

#endif
