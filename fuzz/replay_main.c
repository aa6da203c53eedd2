/* fuzz/replay_main: runs a fuzz target over the files of the folders given, without libFuzzer, so that
 * every build replays what was once found. Says nothing when all went well.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_BYTES_MAX = 1 << 20, /* what libFuzzer would give at most, -max_len */
    PATH_BYTES = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each input gets a block of its own size, so that a sanitizer sees a read past its end. */
static int replay_file(const char *path)
{
    static uint8_t input[INPUT_BYTES_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        return 1;
    }
    size_t size = fread(input, 1, sizeof input, file);
    int failed = ferror(file) != 0;
    if (fclose(file) != 0) {
        failed = 1;
    }
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (failed || exact == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        free(exact);
        return 1;
    }
    memcpy(exact, input, size);
    int answer = LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return answer;
}

static int replay_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        fprintf(stderr, "%s: no such folder\n", folder);
        return 1;
    }
    int failed = 0;
    unsigned count = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[PATH_BYTES];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof path) {
            failed |= replay_file(path);
            count++;
        }
    }
    closedir(entries);
    if (count == 0) {
        fprintf(stderr, "%s: no input to replay\n", folder);
    }
    return failed || count == 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        failed |= replay_folder(argv[i]);
    }
    return failed ? 1 : 0;
}
