/*
 * hog - takes memory, one MiB after the other, and gives it back at its end.
 *
 *     hog [MIB]
 *
 * Lesson: oom-wall, tasks hit-it and move-the-wall. Without MIB it wants an amount
 * that differs per sandbox, 300 + (h >> 32) mod 101 MiB, where h is the hash of the
 * text in /run/lab/hog.seed: more than the sandbox may have at first. The mapping
 * is granted whole; each page counts from the moment it is touched. Nothing in
 * here can fail at the wall, for nothing is asked: the kernel ends the process.
 */
#include <time.h>

#include "pages.h"
#include "seed.h"

int main(int argc, char *argv[])
{
    const struct timespec pause = {.tv_nsec = 8000000}; /* so that it can be watched */
    long want;
    uint64_t h;

    if (argc > 1) {
        want = parse_number("hog", argv[1], "MiB", 1, 65536);
        if (want == -1)
            return EXIT_FAILURE;
    } else {
        if (read_seed("hog", "/run/lab/hog.seed", &h) == -1)
            return EXIT_FAILURE;
        want = 300 + (long)((h >> 32) % 101);
    }

    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    volatile char *memory = map_pages("hog", (size_t)want * MIB);
    if (memory == NULL)
        return EXIT_FAILURE;
    printf("hog: process %d wants %ld MiB\n", (int)getpid(), want);
    fflush(stdout);
    for (long have = 1; have <= want; have++) {
        touch(memory + (size_t)(have - 1) * MIB, MIB, page);
        if (have % 32 == 0) {
            printf("hog: has %ld MiB\n", have);
            fflush(stdout);
        }
        if (nanosleep(&pause, NULL) == -1) {
            perror("hog: nanosleep");
            return EXIT_FAILURE;
        }
    }
    printf("hog: has all %ld MiB, and gives them back\n", want);
    return EXIT_SUCCESS;
}
