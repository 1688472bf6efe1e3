/*
 * mystery - looks for its configuration and says only that it is missing.
 *
 * Lesson: syscall-boundary, task secret-path. A program may keep to itself
 * what it looked for, but it has to ask the kernel to open it. Watch openat
 * in `strace mystery`: the path and ENOENT stand there.
 *
 * The path differs per sandbox. It is "/etc/" + 8 letters + ".conf", where
 * letter i is 'a' + (byte i of h, the most significant first) mod 26, and h
 * is the 64-bit FNV-1a hash of the text in /run/lab/mystery.seed without its
 * newline. So neither the seed nor strings(1) shows it.
 */
#include <stdlib.h>

#include "seed.h"

int main(void)
{
    char path[] = "/etc/????????.conf";
    uint64_t h;

    if (read_seed("mystery", "/run/lab/mystery.seed", &h) == -1)
        return EXIT_FAILURE;
    for (int i = 0; i < 8; i++)
        path[5 + i] = (char)('a' + (h >> (56 - 8 * i) & 0xff) % 26);

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        fputs("mystery: my configuration is missing; I will not say which file it is\n", stderr);
        return EXIT_FAILURE;
    }
    close(fd);
    puts("mystery: configuration found");
    return EXIT_SUCCESS;
}
