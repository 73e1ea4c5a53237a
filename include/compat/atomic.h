/* SPDX-License-Identifier: GPL-2.0 */
/* Atomic operations on 64-bit words, also where a long has 32. */
#ifndef COMPAT_ATOMIC_H
#define COMPAT_ATOMIC_H

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * lw_try_cmpxchg64() - replace a word if it is what it was seen to be
 * @at: where the word is
 * @seen: what it was seen to be
 * @new: what it shall be
 *
 * A full barrier when it succeeds. Return: whether it did.
 */
static __always_inline bool lw_try_cmpxchg64(u64 *at, u64 seen, u64 new)
{
#if defined(CONFIG_64BIT) && defined(try_cmpxchg)
	return try_cmpxchg(at, &seen, new);
#else
	return cmpxchg64(at, seen, new) == seen;
#endif
}

/**
 * lw_read64() - read a word whole
 * @at: where the word is
 *
 * Elsewhere READ_ONCE() will do: what it has seen in two halves no cmpxchg takes for true.
 * Return: the word.
 */
static __always_inline u64 lw_read64(const u64 *at)
{
#ifdef CONFIG_64BIT
	return READ_ONCE(*at);
#else
	return atomic64_read((const atomic64_t *)at);
#endif
}

/**
 * lw_xchg64() - replace a word, whatever it is
 * @at: where the word is
 * @new: what it shall be
 *
 * A full barrier. Return: what it was.
 */
static __always_inline u64 lw_xchg64(u64 *at, u64 new)
{
#ifdef CONFIG_64BIT
	return xchg(at, new);
#else
	u64 seen;

	do {
		seen = READ_ONCE(*at);
	} while (!lw_try_cmpxchg64(at, seen, new));
	return seen;
#endif
}

#endif
