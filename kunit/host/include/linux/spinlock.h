/* SPDX-License-Identifier: GPL-2.0 */
/* A raw spinlock is a mutex: the threads here may outnumber the processors. Nothing interrupts. */
#ifndef HOST_LINUX_SPINLOCK_H
#define HOST_LINUX_SPINLOCK_H

#include <pthread.h>
#include <linux/compiler.h>

#ifndef HOST_LOCK
#define HOST_LOCK(lock)		pthread_mutex_lock(lock)
#endif

#define DEFINE_RAW_SPINLOCK(name)	pthread_mutex_t name = PTHREAD_MUTEX_INITIALIZER
#define raw_spin_lock_irqsave(lock, flags)	({ (flags) = 0; HOST_LOCK(lock); })
#define raw_spin_trylock_irqsave(lock, flags)	({ (flags) = 0; !pthread_mutex_trylock(lock); })
#define raw_spin_unlock_irqrestore(lock, flags)	({ (void)(flags); pthread_mutex_unlock(lock); })

#endif
