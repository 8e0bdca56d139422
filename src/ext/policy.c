/* Which greenlets get a stack of their own; see policy.h. */

#include "core/compiler.h"
#include "core/headroom.h"
#include "policy.h"

#include <stdlib.h>

#include "docs.h"
#include "thread.h"

/* Bytes of frames whose visit at a switch costs as much as copying SLICE_DEEP bytes. */
#define FRAMES_DEEP ((size_t)4096)

/* The limit of nested calls that Python begins with.  A program that has set a larger
   limit means to use as much stack as it can have. */
#define USUAL_RECURSION 1000

/* Seconds: fewer milliseconds than a uint32_t can be. */
#define IDLE_LONGEST 1000000

static_assert(sizeof(struct stack_home) <= MAPPED_STACK_ROOM,
              "a stack has room for its home");

static const char *const mode_names[] = {
    [STACKS_AUTOMATIC] = "automatic",
    [STACKS_SHARED] = "shared",
    [STACKS_OWN] = "own",
};

/* -1 if no mode has this name. */
static int
mode_of(const char *name)
{
    for (int mode = STACKS_AUTOMATIC; mode <= STACKS_OWN; mode++) {
        if (strcmp(name, mode_names[mode]) == 0) {
            return mode;
        }
    }
    return -1;
}

int
policy_init(struct stack_policy *policy)
{
    policy->mode = STACKS_AUTOMATIC;
    policy->size = 0;
    policy->idle = IDLE_USUAL;
    (void)headroom_of_stack(); /* it may be less later, and is remembered */
    const char *name = getenv("GREENLET_STACK_POLICY");
    if (name == NULL || name[0] == '\0') {
        return 0;
    }
    int mode = mode_of(name);
    if (mode < 0) {
        return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                                "GREENLET_STACK_POLICY is '%s', not "
                                "'automatic', 'shared' or 'own'",
                                name);
    }
    policy->mode = (enum stack_mode)mode;
    return 0;
}

/* The size of stacks for greenlets of that thread, in bytes. */
static inline size_t
stack_size(const struct thread *thread, const struct stack_policy *policy)
{
    if (policy->size != 0) {
        return policy->size;
    }
    return policy->mode == STACKS_OWN || thread->is_shared ? STACK_AS_POSSIBLE
                                                           : STACK_AS_THREADS;
}

/* The lowest address for the interpreter's calls.  Where the system has raised its limit since
   the interpreter looked, they go no deeper than on the thread's own stack; that is for C. */
static inline const char *
stack_bottom(const struct thread *thread, const struct mapped_stack *own)
{
    const char *bottom = mapped_stack_bottom(own);
    size_t extent = homes_extent(&thread->homes);
    if (extent < HEADROOM_USUAL_STACK) {
        extent = HEADROOM_USUAL_STACK;
    }
    bool is_beyond = (size_t)(own->top - bottom) > extent
                     && thread->module->policy.size == 0;
    return is_beyond ? own->top - extent : bottom;
}

static NOT_INLINED void
take_stack(struct thread *thread, struct greenlet *greenlet)
{
    struct stack *stack = &thread->stack;
    stack->pool.size = stack_size(thread, &thread->module->policy);
    if (Py_GetRecursionLimit() > USUAL_RECURSION) {
        stack_pool_fit(&stack->pool);
    }
    if (slice_take_stack(stack, &greenlet->slice)) {
        const struct mapped_stack *own = greenlet->slice.own;
        home_init(policy_home(greenlet), thread->tstate,
                  stack_bottom(thread, own), own->top);
    }
}

HOT size_t
policy_start(struct thread *thread, struct greenlet *greenlet, PyObject *run)
{
    assert(greenlet_state(greenlet) == SLICE_UNSTARTED);
    const void *key = kinds_key((PyObject *)greenlet->object, run);
    struct expectation expected = kinds_expect(&thread->kinds, key);
    enum stack_mode mode = thread->module->policy.mode;
    greenlet->is_of_known_kind = expected.is_known;
    greenlet->is_deep = false;
    /* A shared thread state's sessions may be run by greenlets of another
       interpreter, each on a stack of its own: on those nothing is to be parked. */
    bool is_few
        = thread->stack.pool.used_count < POLICY_FEW && !expected.is_brief;
    bool pays = expected.is_deep || is_few || thread->is_shared;
    if (mode == STACKS_OWN || (pays && mode == STACKS_AUTOMATIC)) {
        take_stack(thread, greenlet);
    }
    return expected.frames_size;
}

/* NULL for main greenlets. */
static const void *
key_of(const struct greenlet *greenlet)
{
    return greenlet->run != NULL
               ? kinds_key((PyObject *)greenlet->object, greenlet->run)
               : NULL;
}

void
policy_note_frames(struct thread *thread, struct greenlet *greenlet)
{
    const void *key = key_of(greenlet);
    size_t size = state_frames_size(thread->tstate);
    if (key == NULL) {
        return;
    }
    kinds_learn_frames(&thread->kinds, key, size);
    if (size > FRAMES_DEEP && !greenlet->is_deep) {
        greenlet->is_deep = true;
        if (!greenlet->slice.has_own_stack) {
            kinds_learn_depth(&thread->kinds, key, true);
        }
    }
}

HOT void
policy_note_end(struct thread *thread, struct greenlet *greenlet)
{
    assert(greenlet->slice.has_own_stack && greenlet == thread_running(thread));
    size_t size = (size_t)(greenlet->slice.far - greenlet->slice.near);
    bool has_parked = size > 0;
    bool is_deep
        = greenlet->is_deep || size > SLICE_DEEP
          || state_parked_frames_size(&greenlet->interpreter, thread->tstate)
                 > FRAMES_DEEP;
    if (has_parked && !is_deep && !greenlet->is_of_known_kind) {
        return;
    }
    const void *key = key_of(greenlet);
    if (key == NULL) {
        return;
    }
    if (has_parked) {
        kinds_learn_depth(&thread->kinds, key, is_deep);
    }
    else {
        kinds_learn_brief(&thread->kinds, key);
    }
}

void
policy_witness(struct stack *stack, struct slice *slice)
{
    struct thread *thread = (struct thread *)stack;
    const void *key = key_of(greenlet_of_slice(slice));
    if (key != NULL) {
        kinds_learn_depth(&thread->kinds, key, true);
    }
}

/* The function */

static PyStructSequence_Field fields[] = {
    {"mode", "'automatic', 'shared' or 'own'"},
    {"limit", "how many stacks there may be at a time, in the process"},
    {"size", "of each, in bytes; 0 for as large as the thread's own"},
    {"mapped", "how many there are now, those kept for reuse included"},
    {"idle",
     "seconds after which a parked greenlet leaves its own; 0 for never"},
    {"vacated", "how many of `mapped` have been left by parked greenlets"},
    {NULL, NULL},
};

static PyStructSequence_Desc description = {
    "greenlet.StackPolicy",
    DOC_STACK_POLICY_TYPE,
    fields,
    6,
};

PyTypeObject *
policy_new_type(void)
{
    return PyStructSequence_NewType(&description);
}

/* Less than a millisecond was asked for if it is AT_ONCE. */
static double
seconds_of(uint32_t idle)
{
    if (idle == IDLE_NEVER) {
        return 0;
    }
    return idle == IDLE_AT_ONCE ? 1e-9 : idle / 1000.0;
}

static PyObject *
policy_report(struct module_state *module)
{
    PyObject *report = PyStructSequence_New(module->policy_type);
    if (report == NULL) {
        return NULL;
    }
    PyObject *values[] = {
        PyUnicode_FromString(mode_names[module->policy.mode]),
        PyLong_FromSize_t(mapped_stacks_limit()),
        PyLong_FromSize_t(module->policy.size),
        PyLong_FromSize_t(mapped_stacks_count()),
        PyFloat_FromDouble(seconds_of(module->policy.idle)),
        PyLong_FromSize_t(mapped_stacks_vacated()),
    };
    for (Py_ssize_t i = 0; i < 6; i++) {
        PyStructSequence_SetItem(report, i, values[i]);
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(report);
    }
    return report;
}

/* A number that may be left out; -1 with an exception. */
static int
parse_number(PyObject *object, const char *name, size_t *number)
{
    if (object == NULL || object == Py_None) {
        return 0;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(object, PyExc_OverflowError);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (value < 0) {
        PyErr_Format(PyExc_ValueError, "%s must not be negative", name);
        return -1;
    }
    *number = (size_t)value;
    return 0;
}

/* Bytes, made a multiple of any page's size; -1 with an exception. */
static int
parse_size(PyObject *object, size_t *size)
{
    if (parse_number(object, "size", size) < 0) {
        return -1;
    }
    if (*size != 0 && *size < HOME_SMALLEST) {
        PyErr_Format(
            PyExc_ValueError,
            "size must be 0, or at least %zu bytes, the least that this "
            "Python can be sure not to overrun",
            HOME_SMALLEST);
        return -1;
    }
    if (*size > (size_t)PY_SSIZE_T_MAX / 2) {
        PyErr_SetString(PyExc_ValueError, "size is too large");
        return -1;
    }
    size_t unit = (size_t)64 * 1024;
    *size = (*size + unit - 1) / unit * unit;
    return 0;
}

/* Seconds, made milliseconds; -1 with an exception. */
static int
parse_idle(PyObject *object, uint32_t *idle)
{
    if (object == NULL || object == Py_None) {
        return 0;
    }
    double seconds = PyFloat_AsDouble(object);
    if (seconds == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (!(seconds >= 0 && seconds <= IDLE_LONGEST)) {
        PyErr_Format(PyExc_ValueError,
                     "idle must be 0 or a number of seconds, up to %d",
                     IDLE_LONGEST);
        return -1;
    }
    *idle = seconds == 0 ? IDLE_NEVER : (uint32_t)(seconds * 1000);
    return 0;
}

PyObject *
policy_function(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "limit", "size", "idle", NULL};
    const char *name = NULL;
    PyObject *limit_object = NULL;
    PyObject *size_object = NULL;
    PyObject *idle_object = NULL;
    (void)self;
    struct module_state *module = module_state();
    if (module == NULL
        || !PyArg_ParseTupleAndKeywords(args, kwargs, "|z$OOO:stack_policy",
                                        names, &name, &limit_object,
                                        &size_object, &idle_object))
    {
        return NULL;
    }
    struct stack_policy policy = module->policy;
    size_t limit = SIZE_MAX;
    if (name != NULL) {
        int mode = mode_of(name);
        if (mode < 0) {
            PyErr_Format(PyExc_ValueError,
                         "the policy is 'automatic', 'shared' or 'own', not %s",
                         name);
            return NULL;
        }
        policy.mode = (enum stack_mode)mode;
    }
    if (parse_number(limit_object, "limit", &limit) < 0
        || parse_size(size_object, &policy.size) < 0
        || parse_idle(idle_object, &policy.idle) < 0)
    {
        return NULL;
    }
    PyObject *before = policy_report(module);
    if (before != NULL) {
        module->policy = policy;
        struct thread *thread = thread_last_used();
        if (thread != NULL) {
            thread->stack.until_watch = 1;
        }
        if (limit != SIZE_MAX) {
            mapped_stacks_set_limit(limit);
        }
    }
    return before;
}
