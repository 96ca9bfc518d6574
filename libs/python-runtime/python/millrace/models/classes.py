"""Classes as text, the way the whole of Millrace writes them."""

from __future__ import annotations

from typing import Any, Iterable


def class_text(value: Any) -> str:
    """``true`` and ``false`` as JSON has them, whole numbers without a point, text as it is."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def class_type(classes: Iterable[Any]) -> str:
    """The column type of a target with these classes: ``boolean``, ``integer``, ``number`` or ``string``."""
    plain = [value.item() if hasattr(value, "item") else value for value in classes]
    if plain and all(isinstance(value, bool) for value in plain):
        return "boolean"
    if plain and all(isinstance(value, int) and not isinstance(value, bool) for value in plain):
        return "integer"
    if plain and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in plain):
        return "number"
    return "string"
