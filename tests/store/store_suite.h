/* What every store must do, written against <tranche/store.h> alone.
 *
 * An implementation brings a place: its `open` makes a new store at the first call, and afterwards opens what was
 * committed there before. Its test program then makes a test of each case:
 *
 *     #define X(name) Test(sqlite, name) { run(store_case_##name); }
 *     STORE_CASES(X)
 *     #undef X
 */
#ifndef STORE_SUITE_H
#define STORE_SUITE_H

#include <tranche/store.h>

struct store_place {
    struct tranche_store *(*open)(struct store_place *place);
};

#define STORE_CASES(X)                                       \
    X(new_store_is_empty)                                    \
    X(job_comes_back_as_written)                             \
    X(job_id_is_taken_once)                                  \
    X(job_update_writes_what_may_change)                     \
    X(jobs_are_found_by_state_oldest_first)                  \
    X(batch_is_replaced)                                     \
    X(members_come_back_in_order)                            \
    X(intents_are_replaced_and_dropped)                      \
    X(waiting_devices_are_replaced_and_dropped)              \
    X(attempt_has_one_result)                                \
    X(rollback_leaves_nothing)                               \
    X(texts_survive_a_rollback)                              \
    X(closing_rolls_back)                                    \
    X(reader_sees_what_is_committed)                         \
    X(commit_number_is_that_of_the_last_commit)              \
    X(clock_is_that_of_the_last_commit)                      \
    X(jobs_page_goes_back_in_time)                           \
    X(batches_page_goes_forward)                             \
    X(devices_page_shows_where_each_device_is)               \
    X(devices_page_is_empty_before_the_freeze)               \
    X(devices_page_shows_the_last_word_only)                 \
    X(devices_page_keeps_the_ids_of_deleted_devices)         \
    X(recount_counts_rows)                                   \
    X(device_keeps_its_number)                               \
    X(deleted_device_leaves_a_tombstone)                     \
    X(broken_properties_are_refused)                         \
    X(group_is_replaced)                                     \
    X(imports_are_open_until_done)                           \
    X(imports_are_remembered_with_their_end)                 \
    X(filter_selects_bytewise_by_id)                         \
    X(selection_keeps_its_snapshot)                          \
    X(broken_filter_is_refused)                              \
    X(deeply_nested_filters_are_understood)                  \
    X(filters_select_what_they_say)                          \
    X(origin_selects_its_failures)                           \
    X(dropped_group_is_gone)                                 \
    X(groups_page_goes_by_id)                                \
    X(device_lists_go_by_id_or_by_name)                      \
    X(device_lists_leave_tombstones_out)                     \
    X(failures_are_grouped_by_reason)                        \
    X(open_devices_are_counted)                              \
    X(values_keep_every_byte)                                \
    X(components_beside_values)                              \
    X(only_younger_values_are_set)                           \
    X(new_properties_end_the_stamps)                         \
    X(migrations_assign)                                     \
    X(tombstones_keep_their_values)                          \
    X(folds_are_kept_by_job)                                 \
    X(completed_steps_come_in_order)                         \
    X(a_devices_unfolded_values_are_found)                   \
    X(objects_are_kept_by_kind_and_id)                       \
    X(revisions_never_come_back)                             \
    X(schedules_come_back_as_written)                        \
    X(settling_leaves_the_revision)                          \
    X(due_schedules_come_in_order)                           \
    X(instances_are_found_newest_first)                      \
    X(organizations_hold_what_belongs_to_them)               \
    X(audit_is_appended)                                     \
    X(expired_jobs_are_found_oldest_first)                   \
    X(erased_job_is_gone_with_its_rows)                      \
    X(needed_jobs_are_not_erased)                            \
    X(calls_are_no_jobs_of_the_list)

#define X(name) void store_case_##name(struct store_place *place);
STORE_CASES(X)
#undef X

/* ---- for the cases, and for tests of one implementation ---- */

struct suite {
    struct store_place *place;
    struct tranche_store *store;
    const struct tranche_store_functions *to; /* the store's functions */
    struct tranche_reader *reader;
    const struct tranche_reader_functions *from;
    int64_t number;                           /* of the last commit */
    struct tranche_err err;
};

/* Fails the test, at its line, unless a call answered TRANCHE_OK; `s` is the suite in scope. */
#define must(call) cr_assert_eq(call, TRANCHE_OK, "%s", s->err.text)

void suite_open(struct suite *s, struct store_place *place); /* the store, and one reader */
void suite_close(struct suite *s);
void suite_reopen(struct suite *s);
void suite_begin(struct suite *s);
void suite_commit(struct suite *s);

/* A running job whose members are the devices numbered first_device..., frozen in batches of `batch_devices`. */
void suite_job(struct suite *s, const char *id, uint32_t first_device, uint32_t total, uint32_t batch_devices,
               struct tranche_job_record *job);
/* Puts `count` devices named prefix0000, prefix0001, ...; returns the number of the first, the others follow it. */
uint32_t suite_devices(struct suite *s, const char *prefix, uint32_t count);
struct tranche_result_record suite_result(uint32_t ordinal, enum tranche_device_state state);

#endif
