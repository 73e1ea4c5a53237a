/* SPDX-License-Identifier: GPL-2.0 */
/* Since 4.11. */
#include <linux/sched.h>
