/* SPDX-License-Identifier: GPL-2.0 */
/* Time stands still but for those who write it. */
#ifndef HOST_LINUX_JIFFIES_H
#define HOST_LINUX_JIFFIES_H

#define HZ	250

extern unsigned long jiffies;

#endif
