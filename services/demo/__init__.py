"""A scenario played through the HTTP API on the real stack, faster than it happened; deploy/scenarios holds some.

scenario   dated entries with sources, and the rule by which the rest is invented
reading    a scenario's files, read and checked
chance     draws that follow from a seed and a question, so that a new question changes no other answer
cast       who acts: invented people, each with a role and an area
story      an entry becomes what people do about it, act by act; plan puts all of them in order of time
door       the HTTP client that remembers what was acknowledged
play       the plan, moment by moment, with the ledger's clock set forward before each
stack      the servers, in a data folder of their own
screen     what a person sees meanwhile, and at the end
check      afterwards: is every acknowledged command on Kafka, and is every projection its replay
"""
