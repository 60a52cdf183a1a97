"""Where things happen: units that keep their id for ever, divisions that change under them, and homes that do not.

`facts` is what a gazetteer states, `faults` what may be wrong with it, `gazetteer` answers questions about it, `homes`
computes the Kafka keys, `adoption` guards the step from one gazetteer or division to the next, `lookup` reads what a
person wrote. Nothing here opens a file; services/gazetteer.py does.
"""
