/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/workbench.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"
#include "cli/exit.h"

/* Longer than near name servers and this machine's own processes take: they have the processors first. */
enum { WORKBENCH_URGE_MS = 5 };

void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("heloise: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

static void say_quoted(const char *word)
{
    (void)fputs(" '", stderr);
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '\'') {
            (void)fputs("'\\''", stderr);
        } else {
            (void)fputc(*at, stderr);
        }
    }
    (void)fputc('\'', stderr);
}

void say_command(int argc, char *const *argv)
{
    (void)fputs(argv[0], stderr);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        bool is_plain =
            word[0] != '\0' && word[strcspn(word, " \t\n'\"\\$`*?[]{}()<>|&;~#!")] == '\0';
        if (is_plain) {
            (void)fprintf(stderr, " %s", word);
        } else {
            say_quoted(word);
        }
    }
    (void)fputc('\n', stderr);
}

bool workbench_has_colour(const struct probe_options *options, FILE *stream)
{
    if (options->colour != COLOUR_AUTO) {
        return options->colour == COLOUR_ALWAYS;
    }
    const char *no_colour = getenv("NO_COLOR");
    return isatty(fileno(stream)) == 1 && (no_colour == NULL || no_colour[0] == '\0');
}

static struct knowledge_files knowledge_files(const struct probe_options *options)
{
    const struct config *config = &options->config;
    return (struct knowledge_files){
        .data_dir = config->data_dir.at,
        .lists_dir = config->lists_dir.at,
        .provider_files = config->providers.at,
        .provider_file_count = config->providers.count,
    };
}

static int say_bad_data(enum err e, const struct fault *fault, bool has_own_providers)
{
    complain("%s", fault->text);
    if (e == ERR_SYNTAX && has_own_providers) {
        complain("'heloise providers check FILE' lists all that is wrong in a file of providers");
    }
    return EXIT_BAD_DATA;
}

int workbench_open_knowledge(const struct probe_options *options, struct knowledge **out)
{
    const struct knowledge_files files = knowledge_files(options);
    struct fault fault;
    enum err e = knowledge_open_files(&files, out, &fault);
    return e == ERR_NONE ? EXIT_SUCCESS : say_bad_data(e, &fault, files.provider_file_count > 0);
}

struct list_place workbench_list_place(const struct config *config)
{
    return (struct list_place){.data_dir = knowledge_data_folder(config->data_dir.at),
                               .own_dir = config->lists_dir.at};
}

static int learn(struct workbench *bench, enum knowledge_part part)
{
    struct fault fault;
    enum err e = loader_await(bench->loader, part, &fault);
    if (e == ERR_NONE) {
        return EXIT_SUCCESS;
    }
    bench->has_bad_data = true;
    return say_bad_data(e, &fault, bench->has_own_providers);
}

static bool on_learn(void *context, enum knowledge_part part)
{
    return learn(context, part) == EXIT_SUCCESS;
}

int workbench_learn(struct workbench *bench)
{
    return learn(bench, KNOWLEDGE_SCORE);
}

static int check_place(const char *path)
{
    if (path[0] == '\0') {
        complain("no place for the store: set HOME, or give --store FILE or --no-store");
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static int say_store(enum err e, const struct fault *fault)
{
    if (e != ERR_NONE) {
        complain("%s", fault->text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

int workbench_open_store(const char *path, struct store **out)
{
    int code = check_place(path);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    struct fault fault;
    enum err e = store_open(path, out, &fault);
    return say_store(e, &fault);
}

bool workbench_store_works(const struct probe_options *options, struct fault *out_fault)
{
    struct slice key = SLICE("doctor");
    const char *path = options->config.store.path.at;
    struct store *store = NULL;
    bool is_ours;
    if (path[0] == '\0') {
        (void)fault_set(out_fault, ERR_SYSTEM, 0, "no place for the store: HOME is not set");
        return false;
    }
    if (store_open(path, &store, out_fault) != ERR_NONE) {
        return false;
    }
    /* The least that is a write and leaves nothing behind. */
    enum err e = store_claim_try(store, key, 0, &is_ours);
    if (e == ERR_NONE && is_ours) {
        e = store_claim_release(store, key);
    }
    if (e != ERR_NONE) {
        (void)fault_set(out_fault, e, 0, "the store cannot be written");
    } else {
        e = store_flush(store, out_fault);
    }
    store_close(store);
    return e == ERR_NONE;
}

void workbench_prepare(struct workbench *bench)
{
    /* The store is what a first question waits for. */
    if (bench->opener == NULL && store_opener_start(&bench->opener) != ERR_NONE) {
        bench->opener = NULL; /* for want of memory, which is said where it is wanted */
    }
    if (bench->loader == NULL && loader_start(&bench->loader) != ERR_NONE) {
        bench->loader = NULL;
    }
}

/* A list's job needs a place even where nothing is kept; it goes with the process. */
static int begin_threads(struct workbench *bench, const struct probe_options *options)
{
    const struct config_store *store = &options->config.store;
    const char *path = store->is_none ? ":memory:" : store->path.at;
    int code = check_place(path);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    workbench_prepare(bench);
    if (bench->opener == NULL || bench->loader == NULL) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    store_opener_open(bench->opener, path);
    return EXIT_SUCCESS;
}

static int take_store(struct workbench *bench, bool is_none)
{
    struct fault fault;
    enum err e = store_opener_take(bench->opener, bench->door, &bench->store, &fault);
    if (e == ERR_NONE && !is_none) {
        knocker_use_store(bench->knocker, bench->store);
    }
    int code = say_store(e, &fault);
    /* Who was interrupted meanwhile: nobody was there yet to be told. */
    return code == EXIT_SUCCESS && bench->is_interrupted ? EXIT_STOPPED : code;
}

/* The providers first: where there is no name to look up (an address literal) they are waited for. But not before all
 * else is there: their thread would take a processor from the others. */
static void look_ahead(struct workbench *bench)
{
    loader_load(bench->loader, bench->knowledge);
    if (bench->first != NULL) {
        knocker_look_ahead(bench->knocker, slice_of(bench->first));
    }
}

/* While the store is being opened. */
static int make_knocker(struct workbench *bench, const struct probe_options *options)
{
    struct knocker_config config = options->knocker;
    config.learn = on_learn;
    config.learn_context = bench;
    if (knocker_new(bench->door, bench->knowledge, &config, NULL, &bench->knocker) != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

static void on_urge(void *context)
{
    const struct workbench *bench = context;
    loader_urge(bench->loader);
}

/* What is needed for the first reply is loaded while somebody is waited for: a connection, which asks for it, or names
 * that take their time. Not before: the answer may be stored, and until then each millisecond counts. */
static void urge_later(struct workbench *bench)
{
    bench->urge = (struct timer){.fired = on_urge, .context = bench};
    door_timer_start(bench->door, &bench->urge, door_now_ms(bench->door) + WORKBENCH_URGE_MS);
}

static void on_signal(void *context)
{
    struct workbench *bench = context;
    if (bench->is_interrupted) {
        _exit(EXIT_STOPPED); /* asked twice: at once */
    }
    bench->is_interrupted = true;
    if (bench->on_interrupt != NULL) {
        bench->on_interrupt(bench->interrupt_context);
    } else {
        knocker_cancel(bench->knocker);
    }
}

struct uv_door_config workbench_door_config(const struct probe_options *options)
{
    const struct config_texts *resolvers = &options->config.resolvers;
    return (struct uv_door_config){.resolvers = resolvers->at,
                                   .resolver_count = resolvers->count,
                                   .wants_authentic = options->wants_authentic,
                                   .wants_ring =
                                       options->has_many_lines && options->config.uses_io_uring};
}

int workbench_open_door(const struct probe_options *options, void (*on_stop)(void *context),
                        void *context, struct door **out)
{
    struct uv_door_config config = workbench_door_config(options);
    struct fault fault;
    if (uv_door_open(&config, out, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_NO_WAY_OUT;
    }
    if (uv_door_on_signal(*out, SIGINT, on_stop, context) != ERR_NONE ||
        uv_door_on_signal(*out, SIGTERM, on_stop, context) != ERR_NONE) {
        complain("cannot watch for signals");
        return EXIT_INTERNAL;
    }
    return EXIT_SUCCESS;
}

int workbench_open(struct workbench *bench, const struct probe_options *options,
                   const char *command)
{
    *bench =
        (struct workbench){.opener = bench->opener, .loader = bench->loader, .first = bench->first};
    (void)signal(SIGPIPE, SIG_IGN); /* a closed line is an ordinary event */
    const struct knowledge_files files = knowledge_files(options);
    struct fault fault;
    enum err e = knowledge_new(&files, &bench->knowledge, &fault);
    if (e != ERR_NONE) {
        workbench_close(bench);
        return say_bad_data(e, &fault, false);
    }
    bench->has_own_providers = files.provider_file_count > 0;
    int code = begin_threads(bench, options);
    if (!options->has_helo && !options->is_quiet && !options->knocker.verify.no_smtp) {
        complain("this machine's name has no domain, and many servers refuse such an EHLO name; "
                 "%s --helo NAME sets one",
                 command);
    }
    if (code == EXIT_SUCCESS) {
        code = workbench_open_door(options, on_signal, bench, &bench->door);
    }
    if (code == EXIT_SUCCESS) {
        code = make_knocker(bench, options);
    }
    if (code == EXIT_SUCCESS) {
        look_ahead(bench);
        code = take_store(bench, options->config.store.is_none);
    }
    if (code != EXIT_SUCCESS) {
        workbench_close(bench);
        return code;
    }
    urge_later(bench);
    return code;
}

void workbench_close(struct workbench *bench)
{
    if (bench->knocker != NULL) {
        door_timer_stop(bench->door, &bench->urge);
    }
    knocker_free(bench->knocker);
    uv_door_close(bench->door);
    store_close(bench->store);
    store_opener_free(bench->opener);
    loader_free(bench->loader);
    knowledge_free(bench->knowledge);
    *bench = (struct workbench){0};
}
