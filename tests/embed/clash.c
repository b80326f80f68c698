/* Names that the engine has inside, and that others have too: a program may have its own. */
#include <tranche/engine.h>

#include <stdio.h>

int json_string(int x);
int json_true(int x);
int json_integer(int x);
int fail(int x);

int json_string(int x) { return x + 1; }
int json_true(int x) { return x + 2; }
int json_integer(int x) { return x + 3; }
int fail(int x) { return x + 4; }

int main(void)
{
    struct tranche_engine *engine;
    struct tranche_options options = { 0 };
    struct tranche_err err = { 0 };
    enum tranche_code code = tranche_engine_open(&engine, &options, &err);
    printf("%s %s %d\n", tranche_version(), tranche_code_word(code), json_string(0) + json_true(0) + json_integer(0) + fail(0));
    return code == TRANCHE_INVALID ? 0 : 1;
}
