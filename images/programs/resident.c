/*
 * resident - stays in the background, so that its memory map can be read.
 *
 *     resident          says its PID
 *     resident ask      says as well five addresses: which region holds each?
 *
 * Lesson: address-space, tasks landmarks and whose-page. Its regions stand in
 * /proc/PID/maps, a line each: where it starts, where the next byte behind it
 * is, what is allowed there, and what is in it.
 *
 * What it asks differs per process: the upper half of the seal (seal.h) of its PID,
 * written in base 5, has a digit for each question, the last for the first; it is the
 * region, in the order below. It is the child
 * that stays and the parent that prints: fork has copied the address space, so
 * the addresses are the same in both.
 */
#include <stdlib.h>

#include "seal.h"

#define QUESTIONS 5
#define ROOM (16ul << 10)
#define MIB (1ul << 20)

enum region { TEXT, HEAP, STACK, LIBRARY, NONE };

/* somewhere_in returns an address in a region; r varies it. */
static uintptr_t somewhere_in(enum region region, const char *heap, const char *stack, uint64_t r)
{
    switch (region) {
    case TEXT:
        return (uintptr_t)somewhere_in + r % 64;
    case HEAP:
        return (uintptr_t)heap + r % ROOM;
    case STACK:
        return (uintptr_t)stack + r % ROOM;
    case LIBRARY:
        return (uintptr_t)puts + r % 4096;
    case NONE:
        break;
    }
    uintptr_t gaps[] = {
        (uintptr_t)sbrk(0) + 16 * MIB,  /* above the heap */
        (uintptr_t)puts - 1024 * MIB,   /* below the libraries */
        (uintptr_t)stack - 64 * MIB,    /* below the stack, and above the libraries */
    };
    return gaps[r % 3] + r % MIB;
}

static void ask(uint64_t h, pid_t pid, const char *heap, const char *stack)
{
    char text[32];

    puts("resident: which region of mine holds each of these?");
    snprintf(text, sizeof text, "%d", pid);
    uint64_t regions = seal(h, text) >> 32;
    for (int i = 0; i < QUESTIONS; i++) {
        snprintf(text, sizeof text, "%d:%d", pid, i);
        uint64_t s = seal(h, text);
        enum region region = (enum region)(regions % 5);
        regions /= 5;
        printf("  %c  %#" PRIxPTR "\n", 'a' + i, somewhere_in(region, heap, stack, s & 0xffffffff));
    }
}

int main(int argc, char *argv[])
{
    char stack[ROOM] = {0};
    char *heap = calloc(1, ROOM);
    uint64_t h;

    if (argc > 2 || (argc == 2 && strcmp(argv[1], "ask") != 0)) {
        fputs("Usage: resident [ask]\n", stderr);
        return EXIT_FAILURE;
    }
    if (heap == NULL) {
        perror("resident: calloc");
        return EXIT_FAILURE;
    }
    if (read_seed("resident", "/run/lab/resident.seed", &h) == -1)
        return EXIT_FAILURE;

    pid_t pid = fork();
    if (pid == -1) {
        perror("resident: fork");
        return EXIT_FAILURE;
    }
    if (pid == 0) {
        /* Whoever waits for the end of the output should not wait for this one. */
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        for (;;)
            pause(); /* until a signal ends it */
    }
    printf("resident: PID %d stays here until you end it\n", pid);
    if (argc == 2)
        ask(h, pid, heap, stack);
    return EXIT_SUCCESS;
}
