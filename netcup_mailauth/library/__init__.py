"""The library: what the commands do, in four lines of Python.

account.py    Netcup: plan, apply, check
proposed.py   a plan: as it was judged, and applied so or not at all
given.py      what a program gives: credentials, and what is wanted
"""
