// SPDX-License-Identifier: GPL-2.0
/* oldion with the events that some boards' ION has. */
#define CREATE_TRACE_POINTS
#include "ion_events.h"
#define OLDION_EVENTS
#include "oldion.c"
