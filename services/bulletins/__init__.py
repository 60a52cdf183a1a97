"""Alerts in the forms that other organisations' programs read already: CAP 1.2, Atom, GeoJSON and CSV.

Whatever stands in a bulletin stands in the `alert.issued` that it tells of, in the alerts before it that it takes the
place of, or in the settings; and, beside GeoJSON, in nothing else: a gazetteer that is adopted later changes no
document that somebody has. The bare alert has no evidence, and no form of it adds any.

`told` reads an event, `history` finds events in the ledger, the others write them: none waits, none reads a clock.
"""
