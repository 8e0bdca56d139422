/* The tests of this folder, by name. */

#ifndef GREENLET_TESTS_CPYTHON_TESTS_H
#define GREENLET_TESTS_CPYTHON_TESTS_H

/* Each aborts at the first check that does not hold.  It returns NULL when it has run, or why
   there is nothing to test; it is the only one of its process. */
#define FOR_EACH_TEST(DO)                                                      \
    DO(slab_classes_grow)                                                      \
    DO(slab_chunks_are_apart)                                                  \
    DO(slab_chunk_is_reused)                                                   \
    DO(slab_goes_back_when_empty)                                              \
    DO(slab_is_kept_at_the_edge)                                               \
    DO(slab_without_memory)                                                    \
    DO(store_of_the_main_interpreter_lasts)                                    \
    DO(store_that_is_none_is_closed)                                           \
    DO(store_closed_when_empty_is_gone)                                        \
    DO(store_closed_before_its_chunks_ends_with_them)                          \
    DO(store_does_not_mix_with_another)                                        \
    DO(store_is_opened_for_each_own_gil)                                       \
    DO(datastack_has_the_smallest_class_that_is_enough)                        \
    DO(datastack_is_freed_once)                                                \
    DO(datastack_is_freed_without_a_pool)                                      \
    DO(datastack_gives_all_chunks_back)                                        \
    DO(datastack_needed_counts_all_chunks)                                     \
    DO(datastack_travels_in_three_fields)                                      \
    DO(datastack_without_a_chunk_has_no_limit)                                 \
    DO(datastack_survives_each_failure)                                        \
    DO(state_is_prepared_and_cancelled)                                        \
    DO(state_knows_what_its_frames_took)                                       \
    DO(state_that_is_abandoned_gives_chunks_back)                              \
    DO(state_that_is_left_gives_chunks_back)                                   \
    DO(state_that_ran_is_forgotten)                                            \
    DO(pool_keeps_what_its_limit_allows)                                       \
    DO(pool_keeps_fewer_large_chunks)                                          \
    DO(pool_gives_nothing_of_another)                                          \
    DO(interpreter_never_frees_the_root)                                       \
    DO(interpreter_finds_what_it_needed)                                       \
    DO(cache_keeps_ordinary_chunks)                                            \
    DO(cache_leaves_other_sizes)                                               \
    DO(cache_is_installed_once)                                                \
    DO(cache_takes_what_is_older)                                              \
    DO(cache_serves_many_threads)                                              \
    DO(random_programs_agree_with_a_model)

#define DECLARE(name) const char *name(void);
FOR_EACH_TEST(DECLARE)
#undef DECLARE

#endif
