"""One function an act: what a decision must know from elsewhere is asked here, then the domain decides.

The vault says who is one person and opens what only a decision may see; the gazetteer in force says where a unit lies;
other streams are read so that the append asserts them. Nothing here decides.
"""
