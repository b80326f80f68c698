#include "command.h"

#include "fail.h"

#include <assert.h>

void command_free(struct command *command)
{
    tranche_job_record_free(&command->job);
}

void mailbox_open(struct mailbox *mailbox, uint32_t count_max)
{
    *mailbox = (struct mailbox){ .count_max = count_max };
    pthread_mutex_init(&mailbox->mutex, NULL);
}

void mailbox_close(struct mailbox *mailbox)
{
    assert(mailbox->first == NULL);
    pthread_mutex_destroy(&mailbox->mutex);
}

enum tranche_code mailbox_post(struct mailbox *mailbox, struct command *command, struct tranche_err *err)
{
    enum tranche_code code = TRANCHE_OK;
    pthread_mutex_lock(&mailbox->mutex);
    if (mailbox->closed) {
        code = fail(err, TRANCHE_UNAVAILABLE, "the server is shutting down");
    } else if (mailbox->count == mailbox->count_max) {
        code = fail(err, TRANCHE_FULL, "%u requests are waiting already; try again", mailbox->count_max);
    } else {
        command->next = NULL;
        if (mailbox->last != NULL)
            mailbox->last->next = command;
        else
            mailbox->first = command;
        mailbox->last = command;
        mailbox->count++;
    }
    pthread_mutex_unlock(&mailbox->mutex);
    return code;
}

struct command *mailbox_take_all(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    struct command *first = mailbox->first;
    mailbox->first = mailbox->last = NULL;
    mailbox->count = 0;
    pthread_mutex_unlock(&mailbox->mutex);
    return first;
}

uint32_t mailbox_count(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    uint32_t count = mailbox->count;
    pthread_mutex_unlock(&mailbox->mutex);
    return count;
}

void mailbox_shut(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->closed = true;
    pthread_mutex_unlock(&mailbox->mutex);
}
