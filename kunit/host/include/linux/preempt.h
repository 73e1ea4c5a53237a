/* SPDX-License-Identifier: GPL-2.0 */
/* Which context a thread plays. */
#ifndef HOST_LINUX_PREEMPT_H
#define HOST_LINUX_PREEMPT_H

#include <linux/types.h>

extern __thread bool host_nmi, host_irq;

#define in_nmi()	host_nmi
#define in_task()	(!host_nmi && !host_irq)

#endif
