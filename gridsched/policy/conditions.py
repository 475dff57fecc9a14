"""Conditions of event triggers: compiled when they are submitted, judged on what a run returned.

A condition has no access to anything but the value, and XML is read without DTD and entities. How long
it takes, and how much memory, nobody can say beforehand: `jobs.judge` bounds both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, get_args

from gridsched.errors import InvalidCondition
from gridsched.model.events import Condition, ConditionLanguage
from gridsched.policy.condition_judge import Judge, Unsuitable

MAX_CONDITION: Final = 1000
"""Longest condition, in characters."""


def check_condition(condition: Condition) -> None:
    """InvalidCondition, with the position, where it does not compile."""
    text, language = condition.text, condition.language
    if language not in get_args(ConditionLanguage):
        known = ", ".join(get_args(ConditionLanguage))
        raise InvalidCondition(text, f"its language is {language!r}; one of {known}")
    if len(text) > MAX_CONDITION:
        raise InvalidCondition(
            text, f"it has {len(text)} characters; at most {MAX_CONDITION}", position=MAX_CONDITION
        )
    if condition.namespaces and language != "xpath":
        raise InvalidCondition(text, f"namespaces are for xpath, and this is {language}")
    _judge_of(condition)


def holds(condition: Condition, value: Any) -> bool:
    """Whether a condition, checked before, holds on a value; Unsuitable, saying why, where the value
    is not what the condition expects."""
    judge = _judge_of(condition)
    try:
        return judge(value)
    except Unsuitable:
        raise
    except Exception as error:  # whatever a language raises on what it did not expect
        raise Unsuitable(f"{type(error).__name__}: {error}") from None


def _judge_of(condition: Condition) -> Judge:
    return _compiled(
        condition.text, condition.language, tuple(sorted(condition.namespaces.items()))
    )


@lru_cache(maxsize=1024)
def _compiled(
    text: str, language: ConditionLanguage, namespaces: tuple[tuple[str, str], ...]
) -> Judge:
    """The languages are loaded as they are needed: most nodes judge nothing."""
    try:
        if language == "xpath":
            from gridsched.policy.condition_xpath import compile_xpath

            return compile_xpath(text, dict(namespaces))
        if language == "jmespath":
            from gridsched.policy.condition_jmespath import compile_jmespath

            return compile_jmespath(text)
        from gridsched.policy.condition_expression import compile_expression

        return compile_expression(text)
    except (RecursionError, MemoryError):
        raise InvalidCondition(text, "it is nested too deeply") from None
