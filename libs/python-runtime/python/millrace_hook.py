"""Makes ``mlflow.recipes`` and ``mlflow.pipelines`` importable where the MLflow that is installed has none.

Run by ``millrace.pth`` whenever Python starts, so it does next to nothing: it imports only ``sys`` and adds two finders.
The rest is in ``millrace.mlflow_entry`` and is loaded when one of these modules, or MLflow itself, is imported.
"""

import sys

_FAMILIES = ("mlflow.recipes", "mlflow.pipelines")


class _MlflowWatcher:
    """Sees MLflow and its command line being imported, and adds to them what they lack. Asked first."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "mlflow" and name != "mlflow.cli":
            return None
        from millrace.mlflow_entry import extended_spec

        return extended_spec(name, path, target, _MlflowWatcher)


class _MissingModules:
    """Gives the modules that nobody else has. Asked last."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "mlflow" and not name.startswith(_FAMILIES):
            return None
        from millrace.mlflow_entry import missing_spec

        return missing_spec(name)


if _MlflowWatcher not in sys.meta_path:
    sys.meta_path.insert(0, _MlflowWatcher)
    sys.meta_path.append(_MissingModules)
