"""What receivers see: a domain's records at each server, and what follows for its mail. Pure.

report.py      the shape of what ``check`` found, and its exit code
states.py      whether a server has what is wanted
targets.py     which records to look for, and what they are held against
advice.py      what to do about a record that is not as it should be
receivers.py   what a receiver concludes; senders.py: SPF, signatures.py: DKIM, policies.py: DMARC
verdict.py     the shape of these conclusions
neighbours.py  the records beside them that mail depends on; exchanges.py: the MX among them
assembly.py    the parts put together as one report; zonefindings.py: what the guard adds
"""
