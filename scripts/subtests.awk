# SPDX-License-Identifier: GPL-2.0
# From a log with reports between "ktap: begin NAME" and "ktap: end NAME", one KTAP document with each as
# a subtest. A report that writes its plan last has it first here, as parsers want it; one that
# has none, or does not end, has failed, as has every result that it owes; so has a log without a report.
/^ktap: begin/ { n++; name[n] = $3; on = 1; next }
/^ktap: end/ { on = 0; over[n] = 1; next }
!on { next }
/^KTAP version/ { next }
/^1\.\.[0-9]+$/ { plan[n] = $0; next }
/^(not )?ok/ { results[n]++ }
{ body[n] = body[n] "    " $0 "\n" }
END {
	if (!n)
		name[++n] = "report"
	print "KTAP version 1"
	print "1.." n
	for (i = 1; i <= n; i++) {
		print "    KTAP version 1"
		last = i in plan ? substr(plan[i], 4) + 0 : 1
		print "    1.." last
		printf "%s", body[i]
		for (k = results[i] + 1; k <= last; k++)
			print "    not ok " k " was not reached"
		print (i in plan && over[i] ? "ok " : "not ok ") i " " name[i]
	}
}
