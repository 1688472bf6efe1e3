/*
 * important - keeps 150 MiB in memory and waits.
 *
 * Lesson: oom-wall, task choose-the-victim. It stands for a database: large, quiet,
 * and what nobody wants to lose. Since it holds the most, it is the one that the
 * kernel takes when memory runs out. Run it beside greedy, and see to it that it
 * is spared.
 */
#include <unistd.h>

#include "pages.h"

#define KEEP 150

int main(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    volatile char *memory = map_pages("important", KEEP * MIB);

    if (memory == NULL)
        return EXIT_FAILURE;
    touch(memory, KEEP * MIB, page);
    printf("important: process %d keeps %d MiB\n", (int)getpid(), KEEP);
    fflush(stdout);
    for (;;)
        pause();
}
