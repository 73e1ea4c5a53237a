/* SPDX-License-Identifier: GPL-2.0 */
/* Who waits for another CPU lets it run: there may be no processor for both. */
#ifndef HOST_LINUX_PROCESSOR_H
#define HOST_LINUX_PROCESSOR_H

#include <sched.h>

#ifndef HOST_RELAX
#define HOST_RELAX()	sched_yield()
#endif

#define cpu_relax()	HOST_RELAX()

#endif
