/*
 * listener - waits for connections, among other things that it holds open.
 *
 * Lesson: socket-is-fd, task which-socket. Files, pipes and sockets stand in
 * one table, and each takes the lowest number that is free. Watch
 * `ls -l /proc/PID/fd`: a socket shows its inode, and only the kernel's list
 * /proc/net/tcp tells that one of them listens (state 0A).
 *
 * What is opened is in `things`; the seed of the sandbox decides how many of
 * them, and in which order. The last two descriptors are the ends of a
 * connection that the program makes to itself.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "seed.h"

static struct sockaddr_in here = {.sin_family = AF_INET}; /* port 0: the kernel picks one */

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        die("listener: socket");
    return fd;
}

/* listening makes a socket that others can connect to, and tells its port in `here`. */
static int listening(void)
{
    socklen_t size = sizeof here;
    int fd = tcp_socket();

    if (bind(fd, (struct sockaddr *)&here, sizeof here) == -1 || listen(fd, 8) == -1)
        die("listener: listen");
    if (getsockname(fd, (struct sockaddr *)&here, &size) == -1)
        die("listener: getsockname");
    return fd;
}

int main(void)
{
    char things[] = "ffffpudl"; /* file, pipe, unix pair, datagrams, listening socket */
    int count = sizeof things - 1, both[2], door = -1;
    uint64_t h;

    if (read_seed("listener", "/run/lab/listener.seed", &h) == -1)
        return EXIT_FAILURE;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    signal(SIGPIPE, SIG_IGN); /* who connects may be gone before he is greeted */

    char *thing = things + h % 4; /* with one to four files */
    count -= (int)(h % 4);
    for (int i = count - 1; i > 0; i--) {
        int j = (int)((h >> (6 * i)) % (uint64_t)(i + 1));
        char swapped = thing[i];
        thing[i] = thing[j];
        thing[j] = swapped;
    }
    for (int i = 0; i < count; i++) {
        if (thing[i] == 'f' && open("/etc/hostname", O_RDONLY) == -1)
            die("listener: /etc/hostname");
        if (thing[i] == 'p' && pipe(both) == -1)
            die("listener: pipe");
        if (thing[i] == 'u' && socketpair(AF_UNIX, SOCK_STREAM, 0, both) == -1)
            die("listener: socketpair");
        if (thing[i] == 'd' && socket(AF_INET, SOCK_DGRAM, 0) == -1)
            die("listener: socket");
        if (thing[i] == 'l')
            door = listening();
    }
    if (connect(tcp_socket(), (struct sockaddr *)&here, sizeof here) == -1)
        die("listener: connect");
    if (accept(door, NULL, NULL) == -1)
        die("listener: accept");
    printf("listener: PID %d waits at 127.0.0.1, port %d\n", getpid(), ntohs(here.sin_port));
    fflush(stdout);

    for (;;) {
        int guest = accept(door, NULL, NULL); /* one more descriptor for each who comes */
        if (guest == -1)
            die("listener: accept");
        dprintf(guest, "Welcome. You are descriptor %d of PID %d.\n", guest, getpid());
        close(guest);
    }
}
