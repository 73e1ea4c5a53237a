/* SPDX-License-Identifier: GPL-2.0 */
/* Since 4.18; compilers have had these for longer. */
#define check_add_overflow(a, b, to)	__builtin_add_overflow(a, b, to)
#define check_sub_overflow(a, b, to)	__builtin_sub_overflow(a, b, to)
#define check_mul_overflow(a, b, to)	__builtin_mul_overflow(a, b, to)
