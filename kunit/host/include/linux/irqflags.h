/* SPDX-License-Identifier: GPL-2.0 */
/* Nothing interrupts a thread here, and none shares its CPU in tests that need these. */
#ifndef HOST_LINUX_IRQFLAGS_H
#define HOST_LINUX_IRQFLAGS_H

#define local_irq_save(flags)		((flags) = 0)
#define local_irq_restore(flags)	((void)(flags))

#endif
