"""How the model's values are written as JSON: defaults are left out, but for what is queried.

Values are trees: with `gc=False` the garbage collector does not follow the many that a node holds.
"""

from __future__ import annotations

from typing import Any

import msgspec


def always(default: Any) -> Any:
    """A field with a default that is written all the same: a query finds only what is written.

    (msgspec's omit_defaults leaves out what equals a default, and knows nothing of factories.)
    """
    return msgspec.field(default_factory=lambda: default)
