/*
 * promise - has memory mapped, and touches it only when it is told to.
 *
 *     promise [MAPPED [TOUCHED]]
 *
 * Lesson: vsz-rss. It maps MAPPED MiB (64), touches the first TOUCHED MiB of them
 * (none), and waits. Each SIGUSR1 has it touch some thousand pages behind those.
 * Watch what that does to its sizes and to its count of minor faults:
 *
 *     promise &
 *     ps -o pid,vsz,rss,min_flt -p $!
 *     kill -USR1 $!
 *
 * How many pages differs per sandbox: 2000 + (h >> 32) mod 2001, where h is the
 * hash of the text in /run/lab/promise.seed; fewer when fewer are mapped.
 */
#include <signal.h>

#include "pages.h"
#include "seed.h"

int main(int argc, char *argv[])
{
    long mapped = 64, touched = 0;
    sigset_t wanted;
    uint64_t h;

    if (argc > 1 && (mapped = parse_number("promise", argv[1], "MiB", 1, 4096)) == -1)
        return EXIT_FAILURE;
    if (argc > 2 && (touched = parse_number("promise", argv[2], "MiB", 0, mapped)) == -1)
        return EXIT_FAILURE;
    if (read_seed("promise", "/run/lab/promise.seed", &h) == -1)
        return EXIT_FAILURE;

    /* Blocked, the signal stays pending until sigwait collects it. */
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &wanted, NULL) == -1) {
        perror("promise: sigprocmask");
        return EXIT_FAILURE;
    }

    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t begun = (size_t)touched * MIB, rest = (size_t)mapped * MIB - begun;
    size_t due = (2000 + (size_t)((h >> 32) % 2001)) * page;
    if (due > rest)
        due = rest;
    volatile char *memory = map_pages("promise", (size_t)mapped * MIB);
    if (memory == NULL)
        return EXIT_FAILURE;
    touch(memory, begun, page);
    printf("promise: process %d has %ld MiB mapped, %ld touched; SIGUSR1 touches more\n",
           (int)getpid(), mapped, touched);
    fflush(stdout);

    for (;;) {
        int sig;
        int err = sigwait(&wanted, &sig);
        if (err != 0) {
            fprintf(stderr, "promise: sigwait: %s\n", strerror(err));
            return EXIT_FAILURE;
        }
        touch(memory + begun, due, page);
    }
}
