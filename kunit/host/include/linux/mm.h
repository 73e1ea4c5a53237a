/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_MM_H
#define HOST_LINUX_MM_H

#define PAGE_SIZE	4096UL

#endif
