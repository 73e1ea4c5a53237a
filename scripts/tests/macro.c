// SPDX-License-Identifier: GPL-2.0
/*
 * Loads of a fixed amount of work, for scripts/bench-macro. Each keeps the one CPU busy until it is done.
 *
 *	macro messages LOOPS	groups of processes that write 100 bytes to each other over socket pairs
 *	macro forks TIMES	a process that starts /proc/self/exe, which exits
 *	macro loopback MB	a TCP connection to itself
 *	macro files TIMES	a file is made, written, renamed, read and removed
 *	macro copies MB		a file grows by a megabyte at a time to eight, and is cut to nothing
 *	macro run COMMAND...	any program
 *	macro least TIMES ...	one of these so many times, of which the quickest counts
 *
 * Prints how many ns it took: under QEMU's -icount, instructions; and how many of these the CPU was idle.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GROUPS	4
#define PEERS	5	/* senders, and as many receivers, of a group */
#define MESSAGE	100

static void check(int failed, const char *what)
{
	if (failed)
		err(1, "%s", what);
}

static pid_t fork_one(void)
{
	pid_t pid = fork();

	check(pid < 0, "fork");
	return pid;
}

static void wait_all(void)
{
	int status;

	while (wait(&status) > 0)
		if (status)
			errx(1, "a process ended with status %x", status);
}

static void read_all(int fd, size_t nr, char *to, size_t size)
{
	ssize_t got;

	for (; nr; nr -= got) {
		got = read(fd, to, nr < size ? nr : size);
		check(got <= 0, "read");
	}
}

static void group(long loops)
{
	int pair[PEERS][2], i, j;
	char text[MESSAGE] = "";
	long n;

	for (i = 0; i < PEERS; i++)
		check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), "socketpair");
	for (i = 0; i < PEERS; i++) {
		if (!fork_one()) {
			read_all(pair[i][0], PEERS * loops * sizeof(text), text, sizeof(text));
			exit(0);
		}
		if (!fork_one()) {
			for (n = 0; n < loops; n++)
				for (j = 0; j < PEERS; j++)
					check(write(pair[j][1], text, sizeof(text)) != sizeof(text), "write");
			exit(0);
		}
	}
	for (i = 0; i < PEERS; i++) {
		close(pair[i][0]);
		close(pair[i][1]);
	}
}

static void messages(long loops)
{
	int i;

	for (i = 0; i < GROUPS; i++)
		group(loops);
	wait_all();
}

static void forks(long times)
{
	while (times--) {
		if (!fork_one()) {
			execl("/proc/self/exe", "macro", NULL);
			err(1, "exec");
		}
		wait_all();
	}
}

static void loopback(long mb)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	static char data[65536];
	int server = socket(AF_INET, SOCK_STREAM, 0), fd;
	long n;

	check(bind(server, (struct sockaddr *)&at, size) || listen(server, 1) ||
	      getsockname(server, (struct sockaddr *)&at, &size), "listen");
	if (!fork_one()) {
		fd = accept(server, NULL, NULL);
		check(fd < 0, "accept");
		read_all(fd, mb << 20, data, sizeof(data));
		exit(0);
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(fd, (struct sockaddr *)&at, size), "connect");
	for (n = 0; n < mb << 4; n++)
		check(write(fd, data, sizeof(data)) != sizeof(data), "write");
	wait_all();
}

static void files(long times)
{
	char from[32], to[32], data[4096] = "";
	long n;
	int fd;

	for (n = 0; n < times; n++) {
		snprintf(from, sizeof(from), "a%ld", n % 100);
		snprintf(to, sizeof(to), "b%ld", n % 100);
		fd = open(from, O_CREAT | O_RDWR, 0600);
		check(fd < 0 || write(fd, data, sizeof(data)) != sizeof(data) || rename(from, to) ||
		      pread(fd, data, sizeof(data), 0) != sizeof(data) || close(fd) || unlink(to), "file");
	}
}

static void copies(long mb)
{
	static char data[1 << 20];
	int fd = open("copy", O_CREAT | O_RDWR | O_TRUNC, 0600);
	long n;

	check(fd < 0, "copy");
	for (n = 0; n < mb; n++)
		check(write(fd, data, sizeof(data)) != sizeof(data) ||
		      (n % 8 == 7 && (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))), "copy");
	check(close(fd) || unlink("copy"), "copy");
}

static void run(char **command)
{
	if (!fork_one()) {
		check(dup2(open("/dev/null", O_RDWR), 1) < 0, "/dev/null");
		execvp(*command, command);
		err(1, "%s", *command);
	}
	wait_all();
}

static long long now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000LL + at.tv_nsec;
}

/* Of all CPUs, whether for want of work or of a disk. What /proc/uptime says of it is rounded to 10 ms. */
static long long idle_ns(void)
{
	FILE *file = fopen("/proc/timer_list", "r");
	long long sum = 0, ns;
	char line[256];

	check(!file, "/proc/timer_list");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " .idle_sleeptime : %lld", &ns) == 1 ||
		    sscanf(line, " .iowait_sleeptime : %lld", &ns) == 1)
			sum += ns;
	fclose(file);
	return sum;
}

static void load(char **word)
{
	static const struct {
		const char *name;
		void (*run)(long times);
	} loads[] = {
		{ "messages", messages }, { "forks", forks }, { "loopback", loopback }, { "files", files },
		{ "copies", copies },
	};
	unsigned int i;

	if (!strcmp(word[0], "run")) {
		run(word + 1);
		return;
	}
	for (i = 0; i < sizeof(loads) / sizeof(*loads); i++)
		if (!strcmp(word[0], loads[i].name)) {
			loads[i].run(atol(word[1]));
			return;
		}
	errx(1, "no such load: %s", word[0]);
}

int main(int nr, char **word)
{
	long long from, idle, took, least = 0, least_idle = 0;
	long times = 1, i;

	if (nr < 3)
		return 0;	/* who was started by forks() */
	word++;
	if (nr > 4 && !strcmp(word[0], "least")) {
		times = atol(word[1]);
		word += 2;
	}
	for (i = 0; i < times; i++) {
		idle = idle_ns();
		from = now();
		load(word);
		took = now() - from;
		idle = idle_ns() - idle;
		if (!i || took < least) {
			least = took;
			least_idle = idle;
		}
	}
	printf("%lld %lld\n", least, least_idle);
	return 0;
}
