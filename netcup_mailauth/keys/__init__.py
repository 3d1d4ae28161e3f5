"""Where DKIM keys come from: files and texts, mailcow, and keys made here.

``files`` knows a key by its content: ``pem`` reads bare keys, ``texts`` records in any wrapping.
"""
