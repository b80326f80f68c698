/* fleetsim: a device gateway with any number of devices behind it, to try and to measure Tranche against.
 *
 * No device exists: what one answers is drawn from a hash of the seed and the call (fleetsim_device), so a
 * fleet of a million costs nothing and a run can be repeated and checked. `serve` answers calls, `devices`
 * prints records to import and `verdict` tells what `serve` decides for one call. One thread; needs nothing
 * but libc.
 *
 *     fleetsim          which command, and the two small ones
 *     fleetsim_options  flags, the profile file, the help
 *     fleetsim_gateway  serve: joins the modules below
 *
 *     fleetsim_http        epoll, turns, timer         fleetsim_device   what a device decides
 *     fleetsim_connection  bytes in, answers out       fleetsim_call     routes, and the wording of answers
 *     fleetsim_request     reading a request           fleetsim_json     just enough JSON
 *     fleetsim_delay       what is due first           fleetsim_log      one line per request received
 *     fleetsim_listen      the listening socket        fleetsim_bytes    spans and a growable buffer
 */
#include "fleetsim_gateway.h"
#include "fleetsim_json.h"
#include "fleetsim_options.h"

#include <errno.h>
#include <inttypes.h>

#define EXIT_USAGE 2

/* Ids have at least so many digits, so that fleets up to 999,999 share theirs. */
#define ID_DIGITS_MIN 6

static int complain(const struct trouble *trouble, int status)
{
    fprintf(stderr, "fleetsim: %s\n", trouble->text);
    return status;
}

static bool operands_expect(const struct options *options, int wanted, struct trouble *trouble)
{
    if (options->operand_count == wanted)
        return true;
    if (wanted == 0)
        return trouble_say(trouble,
                           "%s: neither a command (which comes first) nor an option; see fleetsim --help",
                           options->operands[0]);
    return trouble_say(trouble, "needs DEVICE and KEY; see fleetsim --help");
}

/* ---- serve ---- */

static int serve(const struct options *options)
{
    struct trouble trouble;
    if (!operands_expect(options, 0, &trouble))
        return complain(&trouble, EXIT_USAGE);
    if (!gateway_serve(&options->profile, options->listen, options->log, &trouble))
        return complain(&trouble, EXIT_FAILURE);
    return EXIT_SUCCESS;
}

/* ---- devices ---- */

static int digits_of(uint64_t number)
{
    int digits = 1;
    for (; number >= 10; number /= 10)
        digits++;
    return digits < ID_DIGITS_MIN ? ID_DIGITS_MIN : digits;
}

/* Zero-padded to one width, so that the bytes of the ids sort as their numbers do. */
static int devices(const struct options *options)
{
    struct trouble trouble;
    struct bytes template = { 0 };
    if (!operands_expect(options, 0, &trouble))
        return complain(&trouble, EXIT_USAGE);
    json_put_string(&template, span_of(options->template));
    int digits = digits_of(options->count);
    for (uint64_t i = 1; i <= options->count && !ferror(stdout); i++)
        printf("{\"id\":\"sim-%0*" PRIu64 "\",\"displayName\":\"Simulated device %" PRIu64
               "\",\"template\":%.*s,"
               "\"provisioned\":true,\"simulated\":%s}\n",
               digits, i, i, (int)template.count, template.data, options->simulated ? "true" : "false");
    bytes_free(&template);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_SUCCESS;
    trouble_say(&trouble, "write to standard output: %s", strerror(errno));
    return complain(&trouble, EXIT_FAILURE);
}

/* ---- verdict ---- */

static int verdict(const struct options *options)
{
    struct trouble trouble;
    if (!operands_expect(options, 2, &trouble))
        return complain(&trouble, EXIT_USAGE);
    const struct device_call call = { .device = span_of(options->operands[0]),
                                      .key = span_of(options->operands[1]),
                                      .attempt = (uint32_t)options->attempt,
                                      .command = !options->property };
    puts(verdict_name(device_verdict(&options->profile, &call)));
    return EXIT_SUCCESS;
}

/* ---- which ---- */

static const struct {
    const char *name;
    enum command command;
    int (*run)(const struct options *options);
} commands[] = {
    { "serve", COMMAND_SERVE, serve },
    { "devices", COMMAND_DEVICES, devices },
    { "verdict", COMMAND_VERDICT, verdict },
};

/* The index of the command that argv names, which is serve when it names none. */
static size_t command_find(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return i;
    return 0;
}

int main(int argc, char **argv)
{
    struct trouble trouble;
    struct options options;
    size_t which = command_find(argc, argv);
    int skip = argc > 1 && strcmp(argv[1], commands[which].name) == 0 ? 2 : 1;
    if (argc < skip)
        skip = argc;
    if (!options_read(&options, commands[which].command, argv + skip, argc - skip, &trouble))
        return complain(&trouble, EXIT_USAGE);
    if (options.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    return commands[which].run(&options);
}
