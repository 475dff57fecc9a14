"""Queries on values in every serialized form: reading them, predicates, aggregators, projections.

input             reads the bytes of an object; `portable` and `compact` read fields out of records
serialized        reads and writes Data of every type
attributes        the value of a path such as `address.lines[any].city`
comparison        comparing an attribute with a literal of another type
predicates        every predicate class, and what matches it; `sql` is its text form
predicate_reader  predicates as clients send them
plan              where to look for the entries that a predicate matches
paging            pages of what a predicate matches
aggregators       one result of many entries; `projections` takes a part of each
"""
