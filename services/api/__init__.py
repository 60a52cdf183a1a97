"""The door: HTTP for everybody who reports, reviews, refers, answers, reads and follows.

access      which role may do what where: the one table
tokens      who somebody is
problems    why not: the numbered catalogue
commanding  one wrapper from a request to an append; commands lists every act's route
reading     one wrapper for reads; one module a question beside it, in reads/
country     what a token's units mean now, and what a unit is called
custody     opening what is sealed
erasing     erasing a person
"""
