"""YAML as text, without a package for it: worker environments need not have one."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Mapping

#: Text that YAML reads as itself without quotes, and as nothing else (no number, date or boolean).
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_RESERVED = {"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"}


def yaml_text(value: Mapping[str, Any], indent: int = 0) -> str:
    """Block style for mappings and lists; quoted text is JSON's, which YAML reads alike."""
    lines = []
    for key, each in value.items():
        lines.append(f"{' ' * indent}{_scalar(key)}:{_value(each, indent)}")
    return "".join(lines)


def _value(value: Any, indent: int) -> str:
    if isinstance(value, Mapping) and value:
        return "\n" + yaml_text(value, indent + 2)
    if isinstance(value, (list, tuple)) and value:
        return "\n" + "".join(_item(each, indent) for each in value)
    return f" {_scalar(value)}\n"


def _item(value: Any, indent: int) -> str:
    if isinstance(value, Mapping) and value:
        return f"{' ' * indent}- {yaml_text(value, indent + 2).lstrip(' ')}"
    return f"{' ' * indent}- {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return value
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[repr(value)]
    text = repr(value)
    # YAML 1.1 takes `1e-05` for text.
    return text if "." in text else text.replace("e", ".0e")
