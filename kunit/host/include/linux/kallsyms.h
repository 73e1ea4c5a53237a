/* SPDX-License-Identifier: GPL-2.0 */
/* The table of symbols is the test's. */
#ifndef HOST_LINUX_KALLSYMS_H
#define HOST_LINUX_KALLSYMS_H

#define KSYM_SYMBOL_LEN	512

int sprint_symbol(char *buffer, unsigned long address);
int sprint_symbol_no_offset(char *buffer, unsigned long address);

#endif
