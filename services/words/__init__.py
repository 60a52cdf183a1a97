"""What a level is made of, in sentences that a committee can read aloud, in each language of the network.

`level` says the sentences, in English; `languages` finds them in a catalog (`locale/*.po`, as gettext's tools read and
write them) and writes numbers and days as that language does. A test compares the catalogs with the code.
"""
