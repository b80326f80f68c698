/* Lists on stdout: follows the server's pages and shows what they hold in the format that was asked for. A table is aligned
 * over all its rows, so they are kept until the end; the other formats go out page by page. */
#ifndef LIST_H
#define LIST_H

#include "http.h"
#include "show.h"

#define LIST_LIMIT     1000 /* items, unless --limit says otherwise: more is for programs */
#define LIST_PAGE      "100"
#define LIST_FLAG_HELP "how many at most (1000; 0: all)"

/* Items on their way to stdout. Between list_open and list_close any number of them is added; `raw` is an item's JSON. */
struct list {
    const struct cli *cli;
    uint32_t count;
    struct table table; /* of the formats that are tables */
};
void list_open(struct list *list, const struct cli *cli, const struct column *columns);
void list_add(struct list *list, const struct json *item, const char *raw, size_t bytes);
void list_close(struct list *list);

/* Shows up to `limit` items (0: all) of the list at `path`, which may have a query already. Says what goes wrong, and on
 * stderr that there were more. */
enum exit_code list_show(struct http *http, const char *path, const struct column *columns, uint32_t limit);
/* The same as the whole of a command, after its flags. */
enum exit_code list_run(struct cli *cli, const struct text *path, const struct column *columns, uint32_t limit);
/* The whole of a command whose only flag is --limit. The list is at `base`, or at {base}/{argument}{more} where `more` is not
 * NULL; both under /api. */
extern const struct flag list_flags[];
enum exit_code list_command(struct cli *cli, struct words *words, const char *base, const char *more,
                            const struct column *columns);
/* The value of --limit. */
enum exit_code list_limit(const struct cli *cli, const char *value, uint32_t *limit);

#endif
