"""The vault: the only place where a person is more than a random id and a sealed text more than bytes.

A decision marks a text as `Clear`; `sealing` asks `keyring` for its key, made and synced first, and puts a `Sealed` in
its place; the append names the key and is refused if it was destroyed meanwhile. `opening` goes the other way, for a
role and a purpose (events/custody), and records the view before it gives the text. `register` knows who is behind a
phone and which reports are one person's; `commands` gives commands ids that no phone knows. `master` wraps every key.
"""
