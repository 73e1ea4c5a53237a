/* SPDX-License-Identifier: GPL-2.0 */
/* Since 5.10. */
#include <linux/kernel.h>
