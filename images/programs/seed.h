/* seed.h - the number that a sandbox's seed stands for. It hides what a lab asks
 * for from cat(1) and strings(1): only a run of the program shows it. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* fnv1a is the 64-bit FNV-1a hash. */
static uint64_t fnv1a(const char *text, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < len; i++) {
        h ^= (unsigned char)text[i];
        h *= 0x100000001b3u;
    }
    return h;
}

/* read_seed hashes the first line of the file at path. It returns -1 when it can't
 * read it, after saying why in the name of the program. */
static int read_seed(const char *program, const char *path, uint64_t *h)
{
    char seed[256];

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? -1 : read(fd, seed, sizeof seed);
    if (n == -1) {
        fprintf(stderr, "%s: this sandbox has no seed: ", program);
        perror(path);
        return -1;
    }
    close(fd);
    const char *newline = memchr(seed, '\n', (size_t)n);
    *h = fnv1a(seed, newline ? (size_t)(newline - seed) : (size_t)n);
    return 0;
}
