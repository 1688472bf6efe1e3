/*
 * touch-address - reads the one byte at an address.
 *
 *     touch-address 0x7f0012345678
 *
 * Lesson: address-space, task segfault. An address is a number, and a pointer can
 * hold any. What happens when it is used depends on the map: in a region, the
 * byte is read; elsewhere the processor faults, the kernel finds no region, and
 * sends SIGSEGV, which ends the program. Read the status by `echo $?`.
 *
 * The receipt is the lower half of the seal (seal.h) of "PID:heap:stack:address",
 * the addresses as they are printed.
 */
#include <errno.h>
#include <stdlib.h>

#include "seal.h"

int main(int argc, char *argv[])
{
    char numbers[96], *end;
    uint64_t h;

    if (argc != 2) {
        fputs("Usage: touch-address ADDRESS\n", stderr);
        return EXIT_FAILURE;
    }
    errno = 0;
    uintptr_t address = strtoull(argv[1], &end, 16);
    if (errno != 0 || end == argv[1] || *end != '\0') {
        fprintf(stderr, "touch-address: %s is no address; write it as the map does, like 7f0012345678\n", argv[1]);
        return EXIT_FAILURE;
    }
    if (read_seed("touch-address", "/run/lab/touch-address.seed", &h) == -1)
        return EXIT_FAILURE;

    uintptr_t heap = (uintptr_t)sbrk(0), stack = (uintptr_t)numbers;
    snprintf(numbers, sizeof numbers, "%d:%" PRIxPTR ":%" PRIxPTR ":%" PRIxPTR, getpid(), heap, stack, address);
    printf("touch-address: PID %d, heap at 0x%" PRIxPTR ", stack at 0x%" PRIxPTR "\n", getpid(), heap, stack);
    printf("touch-address: reading the byte at 0x%" PRIxPTR ", receipt %08" PRIx64 "\n", address, seal(h, numbers) & 0xffffffff);
    fflush(stdout); /* what is still in the buffer ends with the process */
    usleep(300000); /* a moment in which its map can be read */

    unsigned char byte = *(volatile unsigned char *)address;

    printf("touch-address: the byte is 0x%02x\n", byte);
    return EXIT_SUCCESS;
}
