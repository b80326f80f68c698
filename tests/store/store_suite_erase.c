/* Cases: jobs are removed. */
#include "store_suite.h"

#include "mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void end_job(struct suite *s, struct tranche_job_record *job, int64_t ended_us)
{
    job->state = TRANCHE_JOB_COMPLETE;
    job->ended_us = ended_us;
    job->next = job->tally.total;
    job->tally.completed = job->tally.total;
    suite_begin(s);
    for (uint32_t i = 0; i < job->tally.total; i++) {
        struct tranche_result_record result = suite_result(i, TRANCHE_DEVICE_COMPLETED);
        must(s->to->result_put(s->store, job->no, &result, &s->err));
    }
    must(s->to->job_update(s->store, job, &s->err));
    suite_commit(s);
}

static void assert_expired(struct suite *s, int64_t before_us, int64_t expected)
{
    int64_t no = 0;
    char id[TRANCHE_ID_BYTES];
    enum tranche_code code = s->to->job_expired(s->store, before_us, &no, id, &s->err);
    cr_assert_eq(code, expected == 0 ? TRANCHE_NOTFOUND : TRANCHE_OK, "%s", s->err.text);
    cr_assert_eq(no, expected);
}

static enum tranche_code erase(struct suite *s, int64_t no)
{
    suite_begin(s);
    enum tranche_code code = s->to->job_erase(s->store, no, &s->err);
    suite_commit(s);
    return code;
}

void store_case_expired_jobs_are_found_oldest_first(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_job_record young = { 0 }, old = { 0 }, running = { 0 };
    suite_open(s, place);
    uint32_t first = suite_devices(s, "d", 3);
    suite_job(s, "young", first, 3, 3, &young);
    suite_job(s, "old", first, 3, 3, &old);
    suite_job(s, "running", first, 3, 3, &running);
    end_job(s, &young, 200);
    end_job(s, &old, 100);
    assert_expired(s, 100, 0);
    assert_expired(s, 101, old.no);
    assert_expired(s, 1000, old.no);
    must(erase(s, old.no));
    assert_expired(s, 1000, young.no);
    must(erase(s, young.no));
    assert_expired(s, 1000, 0);
    suite_close(s);
}

void store_case_erased_job_is_gone_with_its_rows(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_job_record job = { 0 }, found = { 0 };
    struct tranche_tally whole, batch;
    uint32_t devices[TRANCHE_CHUNK], count;
    bool more = true;
    suite_open(s, place);
    uint32_t first = suite_devices(s, "d", 300);
    suite_job(s, "job", first, 300, 300, &job);
    end_job(s, &job, 100);
    must(erase(s, job.no));
    cr_assert_eq(s->from->job_find(s->reader, "job", &found, &s->err), TRANCHE_NOTFOUND);
    cr_assert_eq(erase(s, job.no), TRANCHE_NOTFOUND);

    for (int i = 0; i < 100 && more; i++) {
        suite_begin(s);
        must(s->to->erase_some(s->store, &more, &s->err));
        suite_commit(s);
    }
    cr_assert_not(more);
    must(s->from->recount(s->reader, job.no, 0, 300, &whole, &batch, &s->err));
    cr_assert_eq(whole.total + whole.completed, 0);
    cr_assert_eq(s->to->chunk_load(s->store, job.no, 0, devices, &count, &s->err), TRANCHE_NOTFOUND);

    struct tranche_job_record next = { 0 };
    suite_job(s, "job", first, 3, 3, &next); /* the id is free, the number is not */
    cr_assert_gt(next.no, job.no);
    suite_close(s);
}

void store_case_needed_jobs_are_not_erased(struct store_place *place)
{
    struct suite suite, *s = &suite;
    struct tranche_job_record job = { 0 }, rerun = { .state = TRANCHE_JOB_PENDING, .id = "again", .group = "g" };
    suite_open(s, place);
    uint32_t first = suite_devices(s, "d", 3);
    suite_job(s, "job", first, 3, 3, &job);
    cr_assert_eq(erase(s, job.no), TRANCHE_CONFLICT);
    end_job(s, &job, 100);

    suite_begin(s);
    must(s->to->fold_put(s->store, job.no, 0, &s->err));
    suite_commit(s);
    assert_expired(s, 1000, 0);
    cr_assert_eq(erase(s, job.no), TRANCHE_CONFLICT);
    suite_begin(s);
    must(s->to->fold_drop(s->store, job.no, &s->err));
    rerun.origin = job.no;
    rerun.definition = (char *)"\"group\":\"g\"";
    must(s->to->job_insert(s->store, &rerun, &s->err));
    suite_commit(s);
    assert_expired(s, 1000, 0);
    cr_assert_eq(erase(s, job.no), TRANCHE_CONFLICT);

    rerun.state = TRANCHE_JOB_STOPPED;
    suite_begin(s);
    must(s->to->job_update(s->store, &rerun, &s->err));
    suite_commit(s);
    must(erase(s, job.no));
    suite_close(s);
}
