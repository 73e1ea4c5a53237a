/* SPDX-License-Identifier: GPL-2.0 */
/* The C library's, and what the kernel's brings along. */
#include <string.h>
#include <linux/errno.h>
#include <linux/kernel.h>
