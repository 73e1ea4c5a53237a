// SPDX-License-Identifier: GPL-2.0
/*
 * The table of live objects. See live.h for what it promises and entry.h for the words.
 *
 * Where an address stands
 * -----------------------
 * Objects are aligned to 8 bytes and lie in the direct map: their offset from base is
 *
 *	[    row    ][    tag    ][000]
 *
 * Rows are at most as many as buckets. The row plus something that only depends on the tag is the
 * number of the first bucket, so bucket and tag tell the address. What is added is a multiple of
 * the tag, so objects side by side go round and round the table in even steps, and rows that are
 * alike follow each other bucket by bucket: regular addresses share buckets less often than random
 * ones would. The tag is folded before, else there are sizes of objects for which the steps meet
 * themselves. The bits below the number of the bucket are as good: they choose the slot in
 * which to look first.
 *
 * The second bucket is the first one, exclusive-or a value that only depends on the tag, so either
 * can be told from the other, and the address from both.
 *
 * Spilling
 * --------
 * A new entry goes to its first bucket, or if that is full to its second, after the spill bit of
 * the first has been set. The bit is never cleared while hooks run. A look-up that finds nothing
 * in the first bucket reads the bit after it has read the slots (smp_rmb() pairs with the full
 * barriers of the cmpxchg that clears the slot, and of the one that writes to the second) and goes
 * on to the second if set.
 *
 * Leaving
 * -------
 * An entry that goes from its first bucket because its object was freed leaves its tag, until some
 * other entry takes the slot. The allocator hands the same addresses out again and again: then the
 * place is found at once, and neither bucket need be searched for an entry whose free was missed.
 *
 * Invariant: while what an address has left is in its first bucket, the address is nowhere in the
 * table: whoever adds it again takes that very slot. An entry that is moved, or goes from its
 * second bucket, leaves nothing.
 *
 * Moving
 * ------
 * If both are full, an entry that stands in its first bucket there is moved to its own second one:
 *
 *	1. it is written there as LW_COMING;
 *	2. the spill bit of its first bucket is set;
 *	3. it is removed from the first bucket by cmpxchg: from here on it stands in the second;
 *	4. LW_COMING becomes LW_SECOND.
 *
 * A free that comes between finds it in the first bucket until 3; step 3 then fails and the mover
 * erases its copy. After 3 the free does not see it in the first bucket, finds LW_COMING in the
 * second, and since an entry of that address would have been seen in the first, knows that this is
 * it and takes it; step 4 then fails, which is all right. An entry in state LW_SECOND is preferred
 * to one in LW_COMING: the latter may be a copy that is about to be erased, of an object freed
 * and allocated again meanwhile.
 *
 * One mover at a time (room_lock), else a free could take one of two copies.
 *
 * Growing
 * -------
 * An annex is a further table, as large as all before it together. It has no spill bits, and
 * nothing is moved in it, into it, or out of it: an entry that finds both its buckets full goes to
 * the first or second bucket that its address has in an annex, whichever has more room, after the
 * spill bit of its first bucket in the table was set, and stays until it is taken. Room is made by
 * moving only when no annex has any. A look-up for which that bit is set looks into the annexes
 * once it has found no entry in LW_FIRST or LW_SECOND in the table, and only then for one in
 * LW_COMING: while an address is in an annex, such a one is a copy that is about to be erased.
 *
 * An annex is there for good once lw_live.annexes says so (smp_store_release() pairs with
 * smp_load_acquire() in annexes()), until lw_live_clear() or lw_live_exit(), when nobody is inside.
 * Who frees an object has seen its allocation, and so the annex that it went to.
 *
 * What goes from an annex leaves its tag, too, which nobody looks for there.
 *
 * Forgetting
 * ----------
 * What was given up is taken by its free, or replaced when its address is handed out again. Where
 * the slab allocator takes such objects back without a call that could be heard, and then gives
 * the slab away, neither comes. So what was given up LW_GIVEN_TICKS ago is removed. Nothing need
 * be proven of the object: it is nobody's, and a free that comes after all finds nothing and is
 * counted as unmatched. As its age is the tick at which it was given up, the word is the same
 * as what was looked at only if it is the same tombstone.
 *
 * This, and lw_live_drop(), remove an entry beside its owner, who may be allocating that address.
 * It is one cmpxchg, so for movers and look-ups it is a free. But it leaves no tag: the owner, who
 * has looked for what the address left and then for its entry, could have found neither, as the one
 * became the other in between; it would add an entry in some other slot, and there would be both.
 *
 * Invariant: an object that is in the table is visible to a free at every moment, in one place.
 */
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <compat/vmalloc.h>
#include <leakwatch/clock.h>
#include <leakwatch/entry.h>
#include <leakwatch/live.h>
#include <leakwatch/stats.h>

#define SLOTS		LW_LIVE_SLOTS
#define OBJECT_SHIFT	LW_LIVE_OBJECT

static_assert(SLOTS * sizeof(u64) == 1 << LW_LIVE_BUCKET);

/* more tries than there can be reasons for a cmpxchg to fail: other CPUs, moves */
#define TRIES		64

#define LOAD_BUCKETS	1024UL		/* that tell the load */

struct lw_live lw_live __read_mostly;

static DEFINE_RAW_SPINLOCK(room_lock);

static u64 *bucket(unsigned long nr)
{
	return lw_live.slot + nr * SLOTS;
}

/* Of a table, or an annex, of @mask + 1 buckets: */

/* The second bucket of what has its first in @nr, and the other way round. */
static unsigned long other(unsigned long mask, unsigned long nr, u64 tag)
{
	return nr ^ (((tag >> LW_TAG_SHIFT) * GOLDEN_RATIO_64 >> 32 & mask) | 1);
}

static unsigned long address(unsigned long mask, unsigned long nr, u64 entry)
{
	u64 tag = lw_entry_tag(entry);
	unsigned long in_row = (tag >> LW_TAG_SHIFT) << OBJECT_SHIFT;

	if (lw_entry_state(entry) != LW_FIRST)
		nr = other(mask, nr, tag);
	nr -= (in_row + lw_live_scatter(tag >> LW_TAG_SHIFT)) >> LW_LIVE_ROW;
	return lw_live.base + ((nr & mask) << LW_LIVE_ROW) + in_row;
}

static u64 *second(u64 *first, u64 entry)
{
	return bucket(other(lw_live.mask, (first - lw_live.slot) / SLOTS, lw_entry_tag(entry)));
}

static unsigned int annexes(void)
{
	return smp_load_acquire(&lw_live.annexes);	/* "Growing" */
}

static unsigned long annex_mask(unsigned int nr)
{
	return ((lw_live.mask + 1) << nr) - 1;
}

/* The same place in an annex, and its second bucket there. */
static struct lw_place in_annex(unsigned int nr, const struct lw_place *at, u64 **to)
{
	unsigned long mask = annex_mask(nr);
	struct lw_place in = *at;
	u64 *annex = lw_live.annex[nr];

	in.slot = lw_live_slot(at, annex, (mask + 1) * SLOTS * sizeof(u64) - sizeof(u64));
	*to = annex + other(mask, (in.slot - annex) / SLOTS, lw_place_left(at)) * SLOTS;
	return in;
}

/* What lw_live_search() and lw_live_room() find, and the word there; NULL if it just changed. */

static u64 *find(u64 *slot, u64 entry, u64 *seen)
{
	u64 *here;

	if (!lw_live_search(slot, lw_entry_key(entry), &here))
		return NULL;
	*seen = lw_read64(here);	/* what is given or lost is decided by it alone */
	return lw_entry_key(*seen) == lw_entry_key(entry) ? here : NULL;
}

/* Where an address was before; room that nobody else had a use for since. */
static u64 *find_left(const struct lw_place *at, u64 *seen)
{
	u64 *bucket = lw_place_bucket(at);
	int i;

	*seen = lw_place_left(at);
	for (i = 0; i < SLOTS; i++)
		if (READ_ONCE(bucket[i]) == *seen)
			return &bucket[i];
	return NULL;
}

static u64 *find_room(u64 *bucket, u64 *slot, u64 *seen)
{
	u64 *room = lw_live_room(bucket, slot);

	if (!room)
		return NULL;
	*seen = READ_ONCE(*room);
	return lw_entry_free(*seen) ? room : NULL;
}

static void spill(const u64 *first)
{
	if (!lw_live_spilled(first))
		set_bit((first - lw_live.slot) / SLOTS, lw_live.spilled);
}

/* Remove an entry, wherever it is, for the owner of its address. */
static bool leave(u64 *slot, u64 seen)
{
	return lw_try_cmpxchg64(slot, seen,
				lw_entry_state(seen) == LW_FIRST ? lw_entry_left(seen) : 0);
}

static bool move_one(u64 *from, int i, bool further);

/* Make room in the bucket @slot by moving any entry out of it that can move. */
static bool move_any(u64 *slot, bool further)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		if (move_one(slot, i, further))
			return true;
	return false;
}

/*
 * Move one entry out of the bucket @from, the first of its address, see "Moving". If its second is
 * full too, one may be moved out of that one before, but not @further.
 */
static bool move_one(u64 *from, int i, bool further)
{
	u64 entry = READ_ONCE(from[i]), coming = lw_entry_as(entry, LW_COMING), seen;
	u64 *to, *room;
	bool moved;

	if (lw_entry_state(entry) != LW_FIRST)
		return lw_entry_free(entry);
	to = second(from, entry);
	room = find_room(to, to, &seen);
	if (!room && further && move_any(to, false))
		room = find_room(to, to, &seen);
	if (!room || !lw_try_cmpxchg64(room, seen, coming))
		return false;
	spill(from);
	moved = lw_try_cmpxchg64(&from[i], entry, 0);
	if (moved) {
		lw_try_cmpxchg64(room, coming, lw_entry_as(entry, LW_SECOND));
		lw_stat_inc(LW_MOVED);
	} else if (!lw_try_cmpxchg64(room, coming, 0)) {
		/*
		 * The object was freed from its first bucket, allocated again without finding
		 * room, and freed again, all in these few lines: that last free took our copy.
		 */
		lw_stat_inc(LW_LOST_MOVE);
	}
	return moved;
}

/* At most 2 * SLOTS * (1 + SLOTS) buckets are looked at: where one move is enough, a few. */
static bool make_room(u64 *first, u64 *second)
{
	unsigned long flags;
	bool made;

	if (!in_nmi())
		raw_spin_lock_irqsave(&room_lock, flags);
	/* who was interrupted may hold it, on this very CPU; x86 runs handlers of kprobes as NMI */
	else if (!raw_spin_trylock_irqsave(&room_lock, flags))
		return false;
	made = move_any(first, false) || move_any(second, false) ||
	       move_any(first, true) || move_any(second, true);
	raw_spin_unlock_irqrestore(&room_lock, flags);
	return made;
}

static u64 *find_annexed(const struct lw_place *at, u64 *seen)
{
	unsigned int nr, end = annexes();
	u64 entry = lw_place_entry(at), *here, *to;
	struct lw_place in;

	for (nr = 0; nr < end; nr++) {
		in = in_annex(nr, at, &to);
		here = find(lw_place_bucket(&in), entry, seen);
		if (!here)
			here = find(to, lw_entry_as(entry, LW_SECOND), seen);
		if (here)
			return here;
	}
	return NULL;
}

/* Where the entry of an address is, if anywhere. */
static u64 *find_anywhere(const struct lw_place *at, u64 *seen)
{
	u64 *first = lw_place_bucket(at), entry = lw_place_entry(at);
	u64 *here = find(first, entry, seen), *to;

	if (here)
		return here;
	smp_rmb();	/* "Spilling" */
	if (!lw_live_spilled(first))
		return NULL;
	to = second(first, entry);
	here = find(to, lw_entry_as(entry, LW_SECOND), seen);
	if (!here)
		here = find_annexed(at, seen);
	if (!here)
		here = find(to, lw_entry_as(entry, LW_COMING), seen);
	barrier();	/* it is looked at again, not remembered */
	if (!here)	/* a mover may have made the one of the other between the two */
		here = find(to, lw_entry_as(entry, LW_SECOND), seen);
	return here;
}

/*
 * Wait for the mover, who has an entry on its way. Return: whether that was done: in NMI it may be
 * this very CPU that moves.
 */
static bool wait_for_mover(void)
{
	unsigned long flags;

	if (in_nmi())
		return false;
	raw_spin_lock_irqsave(&room_lock, flags);
	raw_spin_unlock_irqrestore(&room_lock, flags);
	return true;
}

static unsigned int nr_free(const u64 *bucket)
{
	unsigned int i, nr = 0;

	for (i = 0; i < SLOTS; i++)
		nr += lw_entry_peek(&bucket[i]) <= LW_KEY_TAG;
	return nr;
}

/* In the bucket that has more of it, as nothing is moved. */
static u64 *find_room_in_annex(unsigned int nr, const struct lw_place *at, u64 *entry, u64 *seen)
{
	u64 *to, *bucket;
	struct lw_place in = in_annex(nr, at, &to);

	bucket = lw_place_bucket(&in);
	if (nr_free(bucket) >= nr_free(to))
		return find_room(bucket, in.slot, seen);
	*entry = lw_entry_as(*entry, LW_SECOND);
	return find_room(to, to, seen);
}

/*
 * Room outside of the first bucket, in the second one or in an annex. *@entry becomes what is to be
 * there.
 */
static u64 *find_room_elsewhere(const struct lw_place *at, u64 *entry, u64 *seen)
{
	u64 *to = second(lw_place_bucket(at), *entry), *room = find_room(to, to, seen);
	u64 here = lw_entry_as(*entry, LW_SECOND);
	unsigned int nr, end = annexes();

	for (nr = 0; !room && nr < end; nr++) {
		here = *entry;
		room = find_room_in_annex(nr, at, &here, seen);
	}
	*entry = here;
	return room;
}

/*
 * One try to add an entry: anywhere in either bucket, in an annex, or over an entry of the same
 * address. Return: whether it came to an end; false if another CPU was in the way.
 */
static bool add_once(struct lw_place *at, u64 entry, u64 *old, int *ret)
{
	u64 *first = lw_place_bucket(at), *here, *room, seen;

	*ret = -ENOSPC;
	here = find_anywhere(at, &seen);
	if (here && lw_entry_state(seen) == LW_COMING)
		return !wait_for_mover();	/* about to be erased, or to be LW_SECOND */
	if (here) {
		*old = seen;
		*ret = seen & LW_GIVEN ? 0 : -EEXIST;
		return lw_try_cmpxchg64(here, seen, lw_entry_as(entry, lw_entry_state(seen)));
	}
	*ret = 0;
	room = find_left(at, &seen);
	if (!room)
		room = find_room(first, at->slot, &seen);
	if (room)
		return lw_try_cmpxchg64(room, seen, entry);
	room = find_room_elsewhere(at, &entry, &seen);
	if (room) {
		spill(first);
		return lw_try_cmpxchg64(room, seen, entry);
	}
	*ret = -ENOSPC;
	return !make_room(first, second(first, entry));
}

static int add(struct lw_place at, u64 entry, u64 *old)
{
	int tries, ret;

	for (tries = 0; tries < TRIES; tries++)
		if (add_once(&at, entry, old, &ret))
			return ret;
	return -ENOSPC;
}

int lw_live_add(unsigned long addr, u32 site, u64 *old)
{
	struct lw_place at;

	if (!lw_live_place(addr, &at))
		return -ERANGE;
	return add(at, lw_place_entry(&at) | lw_entry(0, site, lw_clock_now()), old);
}

int lw_live_take(unsigned long addr, u64 *old)
{
	struct lw_place at;
	int tries;
	u64 *here;

	if (!lw_live_place(addr, &at))
		return -ERANGE;

	for (tries = 0; tries < TRIES; tries++) {
		here = find_anywhere(&at, old);
		if (!here)
			return -ENOENT;
		if (leave(here, *old))
			return 0;
	}
	return -EBUSY;
}

int lw_live_give(unsigned long addr, u64 *old)
{
	u32 now = lw_clock_now();
	struct lw_place at;
	int tries;
	u64 *here;

	if (!lw_live_place(addr, &at))
		return -ERANGE;
	for (tries = 0; tries < TRIES; tries++) {
		here = find_anywhere(&at, old);
		if (!here)
			return add(at, lw_entry_given(lw_place_entry(&at), now), old) == -ENOSPC ?
			       -ENOSPC : -ENOENT;
		if (*old & LW_GIVEN)
			return -EALREADY;
		if (lw_entry_state(*old) == LW_COMING) {
			wait_for_mover();
			continue;
		}
		if (lw_try_cmpxchg64(here, *old, lw_entry_given(*old, now)))
			return 0;
	}
	return -EBUSY;
}

bool lw_live_drop(unsigned long addr, u64 seen)
{
	struct lw_place at;
	u64 *here, now;

	if (!lw_live_place(addr, &at))
		return false;
	here = find_anywhere(&at, &now);
	/* it may have been moved meanwhile: what makes it the same is its site and age */
	return here && lw_entry_as(now, LW_FIRST) == lw_entry_as(seen, LW_FIRST) &&
	       lw_try_cmpxchg64(here, now, 0);	/* "Forgetting" */
}

u64 *lw_live_part(unsigned int nr, unsigned long *slots)
{
	if (nr > annexes())
		return NULL;
	*slots = SLOTS * ((nr ? annex_mask(nr - 1) : lw_live.mask) + 1);
	return nr ? lw_live.annex[nr - 1] : lw_live.slot;
}

/* An entry as it is shown: 0 if there is none, or it is nobody's object. */
static u64 shown(const u64 *slot)
{
	u64 entry = lw_read64(slot);

	return lw_entry_state(entry) >= LW_FIRST && !(entry & LW_GIVEN) ? entry : 0;
}

bool lw_live_next(unsigned long *at, unsigned long *addr, u64 *entry)
{
	unsigned long nr, begin = 0, slots;
	unsigned int part;
	u64 *slot;

	for (part = 0; (slot = lw_live_part(part, &slots)); part++) {
		for (nr = max(*at, begin) - begin; nr < slots; nr++) {
			*entry = shown(&slot[nr]);
			if (*entry) {
				*addr = address(slots / SLOTS - 1, nr / SLOTS, *entry);
				*at = begin + nr;
				return true;
			}
			if (!(nr % 8192))
				cond_resched();
		}
		begin += slots;
	}
	return false;
}

static bool is_stale(u64 entry)
{
	u32 ticks = (lw_clock_now() - lw_entry_age(entry)) & LW_TICK_MASK;

	/* of what is still to come more than half have passed */
	return lw_entry_state(entry) >= LW_FIRST && entry & LW_GIVEN &&
	       ticks > LW_GIVEN_TICKS && ticks <= LW_TICK_MASK / 2;
}

unsigned long lw_live_forget(unsigned long *at, unsigned long nr)
{
	unsigned long begin = 0, from = *at, slots, i, forgotten = 0;
	unsigned int part;
	u64 *slot, entry;

	for (part = 0; nr && (slot = lw_live_part(part, &slots)); part++) {
		for (i = max(from, begin) - begin; nr && i < slots; i++, nr--) {
			*at = begin + i + 1;
			entry = lw_read64(&slot[i]);
			if (is_stale(entry))
				forgotten += lw_try_cmpxchg64(&slot[i], entry, 0);
			if (!(i % 8192))
				cond_resched();
		}
		begin += slots;
	}
	if (nr)
		*at = 0;
	lw_stat_add(LW_FORGOTTEN, forgotten);
	return forgotten;
}

unsigned long lw_live_count(unsigned long *given)
{
	unsigned long slots, i, all = 0;
	unsigned int part;
	u64 *slot, entry;

	*given = 0;
	for (part = 0; (slot = lw_live_part(part, &slots)); part++)
		for (i = 0; i < slots; i++) {
			entry = lw_read64(&slot[i]);
			if (lw_entry_state(entry) >= LW_FIRST) {
				all++;
				*given += !!(entry & LW_GIVEN);
			}
			if (!(i % 8192))
				cond_resched();
		}
	return all;
}

void lw_live_walk(void (*see)(unsigned long addr, u64 entry, void *arg), void *arg)
{
	unsigned long at, addr;
	u64 entry;

	for (at = 0; lw_live_next(&at, &addr, &entry); at++)
		see(addr, entry, arg);
}

static unsigned long first_slots(void)
{
	return SLOTS * (lw_live.mask + 1);
}

unsigned long lw_live_slots(void)
{
	return first_slots() << annexes();
}

unsigned long lw_live_limit(void)
{
	return first_slots() << lw_live.may_grow;
}

static unsigned long spilled_bytes(void)
{
	return BITS_TO_LONGS(lw_live.mask + 1) * sizeof(long);
}

unsigned long lw_live_bytes(void)
{
	return lw_live_slots() * sizeof(u64) + spilled_bytes();
}

unsigned int lw_live_load(void)
{
	unsigned long buckets = lw_live_slots() / SLOTS, looked = min(buckets, LOAD_BUCKETS);
	unsigned long nr, i, slots, used = 0;
	unsigned int part, k;
	u64 *slot;

	for (i = 0; i < looked; i++) {
		/* each another one, as there are a power of two */
		nr = (i * GOLDEN_RATIO_32 & (buckets - 1)) * SLOTS;
		for (part = 0; (slot = lw_live_part(part, &slots)) && nr >= slots; part++)
			nr -= slots;
		for (k = 0; k < SLOTS; k++)
			used += lw_entry_peek(&slot[nr + k]) > LW_KEY_TAG;
	}
	return used * 100 / (looked * SLOTS);
}

void lw_live_may_grow(unsigned int times)
{
	for (lw_live.may_grow = 0; lw_live.may_grow < LW_LIVE_ANNEXES; lw_live.may_grow++)
		if (2U << lw_live.may_grow > times || 2 * lw_live_limit() > LW_LIVE_MAX)
			return;
}

int lw_live_grow(void)
{
	unsigned int nr = lw_live.annexes;

	if (nr == lw_live.may_grow)
		return -ENOSPC;
	lw_live.annex[nr] = lw_vzalloc_noretry(lw_live_slots() * sizeof(u64));
	if (!lw_live.annex[nr])
		return -ENOMEM;
	smp_store_release(&lw_live.annexes, nr + 1);	/* "Growing" */
	return 0;
}

static void drop_annexes(void)
{
	while (lw_live.annexes)
		vfree(lw_live.annex[--lw_live.annexes]);
}

void lw_live_clear(void)
{
	drop_annexes();
	memset(lw_live.slot, 0, first_slots() * sizeof(u64));
	memset(lw_live.spilled, 0, spilled_bytes());
}

unsigned long lw_live_least(unsigned long span)
{
	unsigned int bits = order_base_2(span >> OBJECT_SHIFT);

	if (bits <= LW_TAG_BITS)
		return LW_LIVE_MIN;
	return max(LW_LIVE_MIN, (unsigned long)SLOTS << (bits - LW_TAG_BITS));
}

int lw_live_init(unsigned long slots, unsigned long base, unsigned long span)
{
	unsigned int bits = order_base_2(DIV_ROUND_UP(max(slots, 2UL * SLOTS), SLOTS));

	if (order_base_2(DIV_ROUND_UP(span, 1UL << LW_LIVE_ROW)) > bits)
		return -ERANGE;
	lw_live.base = base;
	lw_live.span = span;
	lw_live.mask = (1UL << bits) - 1;
	lw_live.at_mask = first_slots() * sizeof(u64) - sizeof(u64);
	lw_live.may_grow = 0;
	lw_live.slot = vzalloc(first_slots() * sizeof(u64));
	lw_live.spilled = vzalloc(spilled_bytes());
	if (lw_live.slot && lw_live.spilled)
		return 0;
	lw_live_exit();
	return -ENOMEM;
}

void lw_live_exit(void)
{
	drop_annexes();
	vfree(lw_live.slot);
	vfree(lw_live.spilled);
	lw_live.slot = NULL;
	lw_live.spilled = NULL;
}
