"""The DNS of the sandbox: three authoritative name servers, and a recursive resolver beside them.

    service.py      all four of them: start, stop, faults, statistics
    handle.py       what a test can do to them
    publication.py  which server sees which state of a zone, and from when (L38)
    elsewhere.py    the little of the rest of the world that the resolver knows
    faults.py       how a server can fail
    server.py       one server behind its port: counts, fails, else lets it be answered
    loop.py, port.py, stream.py     UDP and TCP on loopback, all in one thread

What follows needs dnspython and is imported at the first query, so that a start stays quick:

    messages.py     from the bytes of a query to those of the response
    rdata.py        from a record in wire form to DNS data
    tree.py         the names of a zone: wildcards, aliases, delegations, negative answers
    zonetrees.py    such a tree for a zone of the sandbox
    authority.py    what a name server answers
    recursion.py    what the resolver answers
    checking.py     what can be added to the resolver's world
"""
