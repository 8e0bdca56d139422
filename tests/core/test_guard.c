/* No second stack of return addresses is in force where these tests run, since they
   switch; nothing else must be taken for one. */

#include "harness.h"

static struct coroutine *
ask(struct machine *machine, struct coroutine *self)
{
    (void)self;
    CHECK(!stack_is_guarded());
    return &machine->main;
}

int
main(void)
{
    struct machine machine;
    struct coroutine coroutine;
    CHECK(!stack_is_guarded());
    machine_init(&machine);
    coroutine_init(&coroutine, ask, NULL);
    coroutine_switch(&machine, &coroutine);
    machine_release(&machine);
    return 0;
}
