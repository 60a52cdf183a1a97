"""Where things happen: units that keep their id for ever, divisions that change under them, and homes that do not.

`facts` is what a gazetteer states and `content` its form in an event; `row_checks`, `tree_checks` and `home_checks`
find its `faults`. `gazetteer` answers questions about it, from `homes` (the Kafka keys) and `succession` (which commune
became which); `adoption` tells what a step to the next one changes; `lookup` reads what a person wrote. Nothing here
opens a file: services/gazetteer.py does.
"""
