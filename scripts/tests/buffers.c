// SPDX-License-Identifier: GPL-2.0
/*
 * buffers WORD...: get DMA-BUFs and do with them what the words say, one after the other. It has one
 * descriptor and one mapping in hand.
 *
 *   heap=HEAP		alloc asks this: a heap's device; "ion:NAME", a heap of ION's; "udmabuf", which
 *			makes buffers of a file in memory; "vgem", a graphics driver; "lender", the
 *			first choice, which is kunit/lender
 *   alloc=BYTES	get a buffer
 *   map, unmap		map it whole; unmap it
 *   half		unmap the middle page of three, so that there are two mappings
 *   dup, close		one more descriptor of it; close the one in hand
 *   path		have a descriptor of where its file is, which is none of the file
 *   keep		have the lender keep a reference
 *   attach		have the lender attach a device to it, and detach it
 *   busy		have the lender lock this address space
 *   first=N		run on CPU N alone, and there before all others
 *   spin		be busy for ever
 *   times=N		do the words up to the next "again" N times
 *   listen=NAME	wait for somebody to send a descriptor there (an abstract socket)
 *   send=NAME		send it there
 *   post		leave it in a socket that nobody reads
 *   fork		go on in a child; the parent waits for ever
 *   share		the same, but both have one table of descriptors
 *   thread		go on in a thread that has a table of descriptors of its own
 *   leave		go on in a thread, and have the first one end
 *   follow=FILE	read what events has without waiting, then wait by poll() for more
 *   open=FILE		open it, and leave it open
 *   cost=N		get and close a buffer of a page N times, and say in how many ticks each, when
 *			all has been met before
 *   read=FILE		read it, and say in how many us
 *   look		find the DMA-BUFs among the descriptors of all processes, as a program does,
 *			by /proc; and say how many, and in how many us
 *   name=NAME		be called that
 *   ready=FILE		make this file
 *   wait		for ever
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct heap_data {
	__u64 len;
	__u32 fd;
	__u32 fd_flags;
	__u64 heap_flags;
};

#define HEAP_ALLOC	_IOWR('H', 0, struct heap_data)

/* ION from 4.12 to 5.10, whose header programs do not get */
struct ion_data {
	__u64 len;
	__u32 heap_mask;
	__u32 flags;
	__u32 fd;
	__u32 unused;
};

struct ion_heap {
	char name[32];
	__u32 type;
	__u32 id;
	__u32 unused[3];
};

struct ion_heaps {
	__u32 nr;
	__u32 unused;
	__u64 heaps;
	__u32 more[2];
};

#define ION_ALLOC	_IOWR('I', 0, struct ion_data)
#define ION_HEAPS	_IOWR('I', 8, struct ion_heaps)

struct udmabuf_data {
	__u32 memfd;
	__u32 flags;
	__u64 offset;
	__u64 size;
};

#define UDMABUF_CREATE	_IOW('u', 0x42, struct udmabuf_data)

struct drm_dumb {
	__u32 height, width, bits, flags, handle, pitch;
	__u64 size;
};

struct drm_prime {
	__u32 handle;
	__u32 flags;
	__s32 fd;
};

#define DRM_DUMB	_IOWR('d', 0xb2, struct drm_dumb)
#define DRM_PRIME	_IOWR('d', 0x2d, struct drm_prime)

#define LENDER		"/sys/kernel/debug/lender/"

static const char *heap = "lender";
static int fd = -1;
static char *at;
static size_t bytes;

static int open_it(const char *path, int flags)
{
	int file = open(path, flags | O_CLOEXEC, 0600);

	if (file < 0)
		err(1, "%s", path);
	return file;
}

static long ask_lender(const char *what, long value)
{
	char path[64], text[32];
	long result;
	int file;

	snprintf(path, sizeof(path), LENDER "%s", what);
	file = open_it(path, O_WRONLY);
	result = write(file, text, snprintf(text, sizeof(text), "%ld", value));
	if (result < 0)
		err(1, "%s", path);
	close(file);
	return result;
}

static void ask(int file, unsigned long what, void *data)
{
	if (ioctl(file, what, data))
		err(1, "%s", heap);
}

static int from_heap(int file, size_t size)
{
	struct heap_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };

	ask(file, HEAP_ALLOC, &data);
	return data.fd;
}

static __u32 ion_mask(int file, const char *name)
{
	struct ion_heap all[32] = {};
	struct ion_heaps query = { .nr = 32, .heaps = (unsigned long)all };
	__u32 i;

	ask(file, ION_HEAPS, &query);
	for (i = 0; i < query.nr; i++)
		if (!strcmp(all[i].name, name))
			return 1U << all[i].id;
	errx(1, "ION has no heap '%s'", name);
}

static int from_ion(int file, size_t size)
{
	struct ion_data data = { .len = size, .heap_mask = ion_mask(file, heap + 4) };

	ask(file, ION_ALLOC, &data);
	return data.fd;
}

static int from_udmabuf(int file, size_t size)
{
	struct udmabuf_data data = { .flags = 1, .size = size };	/* close on exec */
	int result;

	data.memfd = memfd_create("udmabuf", MFD_ALLOW_SEALING);
	if (ftruncate(data.memfd, size) || fcntl(data.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		err(1, "memfd");
	result = ioctl(file, UDMABUF_CREATE, &data);
	if (result < 0)
		err(1, "%s", heap);
	close(data.memfd);
	return result;
}

/* What the driver keeps for who has it open goes when that is closed. */
static int from_vgem(int file, size_t size)
{
	struct drm_dumb dumb = { .height = size / 4096, .width = 1024, .bits = 32 };
	struct drm_prime prime = { .flags = O_RDWR | O_CLOEXEC };

	ask(file, DRM_DUMB, &dumb);
	prime.handle = dumb.handle;
	ask(file, DRM_PRIME, &prime);
	return prime.fd;
}

/* By how a heap's name begins */
static const struct {
	const char *heap;
	const char *device;
	int (*get)(int file, size_t size);
} makers[] = {
	{ "ion:", "/dev/ion", from_ion },
	{ "udmabuf", "/dev/udmabuf", from_udmabuf },
	{ "vgem", "/dev/dri/card0", from_vgem },
	{ "/dev/", NULL, from_heap },
};

static void alloc(size_t size)
{
	unsigned int i;
	int file;

	bytes = size;
	if (!strcmp(heap, "lender")) {
		fd = ask_lender("alloc", size);
		return;
	}
	for (i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (strncmp(heap, makers[i].heap, strlen(makers[i].heap)))
			continue;
		file = open_it(makers[i].device ?: heap, O_RDWR);
		fd = makers[i].get(file, size);
		close(file);
		return;
	}
	errx(1, "what is the heap '%s'?", heap);
}

/* Under QEMU's -icount shift=0 a tick is an instruction, on arm64 and arm 16 of them. */
static unsigned long ticks(void)
{
	unsigned long now;
#ifdef __aarch64__
	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(now));
#elif defined(__arm__)
	unsigned int low, high;

	asm volatile("isb; mrrc p15, 1, %0, %1, c14" : "=r"(low), "=r"(high));
	now = low;		/* goes round */
#else
	unsigned int low, high;

	asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	now = (unsigned long)high << 32 | low;
#endif
	return now;
}

#define WARM	20000

static void cost(long nr)
{
	int file = open_it(heap, O_RDWR);
	unsigned long from = 0;
	long i;

	for (i = -WARM; i < nr; i++) {
		if (!i)
			from = ticks();
		close(from_heap(file, 4096));
	}
	printf("%lu\n", (ticks() - from) / nr);
	close(file);
}

static unsigned long us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000UL + now.tv_nsec / 1000;
}

static void read_all(const char *path)
{
	unsigned long from = us();
	char text[65536];
	int file = open_it(path, O_RDONLY);

	while (read(file, text, sizeof(text)) > 0)
		;
	close(file);
	printf("%lu\n", us() - from);
}

static int look_into(const char *pid)
{
	char path[512], target[64];
	struct dirent *entry;
	int found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[len < 0 ? 0 : len] = 0;
		found += !strncmp(target, "/dmabuf:", 8) || !strcmp(target, "anon_inode:dmabuf");
	}
	if (dir)
		closedir(dir);
	return found;
}

static void look(void)
{
	unsigned long from = us();
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	while ((entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			found += look_into(entry->d_name);
	closedir(proc);
	printf("%d %lu\n", found, us() - from);
}

static void map(void)
{
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		err(1, "mmap");
	at[0] = 1;
}

/* Say so if it did not block, and if it was told of more within 10 s. */
static void follow(const char *path)
{
	struct pollfd poll_for = { .fd = open_it(path, O_RDONLY | O_NONBLOCK), .events = POLLIN };
	char text[4096];

	while (read(poll_for.fd, text, sizeof(text)) > 0)
		;
	if (errno == EAGAIN)
		puts("quiet");
	if (poll(&poll_for, 1, 0) == 0)
		puts("waiting");
	fflush(stdout);
	if (poll(&poll_for, 1, 10000) == 1 && read(poll_for.fd, text, sizeof(text)) > 0)
		puts("woken");
	close(poll_for.fd);
}

union control {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

static void send_to(int to)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	union control control = {};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (sendmsg(to, &msg, 0) != 1)
		err(1, "sendmsg");
}

static void take_from(int from)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(from, &msg, MSG_CMSG_CLOEXEC) != 1)
		err(1, "recvmsg");
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	bytes = lseek(fd, 0, SEEK_END);
}

static int named(const char *name, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strncpy(address->sun_path + 1, name, sizeof(address->sun_path) - 2);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void listen_at(const char *name)
{
	struct sockaddr_un address;
	int file = named(name, &address), peer;

	if (bind(file, (struct sockaddr *)&address, sizeof(address)) || listen(file, 1))
		err(1, "listen at %s", name);
	peer = accept(file, NULL, NULL);
	take_from(peer);
	close(peer);
	close(file);
}

static void send_at(const char *name)
{
	struct sockaddr_un address;
	int file = named(name, &address);

	while (connect(file, (struct sockaddr *)&address, sizeof(address)))
		usleep(10000);
	send_to(file);
	close(file);
}

static void post(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		err(1, "socketpair");
	send_to(pair[0]);
}

static void open_path(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	open_it(path, O_PATH);
}

static char **run(char **word);

static void *thread(void *word)
{
	if (unshare(CLONE_FILES))
		err(1, "unshare");
	run(word);
	return NULL;
}

static void go_on_in_thread(char **word)
{
	pthread_t id;

	if (pthread_create(&id, NULL, thread, word))
		errx(1, "pthread_create");
	pthread_join(id, NULL);
}

static void *go_on(void *word)
{
	run(word);
	return NULL;
}

static void leave(char **word)
{
	pthread_t id;

	if (pthread_create(&id, NULL, go_on, word))
		errx(1, "pthread_create");
	pthread_exit(NULL);
}

static void run_first(int nr)
{
	struct sched_param first = { .sched_priority = 50 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(nr, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || sched_setscheduler(0, SCHED_FIFO, &first))
		err(1, "first");
}

/* Return: the value if @word is @name=value. */
static char *value(char *word, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(word, name, len) && word[len] == '=' ? word + len + 1 : NULL;
}

static void one(const char *word, char *v)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (!strcmp(word, "map"))
		map();
	else if (!strcmp(word, "unmap"))
		munmap(at, bytes);
	else if (!strcmp(word, "half"))
		munmap(at + page, page);
	else if (!strcmp(word, "dup"))
		fd = dup(fd);
	else if (!strcmp(word, "close"))
		close(fd);
	else if (!strcmp(word, "path"))
		open_path();
	else if (!strcmp(word, "keep"))
		ask_lender("keep", fd);
	else if (!strcmp(word, "attach"))
		ask_lender("attach", fd);
	else if (!strcmp(word, "busy"))
		ask_lender("busy", 0);
	else if (!strcmp(word, "spin"))
		for (;;)
			;
	else if (!strcmp(word, "post"))
		post();
	else if (!strcmp(word, "look"))
		look();
	else if (!strcmp(word, "wait"))
		for (;;)
			pause();
	else
		errx(1, "what is '%s'?", v ?: word);
}

/* Return: the word behind the last that was done. */
static char **run(char **word)
{
	char *v, **begin;
	long n;

	for (; *word && strcmp(*word, "again"); word++) {
		if ((v = value(*word, "heap"))) {
			heap = v;
		} else if ((v = value(*word, "alloc"))) {
			alloc(strtoul(v, NULL, 0));
		} else if ((v = value(*word, "listen"))) {
			listen_at(v);
		} else if ((v = value(*word, "send"))) {
			send_at(v);
		} else if ((v = value(*word, "follow"))) {
			follow(v);
		} else if ((v = value(*word, "open"))) {
			open_it(v, O_RDONLY);
		} else if ((v = value(*word, "first"))) {
			run_first(strtol(v, NULL, 0));
		} else if ((v = value(*word, "cost"))) {
			cost(strtol(v, NULL, 0));
		} else if ((v = value(*word, "read"))) {
			read_all(v);
		} else if ((v = value(*word, "name"))) {
			prctl(PR_SET_NAME, v);
		} else if ((v = value(*word, "ready"))) {
			close(open_it(v, O_WRONLY | O_CREAT));
		} else if ((v = value(*word, "times"))) {
			begin = word + 1;
			for (n = strtol(v, NULL, 0); n > 0; n--)
				word = run(begin);
		} else if (!strcmp(*word, "fork")) {
			if (fork())
				for (;;)
					pause();
		} else if (!strcmp(*word, "share")) {
			if (syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0))
				for (;;)
					pause();
		} else if (!strcmp(*word, "thread")) {
			go_on_in_thread(word + 1);
			break;
		} else if (!strcmp(*word, "leave")) {
			leave(word + 1);
		} else {
			one(*word, NULL);
		}
	}
	return word;
}

int main(int argc, char **argv)
{
	run(argv + 1);
	return 0;
}
