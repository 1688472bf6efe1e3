/*
 * leaky - opens a file for each request that it serves, and may forget to close it.
 *
 * Lesson: too-many-open-files. Watch `ls /proc/PID/fd | wc -l` while it runs.
 *   leaky       does as this sandbox's seed says: the first requests come in
 *               a burst and keep their files, those that fail later may as well.
 *   leaky FILE  takes its settings from FILE, and again whenever SIGHUP arrives.
 *               Each request served, 19 of 20, is a line in leaky.log.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "seed.h"

struct settings {
    unsigned long descriptors; /* how many it may have: its soft limit */
    unsigned long requests;    /* a second */
    unsigned long burst;       /* first requests, which come faster and keep their files */
    int close_failed;          /* whether a request that fails closes its file */
};

static volatile sig_atomic_t hung_up;

static void on_hangup(int signal)
{
    hung_up = signal;
}

static void limit_descriptors(unsigned long descriptors)
{
    struct rlimit limit;

    int got = getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = descriptors;
    if (got == -1 || setrlimit(RLIMIT_NOFILE, &limit) == -1)
        perror("leaky: descriptors");
}

/* read_settings takes over what stands in the file: a line "name value" for each. */
static int read_settings(const char *path, struct settings *s)
{
    char line[128], value[8];
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        fprintf(stderr, "leaky: cannot read %s: %m\n", path);
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "close-failed %7s", value) == 1)
            s->close_failed = strcmp(value, "yes") == 0;
        else if (sscanf(line, "descriptors %lu", &s->descriptors) != 1 &&
                 sscanf(line, "requests %lu", &s->requests) != 1 && line[0] != '#' && line[0] != '\n')
            fprintf(stderr, "leaky: %s: do not know %s", path, line);
    }
    fclose(file);
    limit_descriptors(s->descriptors);
    fprintf(stderr, "leaky: PID %d took its settings from %s\n", getpid(), path);
    return 0;
}

int main(int argc, char *argv[])
{
    struct settings s = {.requests = 20};
    struct sigaction action = {.sa_handler = on_hangup};
    uint64_t h;

    int log = open(argc > 1 ? "leaky.log" : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    if (log == -1 || sigaction(SIGHUP, &action, NULL) == -1) {
        perror("leaky: leaky.log");
        return EXIT_FAILURE;
    }
    if (argc > 1 ? read_settings(argv[1], &s) : read_seed("leaky", "/run/lab/leaky.seed", &h))
        return EXIT_FAILURE;
    if (argc == 1) {
        s.burst = 60 + h % 100, s.close_failed = h >> 40 & 1;
        limit_descriptors(400 + (h >> 8) % 600);
    }
    for (unsigned long request = 1, refused = 0;; request++) {
        if (hung_up && argc > 1)
            read_settings(argv[1], &s);
        hung_up = 0;
        if (s.requests == 0) {
            sleep(1); /* a signal ends it early */
            continue;
        }
        long rate = (long)(request > s.burst ? s.requests : 100);
        nanosleep(&(struct timespec){.tv_nsec = 999999999 / rate}, NULL);
        int file = open("/etc/hostname", O_RDONLY), fails = request % 20 == 0;
        if (file == -1 && refused++ == 0)
            perror("leaky: nobody is served any more: /etc/hostname");
        if (file != -1 && !fails)
            dprintf(log, "%09lu served\n", request);
        if (file != -1 && request > s.burst && (!fails || s.close_failed))
            close(file); /* the others are forgotten, and stay open */
    }
}
