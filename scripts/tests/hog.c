// SPDX-License-Identifier: GPL-2.0
/*
 * hog WORD=VALUE...: a process that takes memory and keeps it, as the words say.
 *
 *   name=NAME		be called that
 *   native=KB		of its heap, each time
 *   memfd=KB		of a file in memory that it maps, each time a new one
 *   every=MS		how often (1000)
 *   upto=KB		no more than so much, then sleep (no limit)
 *   churn=KB		besides, get and give back so much each time
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static long native, shared, every = 1000, upto, churn;

static const struct {
	const char *name;
	long *value;
} words[] = {
	{ "native", &native }, { "memfd", &shared }, { "every", &every }, { "upto", &upto },
	{ "churn", &churn },
};

static void fill(char *at, long kb)
{
	long i;

	/* no two pages alike, as zram keeps what is all the same in no memory; but it can compress */
	for (i = 0; i < kb * 1024; i += 32 * sizeof(long))
		*(long *)(at + i) = random();
}

static void take(long kb)
{
	char *at = malloc(kb * 1024);

	if (!at)
		err(1, "malloc");
	fill(at, kb);
}

static void take_shared(long kb)
{
	int fd = syscall(SYS_memfd_create, "hog", 0);
	char *at;

	if (fd < 0 || ftruncate(fd, kb * 1024))
		err(1, "memfd");
	at = mmap(NULL, kb * 1024, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		err(1, "mmap");
	fill(at, kb);
	close(fd);
}

static void give_back(long kb)
{
	char *at = malloc(kb * 1024);

	fill(at, kb);
	free(at);
}

int main(int argc, char **argv)
{
	long taken = 0;
	unsigned int i;
	char *value;

	for (argv++; *argv; argv++) {
		value = strchr(*argv, '=');
		if (!value)
			errx(1, "what is '%s'?", *argv);
		*value++ = 0;
		if (!strcmp(*argv, "name"))
			prctl(PR_SET_NAME, value);
		for (i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (!strcmp(*argv, words[i].name))
				*words[i].value = strtol(value, NULL, 0);
	}
	for (;;) {
		if (!upto || taken < upto) {
			if (native)
				take(native);
			if (shared)
				take_shared(shared);
			taken += native + shared;
		}
		if (churn)
			give_back(churn);
		usleep(every * 1000);
	}
}
