/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry: the bit layout of what the live tables hold, one 64-bit word an entry.
 *
 * An object's entry (live.h):
 *
 *	63  62 61        48 47          31 30               2   1    0
 *	[state][   tag    ][    site     ][       age       ][given][used]
 *
 * The age is the tick at which it was allocated, or given up.
 *
 * A page frame's entry (pages.h) is the same without a tag: the frame is its place in the table.
 *
 * The address of an object is not stored. The bucket in which an entry stands and its tag, put
 * together, are a permutation of the address (live.c), so nothing is lost.
 *
 * Invariant: a word is only ever replaced whole, by one cmpxchg or xchg.
 */
#ifndef LEAKWATCH_ENTRY_H
#define LEAKWATCH_ENTRY_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>

#define LW_USED_BIT	0
#define LW_GIVEN_BIT	1
#define LW_AGE_SHIFT	2
#define LW_AGE_BITS	29
#define LW_SITE_SHIFT	(LW_AGE_SHIFT + LW_AGE_BITS)
#define LW_SITE_BITS	17
#define LW_TAG_SHIFT	(LW_SITE_SHIFT + LW_SITE_BITS)
#define LW_TAG_BITS	14
#define LW_STATE_SHIFT	(LW_TAG_SHIFT + LW_TAG_BITS)

#define LW_TAG_MASK	(((1ULL << LW_TAG_BITS) - 1) << LW_TAG_SHIFT)
#define LW_AGE_MASK	((1U << LW_AGE_BITS) - 1)
#define LW_SITE_MASK	((1U << LW_SITE_BITS) - 1)
#define LW_MAX_SITES	(1U << LW_SITE_BITS)

/**
 * enum lw_state - where an entry stands, in the two highest bits
 * @LW_EMPTY: nothing here; if LW_USED is set the tag is that of the address that was in this, its
 *	first bucket, and is in the table nowhere now (live.c, "Leaving"); all other bits are 0
 * @LW_COMING: on its way to its second bucket, not yet gone from its first (live.c, "Moving")
 * @LW_FIRST: in the first bucket of its address
 * @LW_SECOND: in the second bucket of its address
 */
enum lw_state {
	LW_EMPTY	= 0,
	LW_COMING	= 1,
	LW_FIRST	= 2,
	LW_SECOND	= 3,
};

/*
 * LW_USED is set in every entry, and in what it leaves: so that is not 0, whatever the tag. (State
 * and tag of what an address with tag 0 has left are those of an empty slot.)
 * LW_GIVEN marks an object that its owner gave up (kfree_rcu) and that the kernel has yet to free:
 * it is live for nobody, so its site is LW_SITE_NOBODY, and the free that follows is expected.
 */
#define LW_USED		(1ULL << LW_USED_BIT)
#define LW_GIVEN	(1ULL << LW_GIVEN_BIT)

/* State and tag are the upper 16 bits, so that a look-up can compare them alone. */
static_assert(LW_STATE_SHIFT + 2 == 64 && LW_TAG_SHIFT == 48);
static_assert(LW_SITE_MASK + 1 == LW_MAX_SITES);

/**
 * lw_entry() - pack an entry that stands in its first bucket, or a frame's
 * @tag: the tag, already at its place in the word (0 for a frame)
 * @site: the site's number, below LW_MAX_SITES
 * @age: the tick at which it was allocated (clock.h)
 *
 * Return: the word; never 0.
 */
static inline u64 lw_entry(u64 tag, u32 site, u32 age)
{
	return (u64)LW_FIRST << LW_STATE_SHIFT | tag | (u64)site << LW_SITE_SHIFT |
	       (u64)(age & LW_AGE_MASK) << LW_AGE_SHIFT | LW_USED;
}

/** lw_entry_since() - Return: @entry, which has no age yet, with that of tick @age (clock.h) */
static __always_inline u64 lw_entry_since(u64 entry, u32 age)
{
	return entry | (u64)(age & LW_AGE_MASK) << LW_AGE_SHIFT;
}

/** lw_entry_state() - Return: the enum lw_state of a word */
static inline unsigned int lw_entry_state(u64 entry)
{
	return entry >> LW_STATE_SHIFT;
}

/** lw_entry_as() - Return: the same entry in another state */
static inline u64 lw_entry_as(u64 entry, enum lw_state state)
{
	return (entry & ~(3ULL << LW_STATE_SHIFT)) | (u64)state << LW_STATE_SHIFT;
}

/** lw_entry_given() - Return: the same entry, given up at tick @age, which is its age then */
static inline u64 lw_entry_given(u64 entry, u32 age)
{
	return lw_entry_since((entry & ((3ULL << LW_STATE_SHIFT) | LW_TAG_MASK)) | LW_USED |
			      LW_GIVEN, age);
}

/** lw_entry_left() - Return: what an entry of a first bucket leaves */
static inline u64 lw_entry_left(u64 entry)
{
	return entry & (LW_TAG_MASK | LW_USED);
}

/**
 * lw_entry_free() - may a slot be claimed?
 * @entry: the word in it
 *
 * Return: whether there is nothing in it but what an entry left, perhaps.
 */
static inline bool lw_entry_free(u64 entry)
{
	return lw_entry_state(entry) == LW_EMPTY;
}

/** lw_entry_key() - Return: state and tag: what entries of one address in one bucket share */
static inline u16 lw_entry_key(u64 entry)
{
	return entry >> LW_TAG_SHIFT;
}

#define LW_KEY_TAG	((1U << LW_TAG_BITS) - 1)
#define LW_KEY_FIRST	(LW_FIRST << LW_TAG_BITS)

/*
 * lw_entry_peek() - state and tag of the entry in memory, read alone
 *
 * A plain read, so that it can be an operand of a comparison: what matches is read again, whole.
 */
static __always_inline u16 lw_entry_peek(const u64 *entry)
{
#ifdef __BIG_ENDIAN
	const u16 *key = (const u16 *)entry;
#else
	const u16 *key = (const u16 *)entry + 3;
#endif

	/* only a hint: what matches is read again, whole, by READ_ONCE */
	return data_race(*key);
}

/** lw_entry_tag() - Return: the tag, at its place in the word */
static inline u64 lw_entry_tag(u64 entry)
{
	return entry & LW_TAG_MASK;
}

/** lw_entry_site() - Return: the site's number */
static inline u32 lw_entry_site(u64 entry)
{
	return (entry >> LW_SITE_SHIFT) & LW_SITE_MASK;
}

/** lw_entry_age() - Return: the tick at which it was allocated, or given up */
static inline u32 lw_entry_age(u64 entry)
{
	return (entry >> LW_AGE_SHIFT) & LW_AGE_MASK;
}

#endif
