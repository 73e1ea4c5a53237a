# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# loads.sh SECONDS: in the guest, what a shell can do to keep the allocators busy on every CPU.
end=$(($(cut -d . -f 1 /proc/uptime) + $1))
one() {
	while [ "$(cut -d . -f 1 /proc/uptime)" -lt "$end" ]; do
		find /sys/kernel /proc/self -xdev > /dev/null
		(:)
		dd if=/dev/zero of="/tmp/load.$1" bs=64k count=16
		rm "/tmp/load.$1"
		mkdir -p "/tmp/mnt.$1" && mount -t tmpfs none "/tmp/mnt.$1" && touch "/tmp/mnt.$1/a" && umount "/tmp/mnt.$1"
	done
}
trap 'kill $children; exit' TERM
for i in $(seq 2 $(($(nproc) * 2))) 1; do
	one "$i" > /dev/null 2>&1 &
	children="$children $!"
done
wait
