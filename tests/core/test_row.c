/* A long row of coroutines does not creep down the stack: one that is started
   by a dying one begins where that one began. */

#include "harness.h"

struct row {
    struct coroutine coroutines[2]; /* by turns the dying and the new one */
    unsigned long left;
    const char *address; /* at which all of them run */
};

static FRAME_OF_ITS_OWN void
check_address(struct row *row)
{
    const char *address = __builtin_frame_address(0);
    if (row->address == NULL) {
        row->address = address;
    }
    CHECK_POINTER(address, ==, row->address);
}

static struct coroutine *
row_body(struct machine *machine, struct coroutine *self)
{
    struct row *row = self->argument;
    check_address(row);
    CHECK_POINTER(self->slice.older, ==, &machine->main.slice);
    if (row->left == 0) {
        return &machine->main;
    }
    row->left--;
    struct coroutine *next = &row->coroutines[row->left % 2];
    CHECK_POINTER(next, !=, self);
    coroutine_init(next, row_body, row);
    return next;
}

static void
test_started_by_dying(void)
{
    struct machine machine;
    struct row row = {.left = scaled(100000)};
    machine_init(&machine);
    coroutine_init(&row.coroutines[row.left % 2], row_body, &row);
    coroutine_switch(&machine, &row.coroutines[row.left % 2]);
    CHECK_INT(row.left, ==, 0);
    machine_release(&machine);
}

static struct coroutine *
single_body(struct machine *machine, struct coroutine *self)
{
    check_address(self->argument);
    return &machine->main;
}

static void
test_started_by_main(void)
{
    struct machine machine;
    struct row row = {.left = 0};
    machine_init(&machine);
    for (unsigned i = 0; i < scaled(100000); i++) {
        coroutine_init(&row.coroutines[0], single_body, &row);
        coroutine_switch(&machine, &row.coroutines[0]);
        CHECK_INT(row.coroutines[0].slice.state, ==, SLICE_DEAD);
    }
    machine_release(&machine);
}

int
main(void)
{
    test_started_by_dying();
    test_started_by_main();
    return 0;
}
