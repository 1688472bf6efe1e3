/*
 * Ways out of a sandbox, one per name. Each is tried with arguments that would
 * work where it is allowed, and undone at once; what it came to is printed as
 * "name open" or "name reason". Without an argument all names are printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HERE "/tmp/escape.d"

static char buf[4096];

static int writing(const char *path) { return open(path, O_WRONLY); }

static int t_mount(void) { mkdir(HERE, 0700); return mount("none", HERE, "tmpfs", 0, 0); }
static int t_chroot(void) { return chroot("/tmp"); }
static int t_pivot(void) { return syscall(SYS_pivot_root, "/tmp", "/tmp"); }
static int t_mknod(void) { unlink("/tmp/escape.dev"); return mknod("/tmp/escape.dev", S_IFBLK | 0600, makedev(254, 0)); }
static int t_reboot(void) { return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_OFF, 0); }
static int t_module(void) { return syscall(SYS_init_module, buf, sizeof buf, ""); }
static int t_raw(void) { return socket(AF_INET, SOCK_RAW, 1); }
static int t_packet(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static int t_syslog(void) { return klogctl(3, buf, sizeof buf); }
static int t_kmsg(void) { return open("/dev/kmsg", O_RDONLY); }
static int t_sysrq(void) { return writing("/proc/sysrq-trigger"); }
static int t_swap(void) { return swapoff("/tmp/none"); }
static int t_acct(void) { return acct("/tmp/escape.acct"); }
static int t_setuid(void) { return setuid(0); }
static int t_nice(void) { return setpriority(PRIO_PROCESS, 0, -5); }
static int t_unshare(void) { return unshare(CLONE_NEWUSER); }
static int t_uffd(void) { return syscall(SYS_userfaultfd, 1); }
static int t_keyctl(void) { return syscall(SYS_keyctl, 0, -3, 1); }
static int t_vsock(void) { return socket(AF_VSOCK, SOCK_STREAM, 0); }
static int t_alg(void) { return socket(AF_ALG, SOCK_SEQPACKET, 0); }
static int t_netfilter(void) { return socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER); }
static int t_rie(void) { return personality(READ_IMPLIES_EXEC); }
static int t_io_uring(void) { char p[256] = {0}; return syscall(SYS_io_uring_setup, 4, p); }
static int t_aio(void) { unsigned long c = 0; return syscall(SYS_io_setup, 4, &c); }

static int t_setns(void)
{
	/* From root's own to root's own: only the right to do it is asked. */
	int fd = open("/proc/self/ns/mnt", O_RDONLY);
	return fd < 0 ? fd : setns(fd, CLONE_NEWNS);
}

static int t_handle(void)
{
	struct { struct file_handle h; char room[128]; } f = {.h.handle_bytes = 128};
	int mount_id, dir = open("/tmp", O_RDONLY);
	if (name_to_handle_at(AT_FDCWD, "/tmp", &f.h, &mount_id, 0) < 0) {
		f.h.handle_bytes = 8; /* refused already: guess, as the known attack does */
		f.h.handle_type = 1;
		memcpy(f.h.f_handle, "\2\0\0\0\0\0\0\0", 8);
	}
	return open_by_handle_at(dir, &f.h, O_RDONLY);
}

static int t_settime(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return clock_settime(CLOCK_REALTIME, &now);
}

static int t_sysctl(void)
{
	int fd = writing("/proc/sys/kernel/hostname");
	return fd >= 0 ? fd : writing("/proc/sys/kernel/core_pattern");
}

static int t_devices(void)
{
	const char *paths[] = {"/dev/mem", "/dev/kvm", "/dev/vda", "/dev/sda", "/dev/fuse", "/dev/loop-control", "/proc/kcore", 0};
	for (int i = 0; paths[i]; i++) {
		int fd = open(paths[i], O_RDONLY);
		if (fd >= 0 && read(fd, buf, 1) != 0)
			return fd;
	}
	errno = EACCES;
	return -1;
}

static int t_cgroup(void)
{
	const char *paths[] = {"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
		"/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/memory.max", 0};
	for (int i = 0; paths[i]; i++) {
		int fd = writing(paths[i]);
		if (fd >= 0)
			return fd;
	}
	return mkdir("/sys/fs/cgroup/pids/escape", 0700);
}

static int t_ptrace(void)
{
	int r = ptrace(PTRACE_SEIZE, 1, 0, 0);
	if (r == 0)
		ptrace(PTRACE_DETACH, 1, 0, 0);
	return r;
}

static int t_readmem(void)
{
	struct iovec mine = {buf, 8}, its = {(void *)0x400000, 8};
	return process_vm_readv(1, &mine, 1, &its, 1, 0);
}

static int t_core(void)
{
	struct rlimit l = {4096, 4096};
	return setrlimit(RLIMIT_CORE, &l);
}

static int t_limits(void)
{
	struct rlimit l;
	getrlimit(RLIMIT_NPROC, &l);
	l.rlim_cur = ++l.rlim_max;
	return setrlimit(RLIMIT_NPROC, &l);
}

static int child_of(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, 0, __WALL);
	return pid;
}

static int t_clone(void) { return child_of(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)); }

static int t_clone3(void)
{
	unsigned long long args[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
	return child_of(syscall(SYS_clone3, args, sizeof args));
}

static int t_bpf(void)
{
	union bpf_attr a;
	memset(&a, 0, sizeof a);
	a.map_type = BPF_MAP_TYPE_ARRAY;
	a.key_size = a.value_size = 4;
	a.max_entries = 1;
	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof a);
}

static int t_perf(void)
{
	struct perf_event_attr a;
	memset(&a, 0, sizeof a);
	a.size = sizeof a;
	a.type = PERF_TYPE_SOFTWARE;
	a.config = PERF_COUNT_SW_TASK_CLOCK;
	a.exclude_kernel = a.exclude_hv = 1;
	return syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static int t_32bit(void)
{
#ifdef __x86_64__
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		long r;
		__asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory"); /* getpid */
		_exit(r > 0 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	errno = ENOSYS;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
#else
	errno = ENOSYS;
	return -1;
#endif
}

static int t_inotify(void) { return inotify_init(); }

static const struct { const char *name; int (*try)(void); } ways[] = {
	{"mount", t_mount}, {"chroot", t_chroot}, {"pivot-root", t_pivot}, {"mknod", t_mknod},
	{"setns", t_setns}, {"open-by-handle", t_handle}, {"module", t_module}, {"reboot", t_reboot},
	{"settime", t_settime}, {"raw-socket", t_raw}, {"packet-socket", t_packet}, {"syslog", t_syslog},
	{"kmsg", t_kmsg}, {"sysrq", t_sysrq}, {"sysctl", t_sysctl}, {"devices", t_devices}, {"cgroup", t_cgroup},
	{"swap", t_swap}, {"acct", t_acct}, {"ptrace-1", t_ptrace}, {"read-memory-1", t_readmem},
	{"setuid-root", t_setuid}, {"nice", t_nice}, {"core-dump", t_core}, {"raise-limits", t_limits},
	{"unshare-user", t_unshare}, {"clone-user", t_clone}, {"clone3", t_clone3},
	{"bpf", t_bpf}, {"perf", t_perf}, {"userfaultfd", t_uffd}, {"keyctl", t_keyctl},
	{"io-uring", t_io_uring}, {"aio", t_aio}, {"vsock", t_vsock}, {"alg", t_alg},
	{"netfilter", t_netfilter}, {"read-implies-exec", t_rie}, {"32-bit-calls", t_32bit},
};

/* How often this user may fork; all children are gone afterwards. */
static int forks(void)
{
	static pid_t pids[1024];
	int n = 0;
	while (n < 1024 && (pids[n] = fork()) > 0)
		n++;
	if (n < 1024 && pids[n] == 0)
		for (;;)
			pause();
	for (int i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], 0, 0);
	}
	return n;
}

/* Takes all that one user may have, and keeps it. */
static void hold(void)
{
	while (inotify_init() >= 0)
		;
	for (;;) {
		pid_t pid = fork();
		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			break;
	}
	write(1, "held\n", 5);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	size_t n = sizeof ways / sizeof ways[0];
	if (argc < 2)
		for (size_t i = 0; i < n; i++)
			printf("%s\n", ways[i].name);
	else if (strcmp(argv[1], "forks") == 0)
		printf("forks %d\n", forks());
	else if (strcmp(argv[1], "hold") == 0)
		hold();
	else if (strcmp(argv[1], "inotify") == 0)
		printf("inotify %s\n", t_inotify() >= 0 ? "open" : strerror(errno));
	for (size_t i = 0; argc > 1 && i < n; i++)
		if (strcmp(argv[1], ways[i].name) == 0) {
			printf("%s %s\n", ways[i].name, ways[i].try() >= 0 ? "open" : strerror(errno));
			fflush(stdout);
			_exit(EXIT_SUCCESS);
		}
	return EXIT_SUCCESS;
}
