// SPDX-License-Identifier: GPL-2.0
#include <linux/cache.h>
#include <linux/kernel.h>
#include <leakwatch/frame.h>
#include <leakwatch/path.h>
#include <leakwatch/stats.h>
#include <leakwatch/walk.h>

bool lw_stacks __read_mostly = true;
unsigned int lw_depth __read_mostly = 16;

/* How far from a function's first byte a probe at its entry stops, at most: endbr64, call, int3 */
#define ENTRY_BYTES	10

struct stack {
	unsigned int nr;
	unsigned long frame[LW_DEPTH_MAX + LW_INNER_MAX];
};

static __always_inline void capture(struct stack *stack)
{
	stack->nr = lw_walk(stack->frame, READ_ONCE(lw_depth) + LW_INNER_MAX);
}

/* The place of @ip among the frames that can be inside of a call site; stack->nr if not there. */
static unsigned int place_of(const struct stack *stack, unsigned long ip)
{
	unsigned int i;

	for (i = 0; i < stack->nr && i < LW_INNER_MAX; i++)
		if (stack->frame[i] == ip)
			return i;
	return stack->nr;
}

/*
 * Skip what only passed the request on; if that is all there is, nothing. Glue is what comes before
 * the allocator: behind it, this module's own functions are callers like any other.
 */
static unsigned int skip(const struct stack *stack, unsigned int from, bool glue, bool *backing)
{
	unsigned int i;

	for (i = from; i < stack->nr; i++) {
		switch (lw_frame_kind(stack->frame[i])) {
		case LW_FRAME_BACKING:
			*backing = true;
			fallthrough;
		case LW_FRAME_ALLOC:
			glue = false;
			break;
		case LW_FRAME_GLUE:
		case LW_FRAME_TRAMPOLINE:
			if (glue)
				break;
			fallthrough;
		default:
			return i;
		}
	}
	return from;
}

static void append(struct lw_path *path, const struct stack *stack, unsigned int from)
{
	unsigned int i, depth = READ_ONCE(lw_depth);

	for (i = from; i < stack->nr && path->nr < depth; i++) {
		path->frame[path->nr++] = stack->frame[i];
		if (lw_frame_kind(stack->frame[i]) == LW_FRAME_END)
			break;
	}
}

/* The stack does not show who called. */
static void cut(struct lw_path *path)
{
	path->cut = true;
	lw_stat_inc(LW_WALK_SHORT);
}

static void only(struct lw_path *path, unsigned long ip)
{
	path->frame[0] = ip;
	path->nr = 1;
	cut(path);
}

void lw_path_of_call(struct lw_path *path, unsigned long call_site)
{
	struct stack stack;
	unsigned int at;

	path->nr = 0;
	path->backing = false;
	path->cut = false;
	capture(&stack);
	at = place_of(&stack, call_site);
	if (unlikely(at == stack.nr))
		only(path, call_site);
	else
		append(path, &stack, skip(&stack, at, false, &path->backing));
}

void lw_path_of_pages(struct lw_path *path)
{
	struct stack stack;

	path->nr = 0;
	path->backing = false;
	path->cut = false;
	capture(&stack);
	append(path, &stack, skip(&stack, 0, true, &path->backing));
	if (unlikely(!path->nr))
		cut(path);
}

/* The place of the function that was stopped, within the few bytes in which a probe stops it. */
static unsigned int place_near(const struct stack *stack, unsigned long function)
{
	unsigned int i;

	for (i = 0; i < stack->nr && i < LW_INNER_MAX; i++)
		if (stack->frame[i] - (function - ENTRY_BYTES) <= 2 * ENTRY_BYTES)
			return i;
	return stack->nr;
}

/*
 * The stack shows the function that was stopped and then, if the walker could tell, its caller; if
 * not, the frame after that. Where somebody else's probe has put a trampoline in the place of the
 * caller, nobody can tell: the path then begins with that, and is counted as short.
 */
void lw_path_of_entry(struct lw_path *path, unsigned long function, unsigned long caller)
{
	struct stack stack;
	unsigned int at;

	path->nr = 0;
	path->backing = false;
	path->cut = false;
	capture(&stack);
	at = place_near(&stack, function);
	if (unlikely(at == stack.nr)) {
		only(path, caller);
		return;
	}
	if (at + 1 < stack.nr && stack.frame[at + 1] == caller)
		at++;
	else
		stack.frame[at] = caller;
	if (unlikely(lw_frame_kind(caller) == LW_FRAME_TRAMPOLINE))
		cut(path);
	append(path, &stack, skip(&stack, at, false, &path->backing));
}
