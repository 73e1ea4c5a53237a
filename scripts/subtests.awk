# SPDX-License-Identifier: GPL-2.0
# From a log with reports between "ktap: begin NAME" and "ktap: end NAME", one KTAP document with each as
# a subtest. A report that writes its plan last has it first here, as parsers want it; one that
# has none, or does not end, has failed.
/^ktap: begin/ { n++; name[n] = $3; on = 1; next }
/^ktap: end/ { on = 0; over[n] = 1; next }
!on { next }
/^KTAP version/ { next }
/^1\.\.[0-9]+$/ { plan[n] = $0; next }
{ body[n] = body[n] "    " $0 "\n" }
END {
	print "KTAP version 1"
	print "1.." n
	for (i = 1; i <= n; i++) {
		print "    KTAP version 1"
		print "    " (i in plan ? plan[i] : "1..1")
		printf "%s", body[i]
		print (i in plan && over[i] ? "ok " : "not ok ") i " " name[i]
	}
}
