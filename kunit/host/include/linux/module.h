/* SPDX-License-Identifier: GPL-2.0 */
/* Which addresses are this module's own code, the test says. */
#ifndef HOST_LINUX_MODULE_H
#define HOST_LINUX_MODULE_H

#include <linux/types.h>

struct module;

#define THIS_MODULE	((struct module *)0)

bool within_module_core(unsigned long addr, const struct module *mod);

#endif
