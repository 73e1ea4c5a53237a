# SPDX-License-Identifier: GPL-2.0
# The table of bench-macro from its lines: of each state and load the least, over the least of absent in the same boot,
# or, where a boot had no absent, in that of leakwatch, else in that of absent alone. Then what says how far to trust it: by how much absent's
# own turns differ, and its least in other boots. Memory is told as the kernel counts it, with the same doubts.

$7 == "KB" && $5 == "MemFree_at_boot" { boot = $4; boots[nr_boots++] = boot; at_boot[boot] = $6; next }
$7 == "events" { events[$5] = $6; next }
$7 == "KB" { if ($5 ~ /^MemFree/) after[boot, $4] = $6; else if ($5 == "memory_kb") own = $6; next }
{
	key = boot SUBSEP $4 SUBSEP $5
	busy = $6 - $7
	if (!(key in least) || busy < least[key]) least[key] = busy
	if (!(key in most) || busy > most[key]) most[key] = busy
	if ($4 != "absent" && !known[$4]++) { state[nr_states++] = $4; of[$4] = boot }
	if (!loads[$5]++) load[nr_loads++] = $5
}

# row NAME: of each load one over another, and of all together; of what was not run, nothing
function row(name, over, of_boot, of_state, under, by_boot,	i, sum, base)
{
	printf "%-24s", name
	if (!under[by_boot, "absent", load[0]]) {
		printf "\n"
		return
	}
	for (i = 0; i < nr_loads; i++) {
		printf " %9.4f", over[of_boot, of_state, load[i]] / under[by_boot, "absent", load[i]]
		sum += over[of_boot, of_state, load[i]]
		base += under[by_boot, "absent", load[i]]
	}
	printf " %9.4f\n", sum / base
}

END {
	home = ("leakwatch", "absent", load[0]) in least ? "leakwatch" : "absent"
	printf "%-24s", "ratio to absent"
	for (i = 0; i < nr_loads; i++) printf " %9s", load[i]
	printf " %9s\n%-24s", "all", "absent, million"
	for (i = 0; i < nr_loads; i++) {
		printf " %9.1f", least[home, "absent", load[i]] / 1e6
		all += least[home, "absent", load[i]]
	}
	printf " %9.1f\n%-24s", all / 1e6, "events"
	for (i = 0; i < nr_loads; i++) printf " %9d", events[load[i]]
	printf "\n"
	for (s = 0; s < nr_states; s++) {
		name = state[s]
		row(name, least, of[name], name, least, (of[name], "absent", load[0]) in least ? of[name] : home)
	}
	row("absent, the most", most, home, "absent", least, home)
	for (b = 0; b < nr_boots; b++) {
		name = boots[b]
		if (name != home && (name, "absent", load[0]) in least)
			row("absent beside " name, least, name, "absent", least, home)
	}
	printf "memory, KB: leakwatch %d by its own count\n", own
	printf "%-24s %10s %10s %10s\n", "less MemFree, KB", "at boot", "while", "after"
	for (b = 0; b < nr_boots; b++) {
		name = boots[b]
		if (name == home) continue
		printf "%-24s %10d", name, at_boot[home] - at_boot[name]
		from = (name, "absent") in after ? after[name, "absent"] : after[home, "absent"]
		printf " %10d", from - after[name, name]
		if ((name, "absent_again") in after) printf " %10d", from - after[name, "absent_again"]
		printf "\n"
	}
}
