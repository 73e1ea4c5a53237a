/* SPDX-License-Identifier: GPL-2.0 */
/* Which memory is asked for matters to nobody here. */
#ifndef HOST_LINUX_GFP_H
#define HOST_LINUX_GFP_H

typedef unsigned int gfp_t;

#define GFP_KERNEL	1
#define __GFP_ZERO	2
#define __GFP_NORETRY	4
#define __GFP_NOWARN	8

#endif
