/* A million switches between two: each time both find everything in place, and
   the addresses at which they run stay the same. */

#include "harness.h"

#define WORDS 8

struct player {
    struct coroutine coroutine;
    unsigned long rounds;
    unsigned long played;
};

static struct coroutine *
player_body(struct machine *machine, struct coroutine *self)
{
    struct player *player = self->argument;
    uint64_t words[WORDS];
    pattern_fill(words, WORDS, 9);
    for (unsigned long i = 0; i < player->rounds; i++) {
        coroutine_switch(machine, &machine->main);
        player->played++;
        CHECK_INT(player->played, ==, i + 1);
    }
    pattern_check(words, WORDS, 9);
    return &machine->main;
}

int
main(void)
{
    struct machine machine;
    struct player player = {.rounds = scaled(500000)};
    machine_init(&machine);
    coroutine_init(&player.coroutine, player_body, &player);
    coroutine_switch(&machine, &player.coroutine);
    const char *near = player.coroutine.slice.near;
    const char *far = player.coroutine.slice.far;
    const char *main_near = NULL;
    for (unsigned long i = 0; i < player.rounds; i++) {
        CHECK_INT(player.played, ==, i);
        CHECK_POINTER(player.coroutine.slice.near, ==, near);
        CHECK_POINTER(player.coroutine.slice.far, ==, far);
        coroutine_switch(&machine, &player.coroutine);
        CHECK(main_near == NULL || main_near == machine.main.slice.near);
        main_near = machine.main.slice.near;
    }
    CHECK_INT(player.played, ==, player.rounds);
    CHECK_INT(player.coroutine.slice.state, ==, SLICE_DEAD);
    machine_release(&machine);
    return 0;
}
