// SPDX-License-Identifier: GPL-2.0
/*
 * buffers WORD...: get DMA-BUFs and do with them what the words say, one after the other. It has one
 * descriptor and one mapping in hand.
 *
 *   heap=DEVICE	alloc asks this heap; "lender", the first choice, is kunit/lender
 *   alloc=BYTES	get a buffer
 *   map, unmap		map it whole; unmap it
 *   half		unmap the middle page of three, so that there are two mappings
 *   dup, close		one more descriptor of it; close the one in hand
 *   keep		have the lender keep a reference
 *   times=N		do the words up to the next "again" N times
 *   listen=NAME	wait for somebody to send a descriptor there (an abstract socket)
 *   send=NAME		send it there
 *   post		leave it in a socket that nobody reads
 *   fork		go on in a child; the parent waits for ever
 *   share		the same, but both have one table of descriptors
 *   thread		go on in a thread that has a table of descriptors of its own
 *   follow=FILE	read what events has without waiting, then wait by poll() for more
 *   name=NAME		be called that
 *   ready=FILE		make this file
 *   wait		for ever
 */
#define _GNU_SOURCE
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
#include <unistd.h>

struct heap_data {
	__u64 len;
	__u32 fd;
	__u32 fd_flags;
	__u64 heap_flags;
};

#define HEAP_ALLOC	_IOWR('H', 0, struct heap_data)
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

static void alloc(size_t size)
{
	struct heap_data data = { .len = size, .fd_flags = O_RDWR | O_CLOEXEC };
	int file;

	bytes = size;
	if (!strcmp(heap, "lender")) {
		fd = ask_lender("alloc", size);
		return;
	}
	file = open_it(heap, O_RDWR);
	if (ioctl(file, HEAP_ALLOC, &data))
		err(1, "%s", heap);
	close(file);
	fd = data.fd;
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
	else if (!strcmp(word, "keep"))
		ask_lender("keep", fd);
	else if (!strcmp(word, "post"))
		post();
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
