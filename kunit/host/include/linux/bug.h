/* SPDX-License-Identifier: GPL-2.0 */
/* Nothing that is built here warns. */
#include <linux/build_bug.h>
