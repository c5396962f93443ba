"""Who is who: from a token, a password or an address to somebody, or to a refusal.

identity.py    everything below, as the configuration has it
verifier.py    a token → claims                  claims.py, jws.py
keys.py        whose signatures count            public_keys.py, jwks.py
tokens.py      the tokens that we give out
passwords.py   argon2id, in threads
logins.py      failed logins, counted and delayed
"""
