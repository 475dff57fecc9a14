"""What each request does. Importing this package registers all of them."""

from gridsched.grid.wire.operations.registry import Answer, answers, find

__all__ = ["Answer", "answers", "find"]
