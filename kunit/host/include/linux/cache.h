/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HOST_LINUX_CACHE_H
#define HOST_LINUX_CACHE_H

#define __read_mostly
#define ____cacheline_aligned	__attribute__((aligned(64)))

#endif
