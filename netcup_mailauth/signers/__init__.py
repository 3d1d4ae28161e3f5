"""What can be given a new key: a mailcow, by copying or by import, or a command of the user's.

Each is a ``rotation.signer.Signer``. They share how keys are moved about at a mailcow
(``mailcow_keys``), and the file in which a private key waits (``keyfile``).
"""
