/* SPDX-License-Identifier: GPL-2.0 */
/* How return addresses lie on a stack: as ORC says, in frame records, or only the kernel knows. */
#ifndef COMPAT_STACK_H
#define COMPAT_STACK_H

#include <linux/compiler.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/version.h>

#if defined(CONFIG_X86_64) && defined(CONFIG_UNWINDER_ORC)
#define LW_STACK_ORC	1
#elif defined(CONFIG_ARM64)
#define LW_STACK_RECORDS
#include <asm/memory.h>
#include <asm/ptrace.h>
#ifndef VA_BITS_MIN
#define VA_BITS_MIN	VA_BITS
#endif
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 2, 0)
#include <linux/stacktrace.h>

/* Until 4.4 arm64 told of the calls, not of where they return to: as with where this one does. */
static inline void lw_stack_mend(unsigned long *frames, unsigned int nr, unsigned long here)
{
	const unsigned int call = 4, inner = 8;
	unsigned int i;

	for (i = 0; i < nr && i < inner && frames[i] != here - call; i++)
		;
	if (i == inner)
		return;
	for (; i < nr; i++)
		frames[i] += call;
}

static __always_inline unsigned int stack_trace_save(unsigned long *frames, unsigned int max,
						     unsigned int skip)
{
	struct stack_trace trace = { .entries = frames, .max_entries = max, .skip = skip };

	save_stack_trace(&trace);
	/* where there is room, the end is marked */
	if (trace.nr_entries && frames[trace.nr_entries - 1] == ULONG_MAX)
		trace.nr_entries--;
	if (IS_ENABLED(CONFIG_ARM64))
		lw_stack_mend(frames, trace.nr_entries,
			      (unsigned long)__builtin_return_address(0));
	return trace.nr_entries;
}
#endif

#ifdef CONFIG_ARM
#include <asm/ptrace.h>
#include <asm/stacktrace.h>

struct lw_stack_room {
	unsigned long *frames;
	unsigned int nr, max;
};

static inline bool lw_stack_see(void *arg, unsigned long pc)
{
	struct lw_stack_room *room = arg;

	room->frames[room->nr++] = pc;
	return room->nr < room->max;
}

static inline int lw_stack_note(struct stackframe *frame, void *arg)
{
	return !lw_stack_see(arg, frame->pc);
}

#ifndef LW_HAVE_ARM_STACKFRAME
static inline void arm_get_current_stackframe(struct pt_regs *regs, struct stackframe *frame)
{
	*frame = (struct stackframe) {
		.fp = frame_pointer(regs),
		.sp = regs->ARM_sp,
		.lr = regs->ARM_lr,
		.pc = regs->ARM_pc,
	};
}
#endif

/* What the walker calls for each frame: in late 6.1 the opposite, by other arguments. */
#define lw_stack_walker								\
	__builtin_choose_expr(							\
		__builtin_types_compatible_p(typeof(walk_stackframe),		\
			void (struct stackframe *,				\
			      bool (*)(void *, unsigned long), void *)),	\
		lw_stack_see, lw_stack_note)

/**
 * lw_stack_trace_entry() - who called a function that a probe has stopped at its entry
 * @frames: where to put it, the caller first
 * @max: room there
 * @regs: the registers then
 *
 * 32-bit arm's walker takes the function for one that has saved its registers already, and skips
 * frames of others; so it is set off in the caller. Return: how many there are; 0 where
 * stack_trace_save() shows them rightly.
 */
static inline unsigned int lw_stack_trace_entry(unsigned long *frames, unsigned int max,
						struct pt_regs *regs)
{
	struct lw_stack_room room = { .frames = frames, .max = max };
	struct stackframe frame = {};

	arm_get_current_stackframe(regs, &frame);
	frame.pc = regs->ARM_lr;
	walk_stackframe(&frame, lw_stack_walker, &room);
	return room.nr;
}
#else
static inline unsigned int lw_stack_trace_entry(unsigned long *frames, unsigned int max,
						struct pt_regs *regs)
{
	return 0;
}
#endif

/*
 * No walker finds its way out of the detour that a kprobe is optimised to; that of arm says so in
 * the log. What is on ftrace makes none.
 */
#define LW_STACK_IN_DETOUR						\
	(!IS_ENABLED(CONFIG_OPTPROBES) || IS_ENABLED(CONFIG_KPROBES_ON_FTRACE))

/* x86 leaves interrupts on there: in one that comes meanwhile no kprobe is called. */
#define LW_ENTRY_IN_DETOUR	(!IS_ENABLED(CONFIG_X86) || LW_STACK_IN_DETOUR)

/**
 * lw_stack_read() - read the stack
 * @at: an address on the current stack, in anybody's frame
 *
 * Nobody else writes it, so it is a plain read, which can be an operand of a comparison; but KASAN
 * knows that it is nobody's business. Return: the word there.
 */
static __always_inline unsigned long lw_stack_read(unsigned long at)
{
	if (IS_ENABLED(CONFIG_KASAN))
		return READ_ONCE_NOCHECK(*(unsigned long *)at);
	return *(unsigned long *)at;
}

#if defined(LW_STACK_ORC) && defined(CONFIG_KRETPROBE_ON_RETHOOK)
#include <linux/rethook.h>

/**
 * lw_stack_replaced() - the return address at whose place a kretprobe has put a trampoline
 * @at: the place, on the current stack
 *
 * The kernel's own walker knows them, too. Any context: the list is the current task's, and who
 * interrupts it leaves it as it was.
 *
 * Return: the address; 0 if it is not known.
 */
static inline unsigned long lw_stack_replaced(unsigned long at)
{
	const struct llist_node *node = READ_ONCE(current->rethooks.first);
	unsigned int i;

	for (i = 0; i < 16 && node; i++, node = READ_ONCE(node->next)) {
		const struct rethook_node *hooked =
			container_of(node, const struct rethook_node, llist);

		if (hooked->frame == at)
			return hooked->ret_addr;
	}
	return 0;
}
#else
static inline unsigned long lw_stack_replaced(unsigned long at)
{
	return 0;
}
#endif

#ifdef LW_STACK_RECORDS
/*
 * The return address without its signature. That is in bits that are all set in an address of the
 * kernel's code, wherever it is.
 */
static __always_inline unsigned long lw_stack_strip(unsigned long ip)
{
	return IS_ENABLED(CONFIG_ARM64_PTR_AUTH) ? ip | ~0UL << VA_BITS_MIN : ip;
}

/**
 * lw_stack_end() - find the end of the current stack
 * @from: an address on it
 * @end: set to the highest at which a frame record can be, that at the end of a task's excluded
 *
 * Where stacks are mapped, others than the task's are aligned to their size, which is THREAD_SIZE;
 * but for that of an overflow, which is smaller, and from which nobody returns. Where they are not,
 * it is not known where the others are.
 *
 * Return: whether it is known.
 */
static __always_inline bool lw_stack_end(unsigned long from, unsigned long *end)
{
	unsigned long low = (unsigned long)task_stack_page(current);

	if (likely(from - low < THREAD_SIZE)) {
		*end = (unsigned long)task_pt_regs(current) - 2 * sizeof(long);
		return true;
	}
	*end = (from | (THREAD_SIZE - 1)) + 1 - 2 * sizeof(long);
	return IS_ENABLED(CONFIG_VMAP_STACK);
}
#endif

#endif
