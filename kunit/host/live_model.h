/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the owner of an object knows of it, and so what the table must answer, whatever others do
 * meanwhile. Included after live.c and stats.c, which it looks into.
 *
 * An owner does what the kernel does with one address: nothing happens twice at once, and only what
 * was allocated is freed or given up. A free may be missed; what was given up need not be freed.
 * Somebody else may remove an entry that is old, and no other.
 */
#ifndef LIVE_MODEL_H
#define LIVE_MODEL_H

enum object_state {
	OUT,		/* not allocated */
	LIVE,		/* allocated and stored */
	LOST,		/* allocated, there was no room */
	GIVEN,		/* given up, and that is stored */
};

struct object {
	unsigned long addr;
	enum object_state state;
	u32 site;
	u32 age;
	bool old;
};

/* The entry is the object's own; that of what was given up is nobody's. */
static inline bool entry_is_live(const struct object *object, u64 entry)
{
	return lw_entry_site(entry) == object->site && lw_entry_age(entry) == object->age &&
	       !(entry & LW_GIVEN);
}

static inline bool entry_is_given(u64 entry)
{
	return lw_entry_site(entry) == 0 && entry & LW_GIVEN;
}

#define answer(condition)							\
	expect(condition, "%lx, state %d: %d, entry %llx", object->addr, object->state, ret, old)

static void object_add(struct object *object, u32 site)
{
	u64 old = 0, entry = lw_entry(0, site, lw_clock_now());
	struct lw_place at;
	int ret = 0;

	/* as door.h and door.c do */
	if (!lw_live_place(object->addr, &at) ||
	    (!lw_live_try_again(&at, entry) && !lw_live_try_add(&at, entry)))
		ret = lw_live_add(object->addr, site, &old);
	switch (object->state) {
	case OUT:
	case LOST:	/* the free was missed, but so was the object */
		answer(!ret || ret == -ENOSPC);
		break;
	case LIVE:	/* the free was missed */
		answer((ret == -EEXIST && entry_is_live(object, old)) || (object->old && !ret));
		break;
	case GIVEN:	/* the free was not shown */
		answer(!ret);
		break;
	}
	object->state = ret == -ENOSPC ? LOST : LIVE;
	object->site = site;
	object->age = lw_clock_now();
	object->old = false;
}

static void object_take(struct object *object)
{
	struct lw_place at;
	u64 old = lw_live_try_take(object->addr, &at);
	int ret = 0;

	if (!old)
		ret = lw_live_take(object->addr, &old);
	switch (object->state) {
	case OUT:	/* never allocated while we looked */
	case LOST:
		answer(ret == -ENOENT);
		break;
	case LIVE:
		answer((!ret && entry_is_live(object, old)) || (object->old && ret == -ENOENT));
		break;
	case GIVEN:
		answer((!ret && entry_is_given(old)) || (object->old && ret == -ENOENT));
		break;
	}
	object->state = OUT;
	object->old = false;
}

static void object_give(struct object *object)
{
	u64 old = 0;
	int ret = lw_live_give(object->addr, &old);

	switch (object->state) {
	case OUT:
	case LOST:
		answer(ret == -ENOENT || ret == -ENOSPC);
		if (ret == -ENOENT)
			object->state = GIVEN;
		break;
	case LIVE:
		answer((!ret && entry_is_live(object, old)) || (object->old && ret == -ENOENT));
		object->state = GIVEN;
		object->old = false;
		break;
	case GIVEN:
		answer(ret == -EALREADY);
		break;
	}
}

/* How many entries of @addr are in a bucket of a part of the table. */
static unsigned int entries_in(unsigned int part, const u64 *bucket, unsigned long addr)
{
	unsigned long slots;
	u64 *slot = lw_live_part(part, &slots);
	unsigned int nr = 0;
	int i;

	for (i = 0; i < LW_LIVE_SLOTS; i++)
		nr += !lw_entry_free(bucket[i]) &&
		      address(slots / LW_LIVE_SLOTS - 1, (bucket - slot) / LW_LIVE_SLOTS,
			      bucket[i]) == addr;
	return nr;
}

/* The table at rest: how many entries it has of @addr, given up or not. */
static unsigned int entries_of(unsigned long addr)
{
	struct lw_place at;
	unsigned int nr = 0, part;
	u64 *to;

	if (!lw_live_place(addr, &at))
		return 0;
	to = second(lw_place_bucket(&at), lw_place_entry(&at));
	for (part = 0; part <= lw_live.annexes; part++) {
		struct lw_place in = part ? in_annex(part - 1, &at, &to) : at;

		nr += entries_in(part, lw_place_bucket(&in), addr) + entries_in(part, to, addr);
	}
	return nr;
}

/* The table at rest: how many entries a part of it has; none may be on its way. */
static unsigned long entries_of_part(unsigned int part)
{
	unsigned long i, slots, nr = 0;
	u64 *slot = lw_live_part(part, &slots);

	for (i = 0; slot && i < slots; i++) {
		expect(lw_entry_state(slot[i]) != LW_COMING, "slot %lu is %llx", i, slot[i]);
		nr += !lw_entry_free(slot[i]);
	}
	return nr;
}

/* The same of all. */
static unsigned long entries(void)
{
	unsigned long nr = 0;
	unsigned int part;

	for (part = 0; part <= lw_live.annexes; part++)
		nr += entries_of_part(part);
	return nr;
}

struct walk {
	struct object *object;
	unsigned int nr;
	unsigned long seen;
};

static void walk_see(unsigned long addr, u64 entry, void *arg)
{
	struct walk *walk = arg;
	struct object *object = walk->object;

	while (object < walk->object + walk->nr && object->addr != addr)
		object++;
	walk->seen++;
	if (expect(object < walk->object + walk->nr, "%lx is nobody's", addr))
		expect(object->state == LIVE && entry_is_live(object, entry),
		       "%lx, state %d, is %llx", addr, object->state, entry);
}

/* The table at rest must hold what its @nr objects are, once each, and nothing else. */
static void objects_compare(struct object *object, unsigned int nr)
{
	struct walk walk = { .object = object, .nr = nr };
	unsigned long live = 0, held = 0, n, i;

	for (i = 0; i < nr; i++) {
		n = entries_of(object[i].addr);
		live += object[i].state == LIVE && n;
		held += n;
		expect(n == (object[i].state == LIVE || object[i].state == GIVEN) ||
		       (object[i].old && !n),
		       "%lx, state %d, has %lu entries", object[i].addr, object[i].state, n);
	}
	lw_live_walk(walk_see, &walk);
	expect(walk.seen == live, "walked %lu of %lu", walk.seen, live);
	expect(entries() == held, "%lu entries, should be %lu", entries(), held);
}

#endif
