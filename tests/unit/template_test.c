#include "dtdl.h"
#include "quotes.h"
#include "template.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define BODY(model) "{'@type':['ModelDefinition','DeviceModel'],'capabilityModel':" model "}"
#define CONTENTS(contents) \
    BODY("{'@id':'dtmi:meadow:pump_model;2','@type':'Interface','contents':[" contents "]}")

/* Every kind of capability, a component that is described and one that is not. */
static const char pump[] =
    CONTENTS("{'@type':'Property','name':'interval','schema':'integer','writable':true},"
             "{'@type':['Property','Initialized','SerialNumber'],'name':'serial','schema':'string'},"
             "{'@type':'Property','name':'fixed','schema':'string','writable':false},"
             "{'@type':['Property','Cloud'],'name':'owner','schema':'string'},"
             "{'@type':['Cloud','Property'],'name':'since','schema':'date','writable':false},"
             "{'@type':['Telemetry','Pressure'],'name':'pressure','schema':'double','unit':'bar'},"
             "{'@type':'Command','name':'reboot'},"
             "{'@type':['Command'],'name':'flush','request':{'@type':'CommandPayload','name':'seconds','"
             "schema':'long'},"
             "'response':{'name':'r','schema':'whatever'}},"
             "{'@type':'Command','name':'silent','request':null},"
             "{'@type':'Relationship','name':'feeds','target':'dtmi:meadow:tank;1'},"
             "{'@type':'Property','name':'window','writable':true,'schema':{'@type':'Object','fields':["
             "{'name':'start','schema':'time'},{'name':'at','schema':'geopoint'}]}},"
             "{'@type':'Property','name':'remote','schema':'dtmi:meadow:elsewhere;1','writable':true},"
             "{'@type':'Component','name':'motor','schema':{'@id':'dtmi:meadow:motor;1','@type':'Interface','"
             "contents':["
             "{'@type':'Property','name':'speed','schema':'double','writable':true},"
             "{'@type':'Property','name':'interval','schema':'string','writable':true},"
             "{'@type':'Command','name':'stop'}]}},"
             "{'@type':'Component','name':'valve','schema':'dtmi:meadow:valve;1'}");

static struct template parsed(const char *text)
{
    char body[QUOTES_BYTES];
    struct template template;
    struct tranche_err err = { 0 };
    quotes(text, body);
    if (template_parse(body, strlen(body), &template, &err) != TRANCHE_OK)
        cr_assert_fail("%s: %s", text, err.text);
    return template;
}

static void check_refused(const char *text, enum tranche_code code, const char *expected)
{
    char body[QUOTES_BYTES], sentence[QUOTES_BYTES];
    struct template template;
    struct tranche_err err = { 0 };
    quotes(text, body);
    cr_assert_eq(template_parse(body, strlen(body), &template, &err), code, "%s", text);
    cr_assert_eq(err.code, code);
    cr_assert_str_eq(err.text, quotes(expected, sentence), "%s: %s, expected %s", text, err.text, sentence);
    cr_assert_null(template.capabilities);
    cr_assert_null(template.memory.blocks);
}

/* -- Bodies ------------------------------------------------------------------------------------ */

Test(template, a_body_tells_its_names)
{
    struct template template =
        parsed("{'@type':['ModelDefinition'],'@id':'dtmi:x;1','etag':'\\'1\\'','displayName':'Pump',"
               "'description':'','capabilityModel':{}}");

    cr_assert_str_eq(template.display_name, "Pump");
    cr_assert_str_eq(template.description, "");
    cr_assert_eq(template.capability_count, 0);
    cr_assert(template_knows(&template, ""));
    template_free(&template);
}

Test(template, names_for_people_may_be_absent_or_null)
{
    struct template template =
        parsed("{'@type':[],'displayName':null,'capabilityModel':{'contents':null,'extends':null}}");

    cr_assert_null(template.display_name);
    cr_assert_null(template.description);
    template_free(&template);
}

Test(template, wrong_bodies_are_refused_with_the_member)
{
    static const struct {
        const char *body, *expected;
    } cases[] = {
        { "[]", "the body must be an object, found array." },
        { "{}", "@type: the member is required." },
        { "{'@type':'DeviceModel','capabilityModel':{}}", "@type: expected an array, found string." },
        { "{'@type':['DeviceModel',5],'capabilityModel':{}}", "@type[1]: expected a string, found number." },
        { "{'@type':['DeviceModel']}", "capabilityModel: the member is required." },
        { "{'@type':['DeviceModel'],'capabilityModel':null}", "capabilityModel: the member is required." },
        { BODY("'dtmi:x;1'"), "capabilityModel: expected an object, found string." },
        { "{'@type':[],'displayName':5,'capabilityModel':{}}",
          "displayName: expected a string, found number." },
        { "{'@type':[],'description':[],'capabilityModel':{}}",
          "description: expected a string, found array." },
        { BODY("{'contents':{}}"), "capabilityModel.contents: expected an array, found object." },
        { BODY("{'extends':'Base'}"),
          "capabilityModel.extends: expected an object or a dtmi, found 'Base'." },
        { BODY("{'extends':5}"), "capabilityModel.extends: expected an object, found number." },
        { BODY("{'extends':[{},null]}"), "capabilityModel.extends[1]: the member is required." },
        { BODY("{'extends':[{},{'contents':[5]}]}"),
          "capabilityModel.extends[1].contents[0]: expected an object, found number." },
        { CONTENTS("'x'"), "capabilityModel.contents[0]: expected an object, found string." },
        { CONTENTS("{'@type':'Telemetry','name':'t','schema':'double'},{}"),
          "capabilityModel.contents[1].@type: one of Property, Command, Telemetry, Component, Relationship "
          "is required." },
        { CONTENTS("{'@type':'Cloud','name':'a','schema':'string'}"),
          "capabilityModel.contents[0].@type: one of Property, Command, Telemetry, Component, Relationship "
          "is required, "
          "found 'Cloud'." },
        { CONTENTS("{'@type':'Property','schema':'string'}"),
          "capabilityModel.contents[0].name: the member is required." },
        { CONTENTS("{'@type':'Property','name':7}"),
          "capabilityModel.contents[0].name: expected a string, found number." },
        { CONTENTS("{'@type':'Property','name':'a'}"),
          "capabilityModel.contents[0].schema: the member is required." },
        { CONTENTS("{'@type':'Telemetry','name':'a'}"),
          "capabilityModel.contents[0].schema: the member is required." },
        { CONTENTS("{'@type':'Component','name':'a'}"),
          "capabilityModel.contents[0].schema: the member is required." },
        { CONTENTS("{'@type':'Component','name':'a','schema':'double'}"),
          "capabilityModel.contents[0].schema: expected an object or a dtmi, found 'double'." },
        { CONTENTS("{'@type':'Property','name':'a','schema':'string','writable':'true'}"),
          "capabilityModel.contents[0].writable: expected a boolean, found string." },
        { CONTENTS("{'@type':'Property','name':'a','schema':{'@type':'Object','fields':[{'name':'b','schema':"
                   "{}}]}}"),
          "capabilityModel.contents[0].schema.fields[0].schema.@type: one of Enum, Object, Map, Array is "
          "required." },
        { CONTENTS("{'@type':'Command','name':'a','request':'string'}"),
          "capabilityModel.contents[0].request: expected an object, found string." },
        { CONTENTS("{'@type':'Command','name':'a','request':{'name':'b'}}"),
          "capabilityModel.contents[0].request.schema: the member is required." },
        { CONTENTS("{'@type':'Component','name':'a','schema':{'contents':[{'@type':'Component','name':'b','"
                   "schema':{}}]}}"),
          "capabilityModel.contents[0].schema.contents[0]: a component cannot hold a component." },
        { CONTENTS(
              "{'@type':'Command','name':'a'},{'@type':'Command','name':'b'},{'@type':'Telemetry','name':'a',"
              "'schema':'long'}"),
          "capabilityModel: 'a' is there twice." },
        { CONTENTS("{'@type':'Component','name':'a','schema':{'contents':[{'@type':'Command','name':'b'},"
                   "{'@type':'Command','name':'b'}]}}"),
          "capabilityModel: 'a.b' is there twice." },
        { CONTENTS(
              "{'@type':'Component','name':'a','schema':{}},{'@type':'Component','name':'a','schema':{}}"),
          "capabilityModel: 'a' is there twice." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_refused(cases[i].body, TRANCHE_INVALID, cases[i].expected);
    check_refused("{'@type':[],", TRANCHE_BADREQUEST, "unexpected end at offset 12");
}

Test(template, names_follow_dtdl)
{
    static const char *const good[] = { "a", "Z9", "a_b", "a__b", "aB3" };
    static const char *const bad[] = { "", "_a", "a_", "9a", "a.b", "a b", "\u00e9", "a-b", "a\\u0001" };
    char body[QUOTES_BYTES], expected[QUOTES_BYTES];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(body, sizeof body, CONTENTS("{'@type':'Command','name':'%s'}"), good[i]);
        struct template template = parsed(body);
        cr_assert_not_null(template_find(&template, "", good[i]), "%s", good[i]);
        template_free(&template);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(body, sizeof body, CONTENTS("{'@type':'Command','name':'%s'}"), bad[i]);
        snprintf(expected, sizeof expected,
                 "capabilityModel.contents[0].name: expected a letter and at most 511 more of a-z A-Z 0-9 _ "
                 "but no _ at "
                 "the end, found '%s'.",
                 strcmp(bad[i], "a\\u0001") == 0 ? "a\001" : bad[i]);
        check_refused(body, TRANCHE_INVALID, expected);
    }
}

static enum tranche_code parse_named(size_t name_bytes)
{
    struct text body = { 0 };
    struct template template;
    text_puts(&body, "{\"@type\":[],\"capabilityModel\":{\"contents\":[{\"@type\":\"Command\",\"name\":\"");
    for (size_t i = 0; i < name_bytes; i++)
        text_puts(&body, "n");
    text_puts(&body, "\"}]}}");
    enum tranche_code code = template_parse(body.bytes, body.length, &template, NULL);
    template_free(&template);
    text_free(&body);
    return code;
}

Test(template, names_have_a_length)
{
    cr_assert_eq(parse_named(DTDL_NAME_BYTES_MAX), TRANCHE_OK);
    cr_assert_eq(parse_named(DTDL_NAME_BYTES_MAX + 1), TRANCHE_INVALID);
}

static enum tranche_code parse_many(int count, struct tranche_err *err)
{
    struct text body = { 0 };
    struct template template;
    text_puts(&body, "{\"@type\":[],\"capabilityModel\":{\"contents\":[");
    for (int i = 0; i < count; i++)
        text_printf(&body, "%s{\"@type\":\"Command\",\"name\":\"c%d\"}", i > 0 ? "," : "", count - i);
    text_puts(&body, "]}}");
    enum tranche_code code = template_parse(body.bytes, body.length, &template, err);
    for (int i = 1; i <= count && code == TRANCHE_OK; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        cr_assert_str_eq(template_find(&template, "", name)->name, name);
    }
    template_free(&template);
    text_free(&body);
    return code;
}

Test(template, capabilities_have_a_count)
{
    struct tranche_err err;
    cr_assert_eq(parse_many(TEMPLATE_CAPABILITIES_MAX, &err), TRANCHE_OK);
    cr_assert_eq(parse_many(TEMPLATE_CAPABILITIES_MAX + 1, &err), TRANCHE_INVALID);
    cr_assert_str_eq(err.text, "capabilityModel: at most 2000 capabilities are allowed.");
}

/* -- Look-ups ---------------------------------------------------------------------------------- */

Test(template, finds_what_the_body_describes)
{
    static const struct {
        const char *component, *name;
        enum capability_kind kind;
        bool writable;
        int shape; /* enum shape_kind; -1: none */
    } cases[] = {
        { "", "interval", CAPABILITY_PROPERTY, true, SHAPE_INTEGER },
        { "", "serial", CAPABILITY_PROPERTY, false, SHAPE_STRING },
        { "", "fixed", CAPABILITY_PROPERTY, false, SHAPE_STRING },
        { "", "owner", CAPABILITY_CLOUD_PROPERTY, true, SHAPE_STRING },
        { "", "since", CAPABILITY_CLOUD_PROPERTY, true, SHAPE_DATE },
        { "", "pressure", CAPABILITY_TELEMETRY, false, SHAPE_NUMBER },
        { "", "reboot", CAPABILITY_COMMAND, false, -1 },
        { "", "silent", CAPABILITY_COMMAND, false, -1 },
        { "", "flush", CAPABILITY_COMMAND, false, SHAPE_LONG },
        { "", "feeds", CAPABILITY_RELATIONSHIP, false, -1 },
        { "", "window", CAPABILITY_PROPERTY, true, SHAPE_OBJECT },
        { "", "remote", CAPABILITY_PROPERTY, true, SHAPE_ANY },
        { "", "motor", CAPABILITY_COMPONENT, false, -1 },
        { "", "valve", CAPABILITY_COMPONENT, false, -1 },
        { "motor", "speed", CAPABILITY_PROPERTY, true, SHAPE_NUMBER },
        { "motor", "interval", CAPABILITY_PROPERTY, true, SHAPE_STRING },
        { "motor", "stop", CAPABILITY_COMMAND, false, -1 },
    };
    struct template template = parsed(pump);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct capability *found = template_find(&template, cases[i].component, cases[i].name);
        cr_assert_not_null(found, "%s", cases[i].name);
        cr_assert_str_eq(found->component, cases[i].component);
        cr_assert_str_eq(found->name, cases[i].name);
        cr_assert_eq(found->kind, cases[i].kind, "%s", cases[i].name);
        cr_assert_eq(found->writable, cases[i].writable, "%s", cases[i].name);
        cr_assert_eq(found->shape != NULL ? (int)found->shape->kind : -1, cases[i].shape, "%s",
                     cases[i].name);
    }
    cr_assert_eq(template.capability_count, sizeof cases / sizeof cases[0]);
    cr_assert_null(template_find(&template, "", "speed"));
    cr_assert_null(template_find(&template, "motor", "reboot"));
    cr_assert_null(template_find(&template, "valve", "x"));
    cr_assert_null(template_find(&template, "", ""));
    template_free(&template);
}

Test(template, what_a_dtmi_stands_for_is_not_known)
{
    struct template template = parsed(pump);
    cr_assert(template_knows(&template, ""));
    cr_assert(template_knows(&template, "motor"));
    cr_assert_not(template_knows(&template, "valve"));
    cr_assert(template_knows(&template, "nowhere"));
    cr_assert(template_knows(&template, "reboot"));
    template_free(&template);

    template = parsed(
        BODY("{'extends':'dtmi:meadow:base;1','contents':[{'@type':'Component','name':'motor','schema':{}},"
             "{'@type':'Component','name':'valve','schema':{'extends':['dtmi:meadow:base;1',{}]}}]}"));
    cr_assert_not(template_knows(&template, ""));
    cr_assert(template_knows(&template, "motor"));
    cr_assert_not(template_knows(&template, "valve"));
    cr_assert_not(template_knows(&template, "nowhere"));
    template_free(&template);
}

Test(template, an_interface_has_what_it_extends_and_hides_what_it_redefines)
{
    struct template template =
        parsed(BODY("{'extends':[{'contents':[{'@type':'Command','name':'a'},{'@type':'Property','name':'b','"
                    "schema':'string'}],"
                    "'extends':{'contents':[{'@type':'Telemetry','name':'a','schema':'long'},{'@type':'"
                    "Command','name':'c'}]}},"
                    "{'contents':[{'@type':'Component','name':'m','schema':{'extends':{'contents':[{'@type':'"
                    "Command','name':'d'}]}"
                    "}}]}],'contents':[{'@type':'Property','name':'b','schema':'double'}]}"));

    cr_assert_eq(template_find(&template, "", "a")->kind, CAPABILITY_COMMAND);
    cr_assert_eq(template_find(&template, "", "b")->shape->kind, SHAPE_NUMBER);
    cr_assert_eq(template_find(&template, "", "c")->kind, CAPABILITY_COMMAND);
    cr_assert_eq(template_find(&template, "m", "d")->kind, CAPABILITY_COMMAND);
    cr_assert_eq(template.capability_count, 5);
    cr_assert(template_knows(&template, ""));
    template_free(&template);
}

/* -- Steps ------------------------------------------------------------------------------------- */

struct step_case {
    enum tranche_step_kind kind;
    const char *component, *name;
    const char *value;    /* NULL: none */
    const char *expected; /* NULL: the step fits */
};

static void check_step(const struct template *template, const struct step_case *expected)
{
    char value[QUOTES_BYTES], sentence[QUOTES_BYTES];
    struct tranche_err err = { 0 };
    struct tranche_step step = {
        expected->kind, "dtmi:meadow:pump;2", expected->component, expected->name, NULL, 0
    };
    if (expected->value != NULL) {
        step.value = quotes(expected->value, value);
        step.value_bytes = strlen(value);
    }
    enum tranche_code code = template_check_step(template, &step, "data[0]", &err);
    const char *shown = quotes(expected->expected != NULL ? expected->expected : "", sentence);
    cr_assert_str_eq(err.text, shown, "%s %s: %s, expected %s", expected->name, expected->value, err.text,
                     shown);
    cr_assert_eq(code, expected->expected != NULL ? TRANCHE_INVALID : TRANCHE_OK);
}

static void check_steps(const char *body, const struct step_case *cases, size_t count)
{
    struct template template = parsed(body);
    for (size_t i = 0; i < count; i++)
        check_step(&template, &cases[i]);
    template_free(&template);
}

#define PROPERTY TRANCHE_STEP_PROPERTY
#define COMMAND  TRANCHE_STEP_COMMAND
#define CLOUD    TRANCHE_STEP_CLOUD_PROPERTY
#define ID       "device template 'dtmi:meadow:pump;2'"

Test(template, steps_that_fit)
{
    static const struct step_case cases[] = {
        { PROPERTY, "", "interval", "60", NULL },
        { PROPERTY, "", "interval", "null", NULL },
        { PROPERTY, "", "interval", NULL, NULL },
        { PROPERTY, "", "window", "{'start':'06:00:00','at':{'lat':1,'lon':2}}", NULL },
        { PROPERTY, "", "remote", "[{'any':1e999}]", NULL },
        { PROPERTY, "motor", "speed", "0.5", NULL },
        { PROPERTY, "motor", "interval", "'60'", NULL },
        { PROPERTY, "valve", "anything", "true", NULL },
        { CLOUD, "", "owner", "'Meadow'", NULL },
        { CLOUD, "", "since", "'2026-03-02'", NULL },
        { CLOUD, "", "since", "null", NULL },
        { CLOUD, "valve", "anything", "true", NULL },
        { COMMAND, "", "reboot", NULL, NULL },
        { COMMAND, "", "reboot", "null", NULL },
        { COMMAND, "", "flush", "9223372036854775807", NULL },
        { COMMAND, "", "flush", "null", NULL },
        { COMMAND, "", "flush", NULL, NULL },
        { COMMAND, "motor", "stop", NULL, NULL },
        { COMMAND, "valve", "anything", "{}", NULL },
        { TRANCHE_STEP_TEMPLATE_MIGRATION, "", "", NULL, NULL },
        { TRANCHE_STEP_MANIFEST_MIGRATION, "", "", NULL, NULL },
    };
    check_steps(pump, cases, sizeof cases / sizeof cases[0]);
}

Test(template, paths_that_lead_nowhere)
{
    static const struct step_case cases[] = {
        { PROPERTY, "", "foo", "1", "data[0].path: " ID " has no property 'foo'." },
        { COMMAND, "", "foo", "1", "data[0].path: " ID " has no command 'foo'." },
        { CLOUD, "", "foo", "1", "data[0].path: " ID " has no cloud property 'foo'." },
        { PROPERTY, "motor", "foo", "1", "data[0].path: " ID " has no property 'motor.foo'." },
        { COMMAND, "motor", "reboot", NULL, "data[0].path: " ID " has no command 'motor.reboot'." },
        { PROPERTY, "engine", "speed", "1", "data[0].path: " ID " has no component 'engine'." },
        { PROPERTY, "window", "start", "1", "data[0].path: " ID " has no component 'window'." },
        { PROPERTY, "", "speed", "1", "data[0].path: " ID " has no property 'speed'." },
    };
    check_steps(pump, cases, sizeof cases / sizeof cases[0]);
}

Test(template, paths_that_lead_to_something_else)
{
    static const struct step_case cases[] = {
        { PROPERTY, "", "reboot", "1", "data[0].path: 'reboot' of " ID " is a command, not a property." },
        { PROPERTY, "", "owner", "'x'",
          "data[0].path: 'owner' of " ID " is a cloud property, not a property." },
        { PROPERTY, "", "pressure", "1",
          "data[0].path: 'pressure' of " ID " is a telemetry, not a property." },
        { PROPERTY, "", "motor", "{}", "data[0].path: 'motor' of " ID " is a component, not a property." },
        { CLOUD, "", "interval", "1",
          "data[0].path: 'interval' of " ID " is a property, not a cloud property." },
        { COMMAND, "", "interval", "1", "data[0].path: 'interval' of " ID " is a property, not a command." },
        { COMMAND, "motor", "speed", "1",
          "data[0].path: 'motor.speed' of " ID " is a property, not a command." },
        { COMMAND, "", "feeds", "1", "data[0].path: 'feeds' of " ID " is a relationship, not a command." },
    };
    check_steps(pump, cases, sizeof cases / sizeof cases[0]);
}

Test(template, properties_that_cannot_be_written)
{
    static const struct step_case cases[] = {
        { PROPERTY, "", "serial", "'x'", "data[0].path: the property 'serial' of " ID " is not writable." },
        { PROPERTY, "", "serial", "null", "data[0].path: the property 'serial' of " ID " is not writable." },
        { PROPERTY, "", "fixed", "'x'", "data[0].path: the property 'fixed' of " ID " is not writable." },
    };
    check_steps(pump, cases, sizeof cases / sizeof cases[0]);
}

Test(template, values_that_do_not_fit)
{
    static const struct step_case cases[] = {
        { PROPERTY, "", "interval", "'60'",
          "data[0].value: 'interval' of " ID " is an integer of 32 bits, found a string." },
        { PROPERTY, "", "interval", "2147483648",
          "data[0].value: 'interval' of " ID " is an integer of 32 bits, found 2147483648." },
        { PROPERTY, "motor", "interval", "60",
          "data[0].value: 'motor.interval' of " ID " is a string, found a number." },
        { PROPERTY, "", "window", "{'at':{'lat':'1','lon':2}}",
          "data[0].value.at.lat: 'window' of " ID " holds a number here, found a string." },
        { PROPERTY, "", "window", "{'end':1}", "data[0].value.end: 'window' of " ID " has no such field." },
        { CLOUD, "", "since", "'yesterday'",
          "data[0].value: 'since' of " ID " is a date such as '2026-03-02', found 'yesterday'." },
        { COMMAND, "", "flush", "1.5",
          "data[0].value: 'flush' of " ID " is an integer of 64 bits, found 1.5." },
        { COMMAND, "", "reboot", "1", "data[0].value: the command 'reboot' of " ID " takes no value." },
        { COMMAND, "", "silent", "{}", "data[0].value: the command 'silent' of " ID " takes no value." },
    };
    check_steps(pump, cases, sizeof cases / sizeof cases[0]);
}

Test(template, an_open_root_may_have_anything)
{
    static const struct step_case cases[] = {
        { PROPERTY, "", "foo", "1", NULL },
        { COMMAND, "engine", "start", "1", NULL },
        { PROPERTY, "", "known", "'x'", "data[0].value: 'known' of " ID " is a boolean, found a string." },
    };
    check_steps(
        BODY("{'extends':['dtmi:x:base;1'],'contents':[{'@type':'Property','name':'known','schema':'boolean',"
             "'writable':true}]}"),
        cases, sizeof cases / sizeof cases[0]);
}

Test(template, long_names_are_cut_in_refusals)
{
    char name[1025];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct template template = parsed(pump);
    struct tranche_step step = { PROPERTY, name, name, name, "1", 1 };
    struct tranche_err err = { 0 };

    cr_assert_eq(template_check_step(&template, &step, "data[31]", &err), TRANCHE_INVALID);
    cr_assert_eq(strlen(err.text),
                 strlen("data[31].path: device template \"\" has no component \"\".") + 128 + 64);
    step.component = "";
    cr_assert_eq(template_check_step(&template, &step, "data[31]", &err), TRANCHE_INVALID);
    cr_assert_eq(strlen(err.text),
                 strlen("data[31].path: device template \"\" has no property \"\".") + 128 + 64);
    template_free(&template);
}
