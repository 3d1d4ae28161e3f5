"""What is wrong with a domain's records, and what a change would do to its mail. Pure.

spf.py, dkim.py, dmarc.py, zone.py, neighbours.py   every fault of a state, worded once
faults.py    what they share: how a fault is graded, and the options that an advice gives to copy
guard.py     a change: its steps back, and each fault of the state after, graded
senders.py   the longest of these steps: who could send before, and no longer can
check.py     what is published: its faults, and what a receiver concludes
compare.py   what is published against what is wanted, server by server
report.py    the shape of what a check found, and its exit code
"""
