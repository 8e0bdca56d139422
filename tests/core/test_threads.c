/* Threads that have a machine each do not disturb one another. */

#include <pthread.h>
#include <string.h>

#include "core/mapped_stack.h"
#include "harness.h"
#include "random_program.h"

#define THREADS 4

struct job {
    uint64_t seed;
    struct random_program_counts counts;
};

static void
job_do(struct job *job)
{
    for (uint64_t i = 0; i < scaled(20); i++) {
        random_program_run(job->seed + i, 500, false, &job->counts);
    }
}

static void *
thread_run(void *argument)
{
    job_do(argument);
    return NULL;
}

int
main(void)
{
    pthread_t threads[THREADS];
    struct job jobs[THREADS] = {{0}};
    /* With 32 bits there are too few addresses for all of them at a time. */
    if (sizeof(void *) < 8) {
        mapped_stacks_set_limit(0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i].seed = UINT64_C(1000) * (i + 1);
        CHECK_INT(pthread_create(&threads[i], NULL, thread_run, &jobs[i]), ==,
                  0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), ==, 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        struct job alone = {.seed = jobs[i].seed};
        job_do(&alone);
        CHECK_INT(alone.counts.starts, >, 10);
        CHECK_INT(memcmp(&alone.counts, &jobs[i].counts, sizeof alone.counts),
                  ==, 0);
    }
    return 0;
}
