// SPDX-License-Identifier: GPL-2.0
/*
 * The table of live objects. See live.h for what it promises and entry.h for the words.
 *
 * Where an address stands
 * -----------------------
 * Objects are aligned to 8 bytes and lie in the direct map, so (address - base) / 8 is a number of
 * key_bits bits: 27 on a board with 1 GiB. Multiplying it by an odd constant modulo 2^key_bits
 * permutes those numbers and scatters neighbours; folding the upper bits into the lower and
 * multiplying again does so for objects in rows, too, which one multiplication would put in few
 * buckets. The highest of the key_bits bits name the first
 * bucket, the lowest LW_TAG_BITS are the tag; between them, and perhaps twice, they have all bits.
 * The second bucket is the first one, exclusive-or a value that only depends on the tag, so either
 * can be told from the other, and the address from both.
 *
 * Spilling
 * --------
 * A new entry goes to its first bucket, or if that is full to its second, after the spill bit of
 * the first has been set. The bit is never cleared while hooks run. A look-up that finds nothing
 * in the first bucket reads the bit after it has read the slots (smp_rmb() pairs with the full
 * barriers of the cmpxchgs that set the bit and clear the slot) and goes on to the second if set.
 *
 * Leaving
 * -------
 * An entry that goes from its first bucket because its object was freed leaves its tag, until some
 * other entry takes the slot. The allocator hands the same addresses out again and again: then the
 * place is found at once, and neither bucket need be searched for an entry whose free was missed.
 *
 * Invariant: while what an address has left is in its first bucket, the address is nowhere in the
 * table: whoever adds it again takes that very slot. An entry that is moved, or goes from its
 * second bucket, leaves nothing; nor does one whose tag is 0.
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
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <leakwatch/clock.h>
#include <leakwatch/entry.h>
#include <leakwatch/live.h>
#include <leakwatch/stats.h>

#define SLOTS		LW_LIVE_SLOTS
#define OBJECT_SHIFT	3

static_assert(SLOTS * sizeof(u64) == 1 << LW_LIVE_BUCKET);

/* more tries than there can be reasons for a cmpxchg to fail: other CPUs, moves, the spill bit */
#define TRIES		64

struct lw_live lw_live __read_mostly;

static u64 inverse;	/* of the multiplier, modulo 2^key_bits */

static DEFINE_RAW_SPINLOCK(room_lock);

static u64 *bucket(unsigned long nr)
{
	return lw_live.slot + nr * SLOTS;
}

/* The second bucket of what has its first in @nr, and the other way round. */
static unsigned long other(unsigned long nr, u64 tag)
{
	return nr ^ (((tag >> LW_TAG_SHIFT) * GOLDEN_RATIO_64 >> 32 & lw_live.mask) | 1);
}

static u64 *second(u64 *first, u64 entry)
{
	return bucket(other((first - lw_live.slot) / SLOTS, lw_entry_tag(entry)));
}

static unsigned long address(unsigned long nr, u64 entry)
{
	u64 tag = lw_entry_tag(entry), key;

	if (lw_entry_state(entry) != LW_FIRST)
		nr = other(nr, tag);
	key = (u64)nr << lw_live.shift | (tag >> LW_TAG_SHIFT & ((1ULL << lw_live.shift) - 1));
	key = key * inverse & lw_live.key_mask;
	key ^= key >> LW_LIVE_FOLD ^ key >> 2 * LW_LIVE_FOLD ^ key >> 3 * LW_LIVE_FOLD;
	key = key * inverse & lw_live.key_mask;
	return lw_live.base + ((unsigned long)key << OBJECT_SHIFT);
}

/* As lw_live_find() and lw_live_room(), with the word that was found; NULL if it just changed. */

static u64 *find(u64 *slot, u64 entry, u64 *seen)
{
	int here = lw_live_find(slot, lw_entry_key(entry));

	if (here < 0)
		return NULL;
	*seen = READ_ONCE(slot[here]);
	return lw_entry_key(*seen) == lw_entry_key(entry) ? &slot[here] : NULL;
}

/* Where an address was before; room that nobody else had a use for since. */
static u64 *find_left(const struct lw_place *at, u64 *seen)
{
	return at->tag ? find(at->first, lw_place_left(at), seen) : NULL;
}

static u64 *find_room(u64 *slot, u64 *seen)
{
	int room = lw_live_room(slot);

	if (room < 0)
		return NULL;
	*seen = READ_ONCE(slot[room]);
	return lw_entry_free(*seen) ? &slot[room] : NULL;
}

static void spill(u64 *first)
{
	u64 seen = READ_ONCE(first[0]);

	while (!(seen & LW_SPILL)) {
		if (lw_try_cmpxchg64(&first[0], seen, seen | LW_SPILL))
			break;
		seen = READ_ONCE(first[0]);
	}
}

/* Remove an entry, wherever it is. */
static bool leave(u64 *slot, u64 seen)
{
	return lw_live_swap(slot, seen, lw_entry_state(seen) == LW_FIRST ? lw_entry_left(seen) : 0);
}

/* Change a word that is @from, whatever its spill bit, into @to. */
static bool turn(u64 *slot, u64 from, u64 to)
{
	u64 seen;

	do {
		seen = READ_ONCE(*slot);
		if ((seen & ~LW_SPILL) != from)
			return false;
	} while (!lw_live_swap(slot, seen, to));
	return true;
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
	u64 seen = READ_ONCE(from[i]), entry = seen & ~LW_SPILL;
	u64 *to, *room;
	bool moved;

	if (lw_entry_state(entry) != LW_FIRST)
		return lw_entry_free(seen);
	to = second(from, entry);
	room = find_room(to, &seen);
	if (!room && further && move_any(to, false))
		room = find_room(to, &seen);
	if (!room || !lw_live_swap(room, seen, lw_entry_as(entry, LW_COMING)))
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

/* Where the entry of an address is, if anywhere. */
static u64 *find_both(struct lw_place *at, u64 *seen)
{
	u64 entry = lw_place_entry(at), *here = find(at->first, entry, seen), *to;

	if (here)
		return here;
	smp_rmb();	/* "Spilling" */
	if (!lw_live_spilled(at->first))
		return NULL;
	to = second(at->first, entry);
	here = find(to, lw_entry_as(entry, LW_SECOND), seen);
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

/*
 * One try to add an entry: anywhere in either bucket, or over an entry of the same address.
 * Return: whether it came to an end; false if another CPU was in the way.
 */
static bool add_once(struct lw_place *at, u64 entry, u64 *old, int *ret)
{
	u64 *to = second(at->first, lw_place_entry(at)), *here, *room, seen;

	*ret = -ENOSPC;
	here = find_both(at, &seen);
	if (here && lw_entry_state(seen) == LW_COMING)
		return !wait_for_mover();	/* about to be erased, or to be LW_SECOND */
	if (here && lw_entry_state(seen) == LW_SECOND)
		entry = lw_entry_as(entry, LW_SECOND);
	if (here) {
		*old = seen;
		*ret = seen & LW_GIVEN ? 0 : -EEXIST;
		return lw_live_swap(here, seen, entry);
	}
	*ret = 0;
	room = find_left(at, &seen);
	if (!room)
		room = find_room(at->first, &seen);
	if (room)
		return lw_live_swap(room, seen, entry);
	room = find_room(to, &seen);
	if (room) {
		spill(at->first);
		/* the bit may have been set in the very word that was seen */
		seen = READ_ONCE(*room);
		return lw_entry_free(seen) &&
		       lw_live_swap(room, seen, lw_entry_as(entry, LW_SECOND));
	}
	*ret = -ENOSPC;
	return !make_room(at->first, to);
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
		here = find_both(&at, old);
		if (!here)
			return -ENOENT;
		if (leave(here, *old))
			return 0;
	}
	return -EBUSY;
}

int lw_live_give(unsigned long addr, u64 *old)
{
	struct lw_place at;
	int tries;
	u64 *here;

	if (!lw_live_place(addr, &at))
		return -ERANGE;
	for (tries = 0; tries < TRIES; tries++) {
		here = find_both(&at, old);
		if (!here)
			return add(at, lw_place_entry(&at) | LW_GIVEN, old) == -ENOSPC ?
			       -ENOSPC : -ENOENT;
		if (*old & LW_GIVEN)
			return -EALREADY;
		if (lw_entry_state(*old) == LW_COMING) {
			wait_for_mover();
			continue;
		}
		if (lw_live_swap(here, *old, lw_entry_given(*old)))
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
	here = find_both(&at, &now);
	/* it may have been moved meanwhile: what makes it the same is its site and age */
	return here && lw_entry_as(now, LW_FIRST) == lw_entry_as(seen, LW_FIRST) &&
	       leave(here, now);
}

bool lw_live_next(unsigned long *at, unsigned long *addr, u64 *entry)
{
	unsigned long nr, slots = lw_live_slots();

	for (nr = *at; nr < slots; nr++) {
		*entry = lw_live_entry(nr);
		if (*entry) {
			*addr = address(nr / SLOTS, *entry);
			*at = nr;
			return true;
		}
		if (!(nr % 8192))
			cond_resched();
	}
	return false;
}

void lw_live_walk(void (*see)(unsigned long addr, u64 entry, void *arg), void *arg)
{
	unsigned long at, addr;
	u64 entry;

	for (at = 0; lw_live_next(&at, &addr, &entry); at++)
		see(addr, entry, arg);
}

unsigned long lw_live_slots(void)
{
	return SLOTS * (lw_live.mask + 1);
}

void lw_live_clear(void)
{
	memset(lw_live.slot, 0, lw_live_slots() * sizeof(u64));
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
	unsigned int key_bits = max_t(unsigned int, order_base_2(span >> OBJECT_SHIFT),
				      bits + LW_LIVE_BUCKET);
	u64 mul;
	int i;

	if (key_bits - bits > LW_TAG_BITS)
		return -ERANGE;
	/* the golden ratio of 2^key_bits, not its low bits: these scatter neighbours badly */
	mul = GOLDEN_RATIO_64 >> (64 - key_bits) | 1;
	lw_live.base = base;
	lw_live.span = span;
	lw_live.mul = mul;
	lw_live.key_mask = (1ULL << key_bits) - 1;
	lw_live.mask = (1UL << bits) - 1;
	lw_live.shift = key_bits - bits;
	lw_live.at_mask = lw_live.mask << LW_LIVE_BUCKET;
	lw_live.at_shift = lw_live.shift - LW_LIVE_BUCKET;
	inverse = mul;
	/* Newton: each step doubles the bits that are right, from 3 */
	for (i = 0; i < 5; i++)
		inverse *= 2 - mul * inverse;
	lw_live.slot = vzalloc(lw_live_slots() * sizeof(u64));
	return lw_live.slot ? 0 : -ENOMEM;
}

void lw_live_exit(void)
{
	vfree(lw_live.slot);
	lw_live.slot = NULL;
}
