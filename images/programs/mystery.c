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
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED "/run/lab/mystery.seed"

static uint64_t fnv1a(const char *text, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++) {
        h ^= (unsigned char)text[i];
        h *= 0x100000001b3u;
    }
    return h;
}

int main(void)
{
    char seed[256];
    char path[] = "/etc/????????.conf";

    int fd = open(SEED, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        perror("mystery: this sandbox has no seed: " SEED);
        return EXIT_FAILURE;
    }
    ssize_t n = read(fd, seed, sizeof seed);
    if (n == -1) {
        perror("mystery: " SEED);
        return EXIT_FAILURE;
    }
    close(fd);

    const char *newline = memchr(seed, '\n', (size_t)n);
    uint64_t h = fnv1a(seed, newline ? (size_t)(newline - seed) : (size_t)n);
    for (int i = 0; i < 8; i++)
        path[5 + i] = (char)('a' + (h >> (56 - 8 * i) & 0xff) % 26);

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        fputs("mystery: my configuration is missing; I will not say which file it is\n", stderr);
        return EXIT_FAILURE;
    }
    close(fd);
    puts("mystery: configuration found");
    return EXIT_SUCCESS;
}
