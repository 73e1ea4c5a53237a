// SPDX-License-Identifier: GPL-2.0
/*
 * The table of live objects. See live.h for what it promises and entry.h for the words.
 *
 * Where an address stands
 * -----------------------
 * Objects are aligned to 8 bytes and lie in the direct map, so (address - base) / 8 is a number of
 * key_bits bits: 27 on a board with 1 GiB. Multiplying it by an odd constant modulo 2^key_bits
 * permutes those numbers and scatters neighbours. The highest bits of the product name the first
 * bucket, the rest is the tag. The second bucket is the first one, exclusive-or a value that only
 * depends on the tag, so either can be told from the other, and the address from both.
 *
 * Spilling
 * --------
 * A new entry goes to its first bucket, or if that is full to its second, after the spill bit of
 * the first has been set. The bit is never cleared while hooks run. A look-up that finds nothing
 * in the first bucket reads the bit after it has read the slots (smp_rmb() pairs with the full
 * barriers of the cmpxchgs that set the bit and clear the slot) and goes on to the second if set.
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
 * Invariant: an object that is in the table is visible to a free at every moment, in one place.
 */
#include <linux/bug.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <leakwatch/clock.h>
#include <leakwatch/entry.h>
#include <leakwatch/live.h>
#include <leakwatch/stats.h>

#define SLOTS		8
#define OBJECT_SHIFT	3
/* more tries than there can be reasons for a cmpxchg to fail: other CPUs, moves, the spill bit */
#define TRIES		64

static struct {
	unsigned long base;
	unsigned long span;
	u64 mul;		/* the odd constant, shifted so that the product ends at bit 63 */
	u64 inv;		/* its inverse modulo 2^key_bits */
	unsigned int bits;	/* log2 of the number of buckets */
	unsigned int key_bits;
	u64 *slot;
} live __read_mostly;

static DEFINE_RAW_SPINLOCK(room_lock);

struct place {
	u64 *first;
	u64 *second;
	u64 entry;	/* state and tag that an entry of this address has in its first bucket */
};

static __always_inline u64 *bucket(unsigned long nr)
{
	return live.slot + nr * SLOTS;
}

/* The second bucket of what has its first in @nr, and the other way round. */
static __always_inline unsigned long other(unsigned long nr, u64 tag)
{
	u64 by = tag * GOLDEN_RATIO_64 >> (64 - live.bits);

	return nr ^ (by | 1);
}

static __always_inline bool find_place(unsigned long addr, struct place *at)
{
	unsigned long off = addr - live.base;
	unsigned long nr;
	u64 key, tag;

	if (unlikely(off >= live.span))
		return false;
	key = (u64)(off >> OBJECT_SHIFT) * live.mul;
	nr = key >> (64 - live.bits);
	tag = key << live.bits >> (64 - LW_TAG_BITS) << LW_TAG_SHIFT;
	at->first = bucket(nr);
	at->entry = lw_entry(tag, 0, 0);
	return true;
}

static __always_inline void find_second(struct place *at)
{
	at->second = bucket(other((at->first - live.slot) / SLOTS, lw_entry_tag(at->entry)));
}

static unsigned long address(unsigned long nr, u64 entry)
{
	u64 tag = lw_entry_tag(entry), key;

	if (lw_entry_state(entry) != LW_FIRST)
		nr = other(nr, tag);
	key = (u64)nr << (64 - live.bits) | tag >> LW_TAG_SHIFT << (64 - LW_TAG_BITS) >> live.bits;
	key = (key >> (64 - live.key_bits)) * live.inv;
	key &= (1ULL << live.key_bits) - 1;
	return live.base + ((unsigned long)key << OBJECT_SHIFT);
}

static __always_inline u64 *find(u64 *slot, u64 want, u64 *seen)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		*seen = READ_ONCE(slot[i]);
		if (lw_entry_same(*seen, want))
			return &slot[i];
	}
	return NULL;
}

/* One pass over a bucket: the slot of @want, or else in @room the first slot to claim. */
static __always_inline u64 *find_or_room(u64 *slot, u64 want, u64 *seen, u64 **room)
{
	int i;

	*room = NULL;
	for (i = 0; i < SLOTS; i++) {
		*seen = READ_ONCE(slot[i]);
		if (unlikely(lw_entry_same(*seen, want)))
			return &slot[i];
		if (lw_entry_free(*seen) && !*room)
			*room = &slot[i];
	}
	return NULL;
}

static bool replace(u64 *slot, u64 seen, u64 entry)
{
	return cmpxchg64(slot, seen, entry | (seen & LW_SPILL)) == seen;
}

static bool claim(u64 *slot, u64 entry)
{
	u64 seen = READ_ONCE(*slot);

	return lw_entry_free(seen) && replace(slot, seen, entry);
}

static bool spilled(u64 *first)
{
	return READ_ONCE(first[0]) & LW_SPILL;
}

static void spill(u64 *first)
{
	u64 seen = READ_ONCE(first[0]), was;

	while (!(seen & LW_SPILL)) {
		was = cmpxchg64(&first[0], seen, seen | LW_SPILL);
		if (was == seen)
			break;
		seen = was;
	}
}

/* Change a word that is @from, whatever its spill bit, into @to. */
static bool turn(u64 *slot, u64 from, u64 to)
{
	u64 seen;

	do {
		seen = READ_ONCE(*slot);
		if ((seen & ~LW_SPILL) != from)
			return false;
	} while (!replace(slot, seen, to));
	return true;
}

/* Move one entry out of the bucket @from, the first of its address, see "Moving". */
static bool move_one(u64 *from, int i)
{
	u64 seen = READ_ONCE(from[i]), entry = seen & ~LW_SPILL;
	u64 *to, *room, ignored;
	bool moved;

	if (lw_entry_state(entry) != LW_FIRST)
		return lw_entry_free(seen);
	to = bucket(other((from - live.slot) / SLOTS, lw_entry_tag(entry)));
	find_or_room(to, ~0ULL, &ignored, &room);
	if (!room || !claim(room, lw_entry_as(entry, LW_COMING)))
		return false;
	spill(from);
	moved = turn(&from[i], entry, 0);
	if (moved) {
		turn(room, lw_entry_as(entry, LW_COMING), lw_entry_as(entry, LW_SECOND));
		lw_stat_inc(LW_MOVED);
	} else if (!turn(room, lw_entry_as(entry, LW_COMING), 0)) {
		/*
		 * The object was freed from its first bucket, allocated again without finding
		 * room, and freed again, all in these few lines: that last free took our copy.
		 */
		lw_stat_inc(LW_LOST_MOVE);
	}
	return moved;
}

static noinline bool make_room(const struct place *at)
{
	unsigned long flags;
	bool made = false;
	int i;

	if (in_nmi())
		return false;
	raw_spin_lock_irqsave(&room_lock, flags);
	for (i = 0; i < 2 * SLOTS && !made; i++)
		made = move_one(i < SLOTS ? at->first : at->second, i % SLOTS);
	raw_spin_unlock_irqrestore(&room_lock, flags);
	return made;
}

static __always_inline bool add_once(struct place *at, u64 entry, u64 *old, int *ret)
{
	u64 *here, *room, *room2, seen;

	*ret = 0;
	here = find_or_room(at->first, at->entry, &seen, &room);
	if (likely(!here && room && !spilled(at->first)))
		return claim(room, entry);

	find_second(at);
	if (!here) {
		here = find_or_room(at->second, lw_entry_as(at->entry, LW_SECOND), &seen, &room2);
		if (here)
			entry = lw_entry_as(entry, LW_SECOND);
	}
	if (here) {
		*old = seen;
		*ret = seen & LW_GIVEN ? 0 : -EEXIST;
		return replace(here, seen, entry);
	}
	if (room)
		return claim(room, entry);
	if (room2) {
		spill(at->first);
		return claim(room2, lw_entry_as(entry, LW_SECOND));
	}
	if (!make_room(at)) {
		*ret = -ENOSPC;
		return true;
	}
	return false;
}

static int add(struct place *at, u64 entry, u64 *old)
{
	int tries, ret;

	for (tries = 0; tries < TRIES; tries++)
		if (add_once(at, entry, old, &ret))
			return ret;
	return -ENOSPC;
}

/* Replace the entry of a place by @entry (0 to remove it), or with LW_GIVEN mark it. */
static __always_inline bool change_once(struct place *at, bool give, u64 *old, int *ret)
{
	u64 *here;

	*ret = 0;
	here = find(at->first, at->entry, old);
	if (unlikely(!here)) {
		smp_rmb();	/* "Spilling" */
		if (likely(!spilled(at->first))) {
			*ret = -ENOENT;
			return true;
		}
		find_second(at);
		here = find(at->second, lw_entry_as(at->entry, LW_SECOND), old);
		if (!here)
			here = find(at->second, lw_entry_as(at->entry, LW_COMING), old);
		if (!here) {
			/* a mover may have made LW_SECOND of LW_COMING between the two */
			here = find(at->second, lw_entry_as(at->entry, LW_SECOND), old);
		}
		if (!here) {
			*ret = -ENOENT;
			return true;
		}
		if (give && lw_entry_state(*old) == LW_COMING)
			return false;	/* it settles in a moment */
	}
	if (!give)
		return replace(here, *old, 0);
	if (*old & LW_GIVEN) {
		*ret = -EALREADY;
		return true;
	}
	return replace(here, *old, *old | LW_GIVEN);
}

static __always_inline int change(unsigned long addr, bool give, u64 *old)
{
	struct place at;
	int tries, ret;

	if (unlikely(!find_place(addr, &at)))
		return -ERANGE;
	for (tries = 0; tries < TRIES; tries++)
		if (likely(change_once(&at, give, old, &ret)))
			break;
	if (unlikely(tries == TRIES))
		return -EBUSY;
	if (unlikely(give && ret == -ENOENT))
		add(&at, at.entry | LW_GIVEN, old);
	return ret;
}

int lw_live_add(unsigned long addr, u32 site, u64 *old)
{
	struct place at;

	if (unlikely(!find_place(addr, &at)))
		return -ERANGE;
	return add(&at, at.entry | lw_entry(0, site, lw_clock_now()), old);
}

int lw_live_take(unsigned long addr, u64 *old)
{
	return change(addr, false, old);
}

int lw_live_give(unsigned long addr, u64 *old)
{
	return change(addr, true, old);
}

void lw_live_walk(void (*see)(unsigned long addr, u64 entry, void *arg), void *arg)
{
	unsigned long nr;
	u64 entry;
	int i;

	for (nr = 0; nr < 1UL << live.bits; nr++) {
		for (i = 0; i < SLOTS; i++) {
			entry = READ_ONCE(bucket(nr)[i]);
			if (lw_entry_state(entry) >= LW_FIRST && !(entry & LW_GIVEN))
				see(address(nr, entry), entry, arg);
		}
		if (!(nr % 1024))
			cond_resched();
	}
}

unsigned long lw_live_slots(void)
{
	return (unsigned long)SLOTS << live.bits;
}

void lw_live_clear(void)
{
	memset(live.slot, 0, lw_live_slots() * sizeof(u64));
}

int lw_live_init(unsigned long slots, unsigned long base, unsigned long span)
{
	u64 inv = GOLDEN_RATIO_64;
	int i;

	live.base = base;
	live.span = span;
	live.bits = order_base_2(DIV_ROUND_UP(slots, SLOTS));
	live.key_bits = max_t(unsigned int, order_base_2(span >> OBJECT_SHIFT), live.bits);
	if (live.key_bits - live.bits > LW_TAG_BITS)
		return -ERANGE;
	live.mul = GOLDEN_RATIO_64 << (64 - live.key_bits);
	for (i = 0; i < 5; i++)		/* Newton: each step doubles the bits that are right, from 3 */
		inv *= 2 - GOLDEN_RATIO_64 * inv;
	live.inv = inv;
	live.slot = vzalloc(lw_live_slots() * sizeof(u64));
	return live.slot ? 0 : -ENOMEM;
}

void lw_live_exit(void)
{
	vfree(live.slot);
	live.slot = NULL;
}
