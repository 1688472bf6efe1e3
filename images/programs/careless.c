/*
 * careless - starts a child that ends at once, and does not wait for it.
 *
 *     careless &
 *     ps -o pid,ppid,stat,args
 *
 * Lesson: fork-exec-tree, task zombie. An ended child leaves its exit status with
 * the kernel until its parent calls wait(2). Meanwhile it is a zombie, state Z in
 * ps. A signal to it changes nothing. Sent SIGUSR1, careless calls wait at last,
 * and prints what it collected.
 *
 * The exit status is 1 + s mod 255, where s is the upper half of the seal (seal.h) of
 * the child's PID.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "seal.h"

/* live is the child's whole life: it works out its exit status. */
static int live(uint64_t h)
{
    char pid[16];

    snprintf(pid, sizeof pid, "%d", getpid());
    return 1 + (int)((seal(h, pid) >> 32) % 255);
}

int main(void)
{
    sigset_t reminder;
    uint64_t h;

    if (read_seed("careless", "/run/lab/careless.seed", &h) == -1)
        return EXIT_FAILURE;

    /* Blocked, the signal stays pending until sigwait collects it. */
    sigemptyset(&reminder);
    sigaddset(&reminder, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &reminder, NULL) == -1) {
        perror("careless: sigprocmask");
        return EXIT_FAILURE;
    }

    pid_t child = fork();
    if (child == -1) {
        perror("careless: fork");
        return EXIT_FAILURE;
    }
    if (child == 0)
        return live(h);

    /* A careful parent would call wait here. */

    for (;;) {
        int number, status;
        int err = sigwait(&reminder, &number);
        if (err != 0) {
            fprintf(stderr, "careless: sigwait: %s\n", strerror(err));
            return EXIT_FAILURE;
        }
        child = wait(&status);
        if (child == -1)
            perror("careless: wait");
        else
            printf("careless: collected PID %d, exit status %d\n", child, WEXITSTATUS(status));
        fflush(stdout);
    }
}
