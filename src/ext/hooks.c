/* Lists of switch hooks; see hooks.h. */

#include "hooks.h"

#include <stdatomic.h>

#include "thread_list.h"

struct hook {
    PyGreenlet_Hook function;
    void *data;
    void (*release)(void *data);
    uint64_t number;
    unsigned events;
    bool runs_no_python;
    bool is_removed;
    Py_ssize_t references; /* of lists */
};

struct hook_list {
    Py_ssize_t references; /* the interpreter's, and of reports under way */
    unsigned events;       /* of all hooks together */
    bool run_no_python;    /* none of them does */
    size_t count;
    struct hook *hooks[];
};

/* `count` hooks may be put into it, with a reference to each. */
static struct hook_list *
list_new(size_t count)
{
    struct hook_list *list
        = PyMem_RawMalloc(sizeof *list + count * sizeof(struct hook *));
    if (list != NULL) {
        *list = (struct hook_list){.references = 1, .run_no_python = true};
    }
    return list;
}

static void
list_append(struct hook_list *list, struct hook *hook)
{
    (void)SHARED_ADD(hook->references, 1);
    list->hooks[list->count++] = hook;
    list->events |= hook->events;
    list->run_no_python = list->run_no_python && hook->runs_no_python;
}

static void
hook_let_go(struct hook *hook)
{
    if (SHARED_ADD(hook->references, -1) == 0) {
        if (hook->release != NULL) {
            hook->release(hook->data);
        }
        PyMem_RawFree(hook);
    }
}

/* May run what the hooks release, after nobody knows the list any more. */
static void
list_let_go(struct hook_list *list)
{
    if (list != NULL && SHARED_ADD(list->references, -1) == 0) {
        for (size_t i = 0; i < list->count; i++) {
            hook_let_go(list->hooks[i]);
        }
        PyMem_RawFree(list);
    }
}

/* A new reference to the list of the interpreter, which is NULL where there are no hooks.  The
   world cannot stop between the two steps. */
static struct hook_list *
list_of(const struct module_state *module)
{
    struct hook_list *list = SHARED_LOAD(module->hooks);
    if (list != NULL) {
        (void)SHARED_ADD(list->references, 1);
    }
    return list;
}

/* Is any of these events for a hook of the interpreter? */
static bool
wants(const struct module_state *module, unsigned events)
{
    const struct hook_list *list = SHARED_LOAD(module->hooks);
    return list != NULL && (list->events & events) != 0;
}

/* What depends on the list.  With the world stopped. */
static void
spread(struct module_state *module)
{
    bool wants_creations = wants(module, PyGreenlet_EVENT_CREATE);
    module->spared_type = wants_creations ? NULL : module->type;
    thread_list_note_hooks(module, wants(module, HOOK_SWITCHES));
}

/* Put `list`, whose reference is the interpreter's then, in the place of `known`, unless another
   one is there by now.  `removed` may be NULL. */
static bool
list_exchange(struct module_state *module, struct hook_list *known,
              struct hook_list *list, struct hook *removed)
{
    world_stop();
    bool is_known = module->hooks == known;
    if (is_known) {
        SHARED_STORE(module->hooks, list);
        if (removed != NULL) {
            SHARED_STORE(removed->is_removed, true);
        }
        spread(module);
    }
    world_start();
    return is_known;
}

/* Without hooks there is no list.  -1 when out of memory, 0 if the list of the interpreter has
   become another one meanwhile. */
static int
list_replace(struct module_state *module, struct hook_list *known,
             struct hook *added, struct hook *removed)
{
    size_t count = known != NULL ? known->count : 0;
    struct hook_list *list = NULL;
    if (added != NULL || count > 1) {
        list = list_new(count + (added != NULL));
        if (list == NULL) {
            return -1;
        }
        for (size_t i = 0; i < count; i++) {
            if (known->hooks[i] != removed) {
                list_append(list, known->hooks[i]);
            }
        }
        if (added != NULL) {
            list_append(list, added);
        }
    }
    bool is_done = list_exchange(module, known, list, removed);
    /* The interpreter's reference to the one that is in force no more. */
    list_let_go(is_done ? known : list);
    return is_done;
}

static uint64_t
next_number(void)
{
    static _Atomic(uint64_t) last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

uint64_t
hooks_add(struct module_state *module, PyGreenlet_Hook function, void *data,
          unsigned events, unsigned flags, void (*release)(void *data))
{
    struct hook *hook = PyMem_RawMalloc(sizeof *hook);
    if (hook == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    uint64_t number = next_number();
    *hook = (struct hook){
        .function = function,
        .data = data,
        .release = release,
        .number = number,
        .events = events & HOOK_EVENTS,
        .runs_no_python = (flags & PyGreenlet_HOOK_RUNS_NO_PYTHON) != 0,
        .references = 1,
    };
    int done = 0;
    while (done == 0) {
        struct hook_list *known = list_of(module);
        done = list_replace(module, known, hook, NULL);
        list_let_go(known);
    }
    if (done < 0) {
        PyMem_RawFree(hook); /* and the data is still the caller's */
        PyErr_NoMemory();
        return 0;
    }
    hook_let_go(hook);
    return number;
}

static struct hook *
list_find(const struct hook_list *list, uint64_t number)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (list->hooks[i]->number == number) {
            return list->hooks[i];
        }
    }
    return NULL;
}

int
hooks_remove(struct module_state *module, uint64_t number)
{
    int done = 0;
    bool is_there = true;
    while (done == 0 && is_there) {
        struct hook_list *known = list_of(module);
        struct hook *hook = list_find(known, number);
        is_there = hook != NULL;
        if (is_there) {
            done = list_replace(module, known, NULL, hook);
        }
        list_let_go(known);
    }
    if (done < 0) {
        PyErr_NoMemory();
    }
    return done;
}

void
hooks_clear(struct module_state *module)
{
    struct hook_list *list = module->hooks;
    if (list != NULL) {
        (void)list_exchange(module, list, NULL, NULL);
        list_let_go(list);
    }
}

/* There may be hooks since before the record came on the list.  The world cannot stop between
   looking and noting. */
void
hooks_note_thread(struct thread *thread)
{
    thread->has_hooks = wants(thread->module, HOOK_SWITCHES);
    thread_update_attention(thread);
}

/* Some of them may run Python code.  No exception is set. */
static NOT_INLINED void
report_carefully(const struct thread *thread, unsigned events,
                 PyGreenlet *origin, PyGreenlet *target)
{
    struct hook_list *list = list_of(thread->module);
    for (size_t i = 0; i < list->count; i++) {
        const struct hook *hook = list->hooks[i];
        if ((hook->events & events) && !SHARED_LOAD(hook->is_removed)
            && hook->function(hook->data, events, origin, target) < 0)
        {
            PyErr_WriteUnraisable((PyObject *)target);
        }
    }
    list_let_go(list);
}

/* The same where the exception is set that is handed over. */
static OUT_OF_LINE void
report_throw(const struct thread *thread, unsigned events, PyGreenlet *origin,
             PyGreenlet *target)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    report_carefully(thread, events, origin, target);
    PyErr_Restore(type, value, traceback);
}

HOT void
hooks_report(const struct thread *thread, unsigned events, PyGreenlet *origin,
             PyGreenlet *target)
{
    const struct hook_list *list = SHARED_LOAD(thread->module->hooks);
    if (list == NULL || !(list->events & events)) {
        return;
    }
    if (!list->run_no_python) {
        if (events & PyGreenlet_EVENT_THROW) {
            report_throw(thread, events, origin, target);
        }
        else {
            report_carefully(thread, events, origin, target);
        }
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct hook *hook = list->hooks[i];
        if (hook->events & events) {
            (void)hook->function(hook->data, events, origin, target);
        }
    }
}
