/* Module state: what one interpreter shares between all its threads. */

#ifndef GREENLET_EXT_MODULE_H
#define GREENLET_EXT_MODULE_H

#include "object.h"

#include "policy.h"

struct thread;

/* Entries of the C API's table; the order is part of the binary interface and
   stands in greenlet.h. */
#define CAPI_ENTRIES 12

struct module_state {
    PyTypeObject *type; /* greenlet.greenlet */
    PyObject *error;
    PyObject *greenlet_exit;
    PyObject *vanished_reason;   /* what the GreenletExit of a kill says */
    PyObject *thread_end_reason; /* the same at the end of a thread */
    PyObject *no_arguments;      /* the empty tuple */
    PyObject *name_run;
    PyObject *name_switch;
    PyObject *name_throw;
    PyObject *thread_key; /* of the thread record in a thread's dict */
    PyObject *capi;       /* the capsule around `capi_table` */
    void *capi_table[CAPI_ENTRIES];
    PyTypeObject *policy_type;
    struct stack_policy policy;
    struct chunk_store *chunk_store;
    bool cleanup_enabled;           /* see enable_optional_cleanup */
    PyObject *trace_of_new_threads; /* what their `trace` begins as, or NULL */
    struct thread
        *threads; /* borrowed; the living records of the interpreter */
};

/* The calling interpreter's state; NULL with an exception if there is none
   any more.  Runs no Python code. */
struct module_state *module_state(void);

#endif
