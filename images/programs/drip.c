/*
 * drip - writes a text to standard output a few bytes at a time.
 *
 * Lesson: syscall-boundary, task batching. The bytes are those of gulp, but
 * carried in 300 to 1500 write calls, and each one crosses into the kernel and
 * back. How many differs per sandbox: 300 + (h >> 32) mod 1201, where h is the
 * hash of the text in /run/lab/drip.seed. Count them with
 * `strace -c drip >/dev/null`.
 */
#include <stdlib.h>

#include "seed.h"
#include "water.h"

int main(void)
{
    char cup[WATER];
    uint64_t h;

    if (read_seed("drip", "/run/lab/drip.seed", &h) == -1)
        return EXIT_FAILURE;
    size_t count = 300 + (size_t)((h >> 32) % 1201);
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
