/* The living thread records of an interpreter. */

#include "thread_list.h"

void
thread_list_add(struct thread *thread)
{
    struct module_state *module = thread->module;
    lock_take(&module->threads_lock);
    struct thread **first = &module->threads;
    thread->next = *first;
    RELAXED_STORE(thread->link, first);
    if (thread->next != NULL) {
        RELAXED_STORE(thread->next->link, &thread->next);
    }
    *first = thread;
    (void)SHARED_ADD(module->ending_threads, thread->is_ending);
    (void)SHARED_ADD(module->late_threads, thread->is_late);
    lock_leave(&module->threads_lock);
}

static void
unlink_record(struct thread *thread)
{
    if (thread->link != NULL) {
        (void)SHARED_ADD(thread->module->ending_threads, -thread->is_ending);
        (void)SHARED_ADD(thread->module->late_threads, -thread->is_late);
        *thread->link = thread->next;
        if (thread->next != NULL) {
            RELAXED_STORE(thread->next->link, thread->link);
        }
        thread->next = NULL;
        RELAXED_STORE(thread->link, NULL);
    }
}

/* A record that is not listed may have outlived the state of its interpreter. */
void
thread_list_remove(struct thread *thread)
{
    if (RELAXED_LOAD(thread->link) != NULL) {
        struct lock *lock = &thread->module->threads_lock;
        lock_take(lock);
        unlink_record(thread);
        lock_leave(lock);
    }
}

void
thread_list_clear(struct module_state *module)
{
    lock_take(&module->threads_lock);
    while (module->threads != NULL) {
        unlink_record(module->threads);
    }
    lock_leave(&module->threads_lock);
}

void
thread_list_note_ending(struct thread *thread)
{
    assert(!thread->is_ending);
    lock_take(&thread->module->threads_lock);
    thread->is_ending = true;
    (void)SHARED_ADD(thread->module->ending_threads, 1);
    lock_leave(&thread->module->threads_lock);
}

void
thread_list_note_hooks(const struct module_state *module, bool has_hooks)
{
    struct thread *thread = module->threads;
    for (; thread != NULL; thread = thread->next) {
        thread->has_hooks = has_hooks;
        thread_update_attention(thread);
    }
}

struct thread *
thread_list_find_ending(struct module_state *module, PyThreadState *tstate)
{
    lock_take(&module->threads_lock);
    struct thread *thread = module->threads;
    while (thread != NULL
           && !(thread->is_ending && thread_state(thread) == tstate))
    {
        thread = thread->next;
    }
    lock_leave(&module->threads_lock);
    return thread;
}

struct thread *
thread_list_take_over(struct module_state *module)
{
    struct thread *taken = NULL;
    world_stop();
    struct thread *next;
    for (struct thread *each = module->threads; each != NULL; each = next) {
        next = each->next;
        if (each->is_late && !tstate_lives(each->state_number)) {
            unlink_record(each);
            each->next = taken;
            taken = each;
        }
    }
    world_start();
    return taken;
}
