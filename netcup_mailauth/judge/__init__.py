"""What is wrong with a domain's records, and what a change would do to its mail. Pure.

spf.py, dkim.py, dmarc.py, zone.py, neighbours.py   every fault of a state, worded once
faults.py    what they share: how a fault is graded, and the options that an advice gives to copy
case.py      what a change is judged by: the zone before and after it, and what bears on it
guard.py     a change: its steps back, and each fault of the state after, graded
senders.py   one of these steps: who could send before, and no longer can
admitted.py  its counterpart: who was shut out before, and may send now
holding.py   what is held back because of all this, and what of a change set may be written
check.py     what is published: its faults, and what a receiver concludes
compare.py   what is published against what is wanted, server by server
report.py    the shape of what a check found, and its exit code
"""
