/* pages.h - memory that comes page by page: mapped first, touched later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

/* map_pages asks the kernel for memory and touches none of it. It returns NULL when
 * it gets none, after saying why in the name of the program. */
static inline volatile char *map_pages(const char *program, size_t bytes)
{
    /* MAP_NORESERVE: the promise is not counted, however large it is. */
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED) {
        fprintf(stderr, "%s: ", program);
        perror("mmap");
        return NULL;
    }
    /* Small pages only: a huge one would bring 2 MiB with a single fault. A kernel
     * that has no huge pages refuses, and that is as good. */
    if (madvise(memory, bytes, MADV_NOHUGEPAGE) == -1 && errno != EINVAL) {
        fprintf(stderr, "%s: ", program);
        perror("madvise");
        return NULL;
    }
    return memory;
}

/* touch writes one byte into each page: a fault for each that is not there yet. */
static inline void touch(volatile char *from, size_t bytes, size_t page)
{
    for (size_t at = 0; at < bytes; at += page)
        from[at] = 1;
}

/* parse_number reads a decimal number from low to high, and returns -1 after saying
 * what is asked for when text is none. */
static inline long parse_number(const char *program, const char *text, const char *what, long low, long high)
{
    char *end;

    errno = 0;
    long n = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || n < low || n > high) {
        fprintf(stderr, "%s: %s: want %s from %ld to %ld\n", program, text, what, low, high);
        return -1;
    }
    return n;
}
