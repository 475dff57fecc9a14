"""The dispatcher policies that `Job.dispatch` and the setting `dispatcher_policy` take."""

from gridsched.model.dispatch import (
    AttributeMatch,
    Composite,
    DispatchPolicy,
    FirstOf,
    LeastLoaded,
    LocalFirst,
    Random,
    RoundRobin,
    Rule,
    RuleBased,
)
from gridsched.policy.dispatch_forms import parse_policy

__all__ = [
    "AttributeMatch",
    "Composite",
    "DispatchPolicy",
    "FirstOf",
    "LeastLoaded",
    "LocalFirst",
    "Random",
    "RoundRobin",
    "Rule",
    "RuleBased",
    "parse_policy",
]
