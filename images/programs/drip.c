/*
 * drip - writes a text to standard output a few bytes at a time.
 *
 * Lesson: syscall-boundary, task batching. The bytes are those of gulp, but
 * carried in as many write calls as /run/lab/drip.count says (it differs per
 * sandbox), and each one crosses into the kernel and back. Count them with
 * `strace -c drip >/dev/null`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "water.h"

#define COUNT "/run/lab/drip.count"

/* drops reads how many writes to make: 1 to WATER, or 0 after saying why not. */
static size_t drops(void)
{
    char text[32], *end;

    int fd = open(COUNT, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        perror("drip: this sandbox has no count: " COUNT);
        return 0;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    if (n == -1) {
        perror("drip: " COUNT);
        return 0;
    }
    close(fd);
    text[n] = '\0';

    errno = 0;
    long count = strtol(text, &end, 10);
    if (errno != 0 || end == text || (*end != '\0' && *end != '\n') || count < 1 || count > (long)WATER) {
        fprintf(stderr, "drip: %s: want a number from 1 to %zu\n", COUNT, WATER);
        return 0;
    }
    return (size_t)count;
}

int main(void)
{
    char cup[WATER];
    size_t count = drops();

    if (count == 0)
        return EXIT_FAILURE;
    fill(cup);
    for (size_t i = 0, done = 0; i < count; i++) {
        size_t upto = WATER * (i + 1) / count;
        while (done < upto) {
            ssize_t n = write(STDOUT_FILENO, cup + done, upto - done);
            if (n == -1) {
                perror("drip: write");
                return EXIT_FAILURE;
            }
            done += (size_t)n;
        }
    }
    return EXIT_SUCCESS;
}
