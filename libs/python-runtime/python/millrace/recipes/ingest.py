"""The ingest steps: files become one table."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, Union

from millrace.errors import UserError
from millrace.recipes.step_input import StepInput
from millrace.recipes.target import check_classes, target_column
from millrace.recipes.user_functions import UserFunction, user_function

if TYPE_CHECKING:
    import pandas as pd

_DataPath = Union[str, Path]


def ingest_frame(step: StepInput, given: Mapping[str, Any]) -> pd.DataFrame:
    """Reads `given.files` as `given.using` says and, for training, checks the target.

    Files are taken in the order of their names, whatever the recipe's; their rows keep their labels, so that
    labels repeat, as in MLflow. Raises `UserError` for files that do not suit, a loader that returns no
    DataFrame, or a target that does not suit the recipe.
    """
    section = "steps.ingest" if given.get("training", True) else "steps.ingest_scoring"
    frame = _read(step, given, section)
    if given.get("training", True):
        labels = target_column(frame, step.target)
        check_classes(labels, step.task, step.positive_class)
    return frame


def _read(step: StepInput, given: Mapping[str, Any], section: str) -> pd.DataFrame:
    using = given.get("using")
    if not using:
        raise UserError("the format of the data is missing", f"{section}.using")
    if using == "spark_sql":
        raise UserError(
            "`spark_sql` needs a Spark session, and there is none here",
            f"{section}.using",
            "export the query's result to Parquet and use `using: parquet` with its location",
        )
    if using == "delta":
        return _read_delta(given, section)
    paths = _data_files(given, using, section)
    if using == "parquet":
        return _concatenated([_read_parquet(path, section) for path in paths])
    loader = _loader(step, given, section)
    return _concatenated([_load(loader, path, using) for path in paths])


def _concatenated(frames: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return frames[0] if len(frames) == 1 else pd.concat(frames)


def _data_files(given: Mapping[str, Any], using: str, section: str) -> list[_DataPath]:
    files = given.get("files") or []
    if given.get("single_file"):
        return [_single_file(files, using, section)]
    named = {each["name"]: each["path"] for each in files}
    _check_unique([each["name"] for each in files], section)
    names = sorted(name for name in named if using == "custom" or name.endswith(f".{using}"))
    if not names:
        found = ", ".join(sorted(named)) or "nothing"
        raise UserError(
            f"no file ends in .{using}" if files else "no file was found",
            f"{section}.location",
            f"found {found}; `using: custom` takes files of any name" if files else None,
        )
    return [Path(named[name]) for name in names]


def _single_file(files: list[Mapping[str, str]], using: str, section: str) -> str:
    if len(files) != 1:
        raise UserError(f"expected one file, found {len(files)}", f"{section}.location")
    if using != "custom" and not files[0]["name"].endswith(f".{using}"):
        raise UserError(
            f"the file {files[0]['name']} does not end in .{using}",
            f"{section}.location",
            f"name the file's extension in {section}.using, or use `using: custom`",
        )
    return files[0]["path"]


def _check_unique(names: list[str], section: str) -> None:
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise UserError(
            f"several locations have a file named {', '.join(repeated)}",
            f"{section}.location",
            "rename them: files of all locations are read from one directory",
        )


def _read_parquet(path: _DataPath, section: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:
        raise UserError(
            f"{os.path.basename(path)} cannot be read as Parquet: {error}", f"{section}.location"
        ) from error


def _read_delta(given: Mapping[str, Any], section: str) -> pd.DataFrame:
    """`files` holds one entry, whose path is the directory of the table."""
    if importlib.util.find_spec("deltalake") is None:
        raise UserError(
            "reading a Delta table needs the package `deltalake`",
            f"{section}.using",
            "add deltalake to the project's requirements.txt",
        )
    import pandas as pd
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    files = given.get("files") or []
    if len(files) != 1 or not os.path.isdir(files[0]["path"]):
        raise UserError("a Delta table is one directory", f"{section}.location")
    try:
        table = DeltaTable(files[0]["path"], version=given.get("version"))
        if given.get("timestamp") is not None:
            at = pd.Timestamp(given["timestamp"])
            table.load_as_version((at.tz_localize("UTC") if at.tz is None else at).to_pydatetime())
        return table.to_pandas()
    except (DeltaError, ValueError) as error:
        raise UserError(f"the Delta table cannot be read: {error}", f"{section}.location") from error


def _loader(step: StepInput, given: Mapping[str, Any], section: str) -> UserFunction:
    path = f"{section}.loader_method"
    method = given.get("loader_method")
    if not method:
        raise UserError(
            f"data in the format `{given['using']}` needs a function that loads it",
            path,
            "name a function of steps/ingest.py",
        )
    return user_function(step.project, "ingest", method, path)


def _load(loader: UserFunction, path: _DataPath, using: str) -> pd.DataFrame:
    """Calls the loader with path and format, or with the path alone when it takes no more."""
    import pandas as pd

    arguments = (path,) if loader.positional_arity() == 1 else (path, using)
    try:
        frame = loader(*arguments)
    except NotImplementedError as error:
        raise loader.error(
            f"does not support the format `{using}` of {os.path.basename(path)}",
            "make it load this format, or change `using`",
        ) from error
    if not isinstance(frame, pd.DataFrame):
        kind = "nothing" if frame is None else f"a {type(frame).__name__}"
        raise loader.error(f"returned {kind}, not a DataFrame", "return a pandas DataFrame")
    return frame
