# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: what a kernel does not allow is told in one line, and what can be done about it.
# shellcheck source=scripts/ktap
. ./ktap

refused() { ! insmod ./leakwatch.ko "$@" 2>/tmp/error; }
# insmod may try twice, by two system calls
lines() { dmesg | sed 's/^[^]]*\] //' | grep "$1" | grep -v 'taints kernel' | sort -u | wc -l; }
mode() { stat -c %a "$P/$1"; }
live() { awk '$NF == "[leaky]" && /leaky_leak_kmalloc/ { sum += $5 } END { print sum + 0 }' $P/slab/sites; }

case $(cat /proc/cmdline) in
*lockdown=*)
	check "lockdown: the kernel refuses what is not signed" refused
	equal "in one line" "$(lines 'Lockdown: insmod: unsigned module loading is restricted')" 1 ;;
*module.sig_enforce*)
	check "enforced signatures: the kernel refuses what is not signed" refused
	equal "in one line" "$(lines 'Loading of unsigned module is rejected')" 1 ;;
*debugfs=off*)
	P=/proc/leakwatch
	check "without debugfs it is refused" refused
	equal "in one line, which says what helps" \
		"$(lines 'leakwatch: no files: debugfs refused them .*; proc=leakwatch puts them in /proc/leakwatch')" 1
	check "proc=a/b is refused" refused proc=a/b
	equal "its line says why" "$(lines 'leakwatch: proc=a/b is no name for a directory')" 1
	check "proc=meminfo is refused: there is one" refused proc=meminfo
	equal "its line says so" "$(lines 'leakwatch: no files: /proc/meminfo cannot be made, is there one?')" 1
	check "nothing is left" sh -c "! grep -q leakwatch /proc/modules"
	check "proc=leakwatch: loads" insmod ./leakwatch.ko proc=leakwatch
	equal "and says where the files are" "$(lines 'leakwatch: watching, read /proc/leakwatch/top')" 1
	for dir in . slab page buffers user; do equal "$dir: mode" "$(mode $dir)" 700; done
	for file in triage top status slab/sites slab/stacks page/lost meminfo census buffers/events user/processes; do
		equal "$file: mode" "$(mode $file)" 400
	done
	equal "control: mode" "$(mode control)" 600
	check "the driver loads" insmod ./leaky.ko count=1000
	equal "every object that it lost is there" "$(live)" 1000
	check "its paths, too" grep -q 'leaky_leak_kmalloc+.*leaky' $P/slab/stacks
	check "control takes what is right" sh -c "echo rows 3 >$P/control"
	equal "and follows it" "$(grep -c '^ *[0-9]' $P/top)" 3
	check "control refuses what is wrong" sh -c "! echo rows -1 >$P/control" 2>/dev/null
	exec 3<$P/buffers/events
	check "it does not unload while a file is open" sh -c '! rmmod leakwatch 2>/dev/null'
	exec 3<&-
	check "the driver unloads" rmmod leaky
	check "unloads" rmmod leakwatch
	check "the directory is gone" test ! -e $P ;;
*)
	check "with nothing to hook it is refused" refused
	equal "in one line" "$(lines leakwatch:)" 1
	equal "which says why" "$(lines 'leakwatch: nothing to watch: the kernel offers no hooks')" 1
	check "there are no files" test ! -e /sys/kernel/debug/leakwatch
	check "kprobes that are asked for are refused, too" refused backend=kprobes
	check "and tracepoints" refused backend=tracepoints
	equal "each by the same line" "$(lines leakwatch:)" 1
	check "nothing is left" sh -c "! grep -q leakwatch /proc/modules"
	check "another module loads and unloads" sh -c "insmod ./leaky.ko && rmmod leaky" ;;
esac
finish
