/* The state of an interpreter: what all its threads share.

   It hangs in the interpreter's own dict, not in the module object: it is needed where
   there is no module at hand, and it has to outlive a module that is removed from
   sys.modules. */

#ifndef GREENLET_EXT_STATE_H
#define GREENLET_EXT_STATE_H

#include "object.h"

struct thread;
struct hook_list;

enum stack_mode {
    STACKS_AUTOMATIC,
    STACKS_SHARED,
    STACKS_OWN,
};

struct stack_policy {
    enum stack_mode mode;
    size_t size;   /* bytes; 0 for as large as the thread's own may become */
    uint32_t idle; /* milliseconds until a parked greenlet gives its stack up */
};

#define IDLE_AT_ONCE ((uint32_t)0) /* at each switch, for tests */
#define IDLE_NEVER UINT32_MAX
#define IDLE_USUAL ((uint32_t)500)

/* Entries of the C API's table; the order is part of the binary interface and
   stands in greenlet.h. */
#define CAPI_ENTRIES 12

struct module_state {
    PyTypeObject *type; /* greenlet.greenlet */
    PyTypeObject
        *spared_type; /* the same; NULL while hooks are to know of creations,
                                  and greenlets are not made of spares */
    struct hook_list *hooks; /* see hooks.h */
    PyObject *error;
    PyObject *greenlet_exit;
    PyObject *vanished_reason; /* what the GreenletExit of a kill says */
    PyObject *no_arguments;    /* the empty tuple */
    PyObject *name_run;
    PyObject *name_switch;
    PyObject *name_throw;
    PyObject *thread_key; /* of the thread record in a thread's dict */
    PyObject *capi;       /* the capsule around `capi_table` */
    PyObject *capi_2;     /* the capsule around the second table */
    void *capi_table[CAPI_ENTRIES];
    PyTypeObject *policy_type;
    struct stack_policy policy;
    struct chunk_store *chunk_store;
    bool cleanup_enabled;           /* see enable_optional_cleanup */
    PyObject *trace_of_new_threads; /* what their `trace` begins as, or NULL */
    struct thread
        *threads; /* borrowed; the living records of the interpreter */
    Py_ssize_t ending_threads;     /* how many of `threads` are ending, */
    Py_ssize_t late_threads;       /* and how many of these are late */
    PyObject *end_variable;        /* a context variable, see threads.h */
    PyObject *watcher;             /* for kill.h, with the next two: */
    PyObject *collector_callbacks; /* gc.callbacks */
    PyObject *collector_listener;  /* what may be among the callbacks */
    struct lock threads_lock;      /* of `threads` and their numbers */
    _Atomic(int) is_called;        /* 1: a pending call is asked for, or has not
                                returned.  riscv64 exchanges no less than an int */
};

/* The key of the state in the interpreter's dict, and the name of its capsule. */
extern const char module_state_name[];

/* The capsule in the dict of the interpreter, borrowed; NULL if there is none, with an
   exception if it could not be looked for.  Runs no Python code. */
PyObject *module_state_capsule(PyObject *key);

/* The state in the capsule that `find` returns; NULL if `find` returns NULL, with the
   exception, if any, that `find` has set.  Runs what `find` runs. */
struct module_state *module_state_by(PyObject *(*find)(PyObject *key));

/* The calling interpreter's state, which is there before anybody can see the module;
   NULL with an exception if greenlet has not been imported in this interpreter, or if
   that has let go of it at its end.  Runs no Python code. */
struct module_state *module_state(void);

#endif
