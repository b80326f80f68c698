#include "import_resume.h"

#include "fail.h"
#include "import.h"
#include "log.h"
#include "spool.h"

#include <stdlib.h>
#include <string.h>

#define IMPORTS_OPEN_MAX 64 /* one for each request that may be underway, and room to spare */

struct import_resume {
    struct command command;
    struct import *import;
    char id[TRANCHE_ID_BYTES];
    struct import_resume *next;
};

/* What the store knows, while its statement is open. */
struct finding {
    struct tranche_import_record records[IMPORTS_OPEN_MAX];
    char files[IMPORTS_OPEN_MAX][SPOOL_FILE_BYTES];
    size_t count;
};

static void note(void *context, const struct tranche_import_record *record)
{
    struct finding *finding = context;
    if (finding->count == IMPORTS_OPEN_MAX || strlen(record->file) >= SPOOL_FILE_BYTES)
        return; /* stays in the store for the next start */
    strcpy(finding->files[finding->count], record->file);
    finding->records[finding->count] = *record;
    finding->records[finding->count].file = finding->files[finding->count];
    finding->records[finding->count].reason = NULL;
    finding->records[finding->count].complaints = NULL;
    finding->count++;
}

static enum tranche_code write_slice(struct command *command, struct tranche_store *store, int64_t now_us,
                                     bool *more, struct tranche_err *err)
{
    struct import_resume *resume = command->context;
    return import_slice(resume->import, store, now_us, more, err);
}

static void rolled_back(struct command *command)
{
    struct import_resume *resume = command->context;
    import_rolled_back(resume->import);
}

static void committed(struct command *command)
{
    struct import_resume *resume = command->context;
    import_committed(resume->import);
}

static void release(struct import_resume *resume)
{
    import_close(resume->import);
    command_free(&resume->command);
    free(resume);
}

static void done(struct command *command)
{
    struct import_resume *resume = command->context;
    struct tranche_err trouble;
    if (command->code == TRANCHE_OK && import_end_code(resume->import, &trouble) != TRANCHE_OK)
        log_error("import", "an interrupted import cannot go on; import the file again",
                  "import=%s err=\"%s\"", resume->id, trouble.text);
    else if (command->code == TRANCHE_OK)
        log_info("import", "an interrupted import is complete", "import=%s", resume->id);
    else
        log_warn("import", "an interrupted import waits for the next start", "import=%s err=\"%s\"",
                 resume->id, command->err.text);
    release(resume);
}

static enum tranche_code add(struct import_resume **first, const char *directory,
                             const struct tranche_import_record *record, struct tranche_err *err)
{
    struct import_resume *resume = calloc(1, sizeof *resume);
    if (resume == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    enum tranche_code code = import_reopen(&resume->import, directory, record, err);
    if (code != TRANCHE_OK) {
        free(resume);
        return code;
    }
    resume->command = (struct command){ .kind = COMMAND_WRITE,
                                        .write = write_slice,
                                        .rolled_back = rolled_back,
                                        .committed = committed,
                                        .done = done,
                                        .in_turn = true,
                                        .begun = true,
                                        .context = resume };
    strcpy(resume->id, record->id);
    resume->next = *first;
    *first = resume;
    return TRANCHE_OK;
}

enum tranche_code import_resume_find(struct import_resume **first, const char *directory,
                                     struct tranche_store *store, struct tranche_err *err)
{
    *first = NULL;
    struct finding *finding = calloc(1, sizeof *finding);
    if (finding == NULL)
        return fail(err, TRANCHE_NOMEM, "out of memory");
    enum tranche_code code = store->functions->imports_open(store, note, finding, err);
    if (code == TRANCHE_OK) {
        const char *keep[IMPORTS_OPEN_MAX];
        for (size_t i = 0; i < finding->count; i++)
            keep[i] = finding->files[i];
        if (finding->count < IMPORTS_OPEN_MAX) /* with more, some would not be on the list */
            code = spool_sweep(directory, keep, finding->count, err);
    }
    for (size_t i = finding->count; i-- > 0 && code == TRANCHE_OK;) /* the oldest becomes the first */
        code = add(first, directory, &finding->records[i], err);
    free(finding);
    if (code != TRANCHE_OK) {
        import_resume_free(*first);
        *first = NULL;
    }
    return code;
}

void import_resume_post(struct import_resume *first, struct runner *runner)
{
    for (struct import_resume *resume = first, *next; resume != NULL; resume = next) {
        next = resume->next; /* once posted it may be gone */
        struct tranche_err err;
        if (runner_post(runner, &resume->command, &err) == TRANCHE_OK)
            continue;
        log_warn("import", "an interrupted import waits for the next start", "import=%s err=\"%s\"",
                 resume->id, err.text);
        release(resume);
    }
}

void import_resume_free(struct import_resume *first)
{
    for (struct import_resume *resume = first, *next; resume != NULL; resume = next) {
        next = resume->next;
        release(resume);
    }
}
