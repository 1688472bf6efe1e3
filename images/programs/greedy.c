/*
 * greedy - takes 140 MiB, slowly enough to be looked at while it grows.
 *
 *     greedy [MS]
 *
 * Lesson: oom-wall, task choose-the-victim. It takes one MiB every MS milliseconds
 * (100). Beside important there is no room for all of it: somebody has to go, and
 * the kernel takes the process whose memory and oom_score_adj make the most points:
 *
 *     choom -n 1000 -- greedy
 */
#include <time.h>
#include <unistd.h>

#include "pages.h"

#define WANT 140

int main(int argc, char *argv[])
{
    long ms = 100;

    if (argc > 1 && (ms = parse_number("greedy", argv[1], "milliseconds", 1, 10000)) == -1)
        return EXIT_FAILURE;
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    volatile char *memory = map_pages("greedy", WANT * MIB);
    if (memory == NULL)
        return EXIT_FAILURE;
    printf("greedy: process %d wants %d MiB, one every %ld ms\n", (int)getpid(), WANT, ms);
    fflush(stdout);
    for (size_t have = 0; have < WANT; have++) {
        touch(memory + have * MIB, MIB, page);
        if (nanosleep(&pause, NULL) == -1) {
            perror("greedy: nanosleep");
            return EXIT_FAILURE;
        }
    }
    printf("greedy: has all %d MiB, and gives them back\n", WANT);
    return EXIT_SUCCESS;
}
