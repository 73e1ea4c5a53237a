// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU: which lines of the cache do the guest's CPUs take from each other?
 *
 *	qemu-system-x86_64 -accel tcg,thread=multi -smp 4 -plugin file=lines.so,to=FILE ...
 *
 * A CPU is watched from mark 1 to mark 2; at mark 3 FILE has a line of all that was watched since the
 * last. Mark 1 is the instruction nopl 0x6c6b7701(%rax), or on arm64 movz xzr, #0x7701:
 *
 *	<instructions> <loads and stores> <taken> <shared writes>
 *
 * Taken: by a protocol of the kind that processors have, a CPU takes a line when it writes what others
 * have, or reads what another wrote since. There are no capacity misses, a first use is none, and
 * CPUs take turns with each access. Shared writes are stores to a line that two or more CPUs used
 * at any time between: that does not depend on who came when. Behind it, each begins with '#', are the
 * lines that were taken most.
 *
 * Lines, of 64 bytes, are those of virtual addresses. QEMU's prototypes are written down here, as Debian has
 * no package with them (qemu-plugin.h, version 1 of the interface).
 */
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT	__attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGS };
enum { MEM_RW = 3 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned int cpu, uint32_t info, uint64_t at, void *data),
				      int flags, int rw, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t nr);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(uint32_t info);

EXPORT int qemu_plugin_version = 1;

#define KERNEL		0xffff000000000000ULL	/* what is below is not */
#define CPUS		8
#define LINES		(1U << 18)
#define NO_CPU		CPUS

static struct line {
	uint64_t nr;		/* address / 64; 0: none */
	uint64_t stores, taken;
	uint8_t used;		/* by which CPUs */
	uint8_t have;		/* and who has it now */
	uint8_t wrote;		/* the last that did, or NO_CPU */
} lines[LINES];

static bool watched[CPUS];
static uint64_t instructions[CPUS], accesses;
static unsigned int full;	/* accesses for which there was no place */
static FILE *to;

static char locked;

static void lock(void)
{
	while (__atomic_test_and_set(&locked, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void unlock(void)
{
	__atomic_clear(&locked, __ATOMIC_RELEASE);
}

static struct line *line_of(uint64_t at)
{
	unsigned int i, first = (at / 64 * 0x9e3779b97f4a7c15ULL) >> 46;

	for (i = 0; i < 64; i++) {
		struct line *line = &lines[(first + i) % LINES];

		if (!line->nr)
			*line = (struct line){ .nr = at / 64, .wrote = NO_CPU };
		if (line->nr == at / 64)
			return line;
	}
	return NULL;
}

static void access_one(unsigned int cpu, uint32_t info, uint64_t at, void *data)
{
	bool store = qemu_plugin_mem_is_store(info);
	unsigned int self = 1U << cpu;
	struct line *line;

	if (cpu >= CPUS || !watched[cpu])
		return;
	lock();
	accesses++;
	line = line_of(at);
	if (!line) {
		full++;
	} else if (store) {
		line->taken += !!(line->have & ~self);
		line->stores++;
		line->have = self;
		line->wrote = cpu;
		line->used |= self;
	} else {
		if (!(line->have & self) && line->wrote != NO_CPU && line->wrote != cpu)
			line->taken++;
		line->have |= self;
		line->used |= self;
	}
	unlock();
}

static void count(unsigned int cpu, void *data)
{
	if (cpu < CPUS && watched[cpu])
		instructions[cpu]++;
}

static int by_taken(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->taken < y->taken ? 1 : x->taken > y->taken ? -1 : 0;
}

static void report(void)
{
	uint64_t all = 0, taken = 0, shared = 0;
	unsigned int i;

	for (i = 0; i < CPUS; i++)
		all += instructions[i];
	for (i = 0; i < LINES; i++) {
		taken += lines[i].taken;
		shared += lines[i].used & (lines[i].used - 1) ? lines[i].stores : 0;
	}
	if (full)
		fprintf(to, "more than %u lines: %u accesses were not looked at\n", LINES, full);
	fprintf(to, "%llu %llu %llu %llu\n", (unsigned long long)all, (unsigned long long)accesses,
		(unsigned long long)taken, (unsigned long long)shared);
	qsort(lines, LINES, sizeof(*lines), by_taken);
	for (i = 0; i < 6 && lines[i].taken; i++)
		fprintf(to, "# %llx taken %llu of %llu stores\n", (unsigned long long)lines[i].nr * 64,
			(unsigned long long)lines[i].taken, (unsigned long long)lines[i].stores);
	fflush(to);
	memset(lines, 0, sizeof(lines));
	memset(instructions, 0, sizeof(instructions));
	accesses = 0;
	full = 0;
}

static void mark(unsigned int cpu, void *data)
{
	if (cpu >= CPUS)
		return;
	lock();
	switch ((uintptr_t)data) {
	case 1: watched[cpu] = true; break;
	case 2: watched[cpu] = false; break;
	case 3: report(); break;
	}
	unlock();
}

/* Return: which mark that is, 0 for none. */
static unsigned int mark_nr(const unsigned char *code, size_t size)
{
	static const unsigned char nopl[] = { 0x0f, 0x1f, 0x80 }, ours[] = { 0x77, 0x6b, 0x6c };
	uint32_t word;

	if (size == 7 && !memcmp(code, nopl, 3) && !memcmp(code + 4, ours, 3))
		return code[3];
	if (size != 4)
		return 0;
	memcpy(&word, code, 4);
	return (word & 0xffffe01f) == (0xd280001f | 0x7700 << 5) ? word >> 5 & 0xff : 0;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	unsigned int nr;
	size_t i;

	for (i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (qemu_plugin_insn_vaddr(insn) < KERNEL)
			continue;
		qemu_plugin_register_vcpu_insn_exec_cb(insn, count, NO_REGS, NULL);
		qemu_plugin_register_vcpu_mem_cb(insn, access_one, NO_REGS, MEM_RW, NULL);
		nr = mark_nr(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
		if (nr)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, NO_REGS,
							       (void *)(uintptr_t)nr);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "to=", 3)) {
		fprintf(stderr, "lines: want to=FILE\n");
		return 1;
	}
	to = fopen(argv[0] + 3, "w");
	if (!to) {
		perror(argv[0] + 3);
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
