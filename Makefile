# SPDX-License-Identifier: GPL-2.0
# make [KDIR=...] [ARCH=...] [CROSS_COMPILE=...]	build leakwatch.ko
# make check-style					checkpatch, sparse, W=1, kernel-doc, shellcheck
# make clean

KDIR ?= /lib/modules/$(shell uname -r)/build

modules modules_install clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

check-style:
	scripts/style

.PHONY: modules modules_install clean check-style
.DEFAULT_GOAL := modules
