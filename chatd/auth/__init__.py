"""Authentication: check tokens and passwords, and limit failed logins.

identity.py    builds the parts below from the configuration
verifier.py    verifies a token and returns its claims (claims.py, jws.py)
keys.py        the keys that verify signatures (public_keys.py, jwks.py)
tokens.py      the tokens that this server issues
passwords.py   argon2id hashes, computed in threads
logins.py      counts and delays failed logins
"""
