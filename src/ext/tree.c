/* Parents, and what is remembered of them; see tree.h. */

#include "tree.h"

_Atomic(uint32_t) tree_thread_moves;

void
tree_forget_threads(void)
{
    uint32_t moves = tree_thread_moves_now();
    while (moves < UINT32_MAX
           && !atomic_compare_exchange_weak_explicit(
               &tree_thread_moves, &moves, moves + 1, memory_order_relaxed,
               memory_order_relaxed))
    {}
}

/* Remembered, so that a long chain of unstarted parents is not walked time and
   again.  The record remembered is alive: the main greenlet at the end of the
   chain has a reference to it. */
struct thread *
tree_find_thread(struct greenlet *greenlet)
{
    struct greenlet *known = greenlet;
    struct thread *thread;
    while ((thread = known->thread) == NULL
           && (thread = tree_remembered_thread(known)) == NULL)
    {
        if (known->parent == NULL) {
            return NULL;
        }
        known = greenlet_of(known->parent);
    }
    for (; greenlet != known; greenlet = greenlet_of(greenlet->parent)) {
        tree_remember_thread(greenlet, thread);
    }
    return thread;
}

struct thread *
tree_stop_and_find_thread(struct greenlet *greenlet)
{
    world_stop();
    struct thread *thread = tree_find_thread(greenlet);
    world_start();
    return thread;
}

bool
tree_descends_from(const struct greenlet *greenlet,
                   const struct greenlet *ancestor)
{
    while (greenlet != ancestor && greenlet->parent != NULL) {
        greenlet = greenlet_of(greenlet->parent);
    }
    return greenlet == ancestor;
}

PyGreenlet *
tree_swap_parent(struct thread *thread, struct greenlet *greenlet,
                 PyGreenlet *parent)
{
    assert(parent != NULL && !greenlet_is_main(greenlet));
    PyGreenlet *previous = greenlet->parent;
    greenlet_of(parent)->has_children = true;
    greenlet->parent = parent;
    if (thread != NULL) {
        thread->parent_swaps++;
    }
    return previous;
}

/* Exchange the parent for `*parent`, unless that may not be: then say why. */
static const char *
exchange_parent(struct greenlet *greenlet, PyGreenlet **parent)
{
    struct greenlet *wanted = greenlet_of(*parent);
    if (wanted == greenlet
        || (greenlet->has_children && tree_descends_from(wanted, greenlet)))
    {
        return "cyclic parent chain";
    }
    struct thread *thread = tree_find_thread(wanted);
    if (thread != tree_find_thread(greenlet)) {
        if (greenlet->thread != NULL) {
            return "parent cannot be on a different thread";
        }
        tree_forget_threads();
    }
    greenlet->is_killed = false;
    *parent = tree_swap_parent(thread, greenlet, *parent);
    return NULL;
}

int
tree_set_parent(struct greenlet *greenlet, struct greenlet *parent)
{
    assert(!greenlet_is_main(greenlet));
    PyGreenlet *exchanged = (PyGreenlet *)Py_NewRef(parent->object);
    bool is_look
        = FREE_THREADED && !(tree_is_own(greenlet) && tree_is_own(parent));
    if (is_look) {
        world_stop();
    }
    const char *fault = exchange_parent(greenlet, &exchanged);
    if (is_look) {
        world_start();
    }
    Py_XDECREF(exchanged);
    if (fault != NULL) {
        PyErr_SetString(PyExc_ValueError, fault);
        return -1;
    }
    return 0;
}
