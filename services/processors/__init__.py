"""The processors: what is on Kafka is folded into the projections, exactly, whatever is killed.

The way of a batch: Faust owns the group and the rebalancing, `delivery` hands whole fetched batches to the partition's
`Lane`; `chain` drops repeats, sets foreign records aside and stops where the chain breaks; the lane folds them with one
`Part` (projections/part) a projection and commits with `commit`: compare-and-set of every watermark, rows, derived
events last, in one transaction. The next batch is folded while that commits. Where a commit fails or its answer is
lost, the lane forgets everything and reads again what the tables say.
"""
