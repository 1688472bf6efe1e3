/*
 * keeper - writes notes into a file, deletes it, and keeps it open.
 *
 * Lesson: socket-is-fd, task deleted-but-open. unlink takes a name away. The
 * file itself stays as long as a descriptor leads to it: look for "(deleted)"
 * in `ls -l /proc/PID/fd`. When keeper ends, the kernel frees it.
 *
 * The notes differ per sandbox: eight numbers, each made of the one before,
 * the first of the seed. The number of the descriptor differs as well.
 */
#include <stdlib.h>

#include "seed.h"

int main(void)
{
    char path[32];
    uint64_t h;

    if (read_seed("keeper", "/run/lab/keeper.seed", &h) == -1)
        return EXIT_FAILURE;
    for (uint64_t others = 1 + h % 5; others > 0; others--) {
        if (open("/etc/hostname", O_RDONLY) == -1) {
            perror("keeper: /etc/hostname");
            return EXIT_FAILURE;
        }
    }
    snprintf(path, sizeof path, "/tmp/notes-%d", getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd == -1) {
        perror(path);
        return EXIT_FAILURE;
    }
    for (int i = 0; i < 8; i++) {
        h = h * 6364136223846793005u + 1442695040888963407u;
        if (dprintf(fd, "note %d: %016lx\n", i + 1, (unsigned long)h) < 0) {
            perror("keeper: write");
            return EXIT_FAILURE;
        }
    }
    if (unlink(path) == -1) {
        perror("keeper: unlink");
        return EXIT_FAILURE;
    }
    printf("keeper: PID %d wrote its notes to %s and deleted that file\n", getpid(), path);
    fflush(stdout);
    for (;;)
        pause(); /* until a signal ends it, and with it the last descriptor */
}
