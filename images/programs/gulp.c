/*
 * gulp - writes a text to standard output with one write call.
 *
 * Lesson: syscall-boundary, task batching. The other half of drip: the same
 * bytes, one crossing into the kernel. Compare `strace -c gulp >/dev/null`
 * with `strace -c drip >/dev/null`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "water.h"

int main(void)
{
    char cup[WATER];

    fill(cup);
    /* A pipe or a terminal may take less than all of it at once. */
    for (size_t done = 0; done < sizeof cup;) {
        ssize_t n = write(STDOUT_FILENO, cup + done, sizeof cup - done);
        if (n == -1) {
            perror("gulp: write");
            return EXIT_FAILURE;
        }
        done += (size_t)n;
    }
    return EXIT_SUCCESS;
}
