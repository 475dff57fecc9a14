"""Which triggers or jobs a listener is told of: `group.starts_with("shop") & ~name.equals("x")`."""

from gridsched.policy.matchers import Matcher, anything, group, key, name

__all__ = ["Matcher", "anything", "group", "key", "name"]
