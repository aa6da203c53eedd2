/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/must.h"
#include "base/span.h"
#include "net/quiet_thread.h"

struct list_desk {
    struct list_desk_config config;
    pthread_t thread;
    pthread_mutex_t reading; /* one reads at a time */
    struct list_stamps read; /* the files when they were read, or could not be; under it */
    pthread_mutex_t mutex;   /* over the next */
    pthread_cond_t closing;
    bool is_closing;
};

static void stamp_file(const char *path, struct list_stamp *out)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        return;
    }
    *out = (struct list_stamp){
        .device = about.st_dev,
        .inode = about.st_ino,
        .bytes = (uint64_t)about.st_size,
        .modified_s = about.st_mtim.tv_sec,
        .modified_ns = about.st_mtim.tv_nsec,
        .changed_s = about.st_ctim.tv_sec,
        .changed_ns = about.st_ctim.tv_nsec,
    };
}

void list_stamps_take(const struct list_place *place, struct list_stamps *out)
{
    static const enum list_part parts[] = {LIST_PART_SHIPPED, LIST_PART_UPDATED, LIST_PART_OWN};
    enum { PARTS = sizeof parts / sizeof *parts };
    _Static_assert(LIST_STAMPS == LIST_COUNT * PARTS, "each file has its stamp");
    char path[LIST_PATH_BYTES];
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < LIST_STAMPS; i++) {
        enum list_kind kind = (enum list_kind)(i / PARTS);
        if (list_path(place, kind, parts[i % PARTS], path, NULL) == ERR_NONE) {
            stamp_file(path, &out->of[i]);
        }
    }
}

static bool is_equal(const struct list_stamps *a, const struct list_stamps *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* With desk->reading. The files are looked at first: what changes while they are read shows the next time. */
static enum err read_lists(struct list_desk *desk, struct fault *out_fault)
{
    list_stamps_take(&desk->config.place, &desk->read);
    return knowledge_reload_lists(desk->config.knowledge, out_fault);
}

enum err list_desk_reload(struct list_desk *desk, struct fault *out_fault)
{
    (void)pthread_mutex_lock(&desk->reading);
    enum err e = read_lists(desk, out_fault);
    (void)pthread_mutex_unlock(&desk->reading);
    return e;
}

/* seen: the files at the look before. */
static void look(struct list_desk *desk, struct list_stamps *seen)
{
    struct list_stamps now;
    struct fault fault;
    list_stamps_take(&desk->config.place, &now);
    bool is_still = is_equal(&now, seen);
    *seen = now;
    (void)pthread_mutex_lock(&desk->reading);
    bool is_due = is_still && !is_equal(&now, &desk->read);
    enum err e = is_due ? read_lists(desk, &fault) : ERR_NONE;
    (void)pthread_mutex_unlock(&desk->reading);
    if (is_due && desk->config.told != NULL) {
        desk->config.told(desk->config.context, e == ERR_NONE ? NULL : &fault);
    }
}

/* False: it is closing. */
static bool wait_a_period(struct list_desk *desk)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    const struct timespec until = span_after(now, desk->config.period_ms);
    (void)pthread_mutex_lock(&desk->mutex);
    int waited = 0;
    while (!desk->is_closing && waited == 0) {
        waited = pthread_cond_timedwait(&desk->closing, &desk->mutex, &until);
    }
    bool goes_on = !desk->is_closing;
    (void)pthread_mutex_unlock(&desk->mutex);
    return goes_on;
}

static void *watch(void *context)
{
    struct list_desk *desk = context;
    struct list_stamps seen;
    list_stamps_take(&desk->config.place, &seen);
    while (wait_a_period(desk)) {
        look(desk, &seen);
    }
    return NULL;
}

static void destroy(struct list_desk *desk)
{
    (void)pthread_cond_destroy(&desk->closing);
    (void)pthread_mutex_destroy(&desk->mutex);
    (void)pthread_mutex_destroy(&desk->reading);
    free(desk);
}

/* Their making cannot fail for the default kind of mutex, and a condition with a clock that the system has. */
static void make_locks(struct list_desk *desk)
{
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&desk->closing, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    must(pthread_mutex_init(&desk->mutex, NULL) == 0);
    must(pthread_mutex_init(&desk->reading, NULL) == 0);
}

enum err list_desk_open(const struct list_desk_config *config, struct list_desk **out,
                        struct fault *out_fault)
{
    struct list_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the lists");
    }
    desk->config = *config;
    desk->config.period_ms = config->period_ms > 0 ? config->period_ms : LIST_DESK_PERIOD_MS;
    desk->config.loaded = NULL; /* lent during this call */
    if (config->loaded != NULL) {
        desk->read = *config->loaded;
    } else {
        list_stamps_take(&config->place, &desk->read);
    }
    make_locks(desk);
    if (quiet_thread_start(&desk->thread, watch, desk) != ERR_NONE) {
        destroy(desk);
        return fault_set(out_fault, ERR_SYSTEM, 0, "no thread to watch the lists with");
    }
    *out = desk;
    return ERR_NONE;
}

void list_desk_close(struct list_desk *desk)
{
    if (desk == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&desk->mutex);
    desk->is_closing = true;
    (void)pthread_cond_signal(&desk->closing);
    (void)pthread_mutex_unlock(&desk->mutex);
    (void)pthread_join(desk->thread, NULL);
    destroy(desk);
}

const struct list_place *list_desk_place(const struct list_desk *desk)
{
    return &desk->config.place;
}

const struct knowledge *list_desk_knowledge(const struct list_desk *desk)
{
    return desk->config.knowledge;
}

enum err list_desk_change(struct list_desk *desk, const struct list_wish *wish,
                          enum list_change *out, struct fault *out_fault)
{
    const struct list_place *place = &desk->config.place;
    enum list_change done = LIST_CHANGE_NONE;
    enum err e = wish->is_wanted ? list_add(place, wish->kind, wish->entry, &done, out_fault)
                                 : list_remove(place, wish->kind, wish->entry, &done, out_fault);
    if (e == ERR_NONE && done != LIST_CHANGE_NONE) {
        e = list_desk_reload(desk, out_fault);
    }
    if (e == ERR_NONE) {
        *out = done;
    }
    return e;
}
