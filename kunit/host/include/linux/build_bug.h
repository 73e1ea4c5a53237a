/* SPDX-License-Identifier: GPL-2.0 */
/* static_assert() of the C library, which GCC takes without a text as well. */
#include <assert.h>
