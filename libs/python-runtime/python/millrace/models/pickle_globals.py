"""Which globals a pickle may name: what a loader imports and calls on its behalf."""

from __future__ import annotations

import re
import sys
from typing import FrozenSet, Mapping, Optional, Tuple

ALLOWED = "allowed"
CODE = "code"
UNKNOWN = "unknown"
DANGEROUS = "dangerous"

_HARMLESS: Mapping[str, FrozenSet[str]] = {
    "builtins": frozenset(
        "object list dict set frozenset tuple int float complex bool str bytes bytearray slice range type "
        "property staticmethod classmethod Ellipsis NotImplemented len min max sum abs round sorted zip map "
        "filter enumerate reversed any all repr hash Exception ValueError TypeError KeyError IndexError "
        "RuntimeError AttributeError NotImplementedError StopIteration ArithmeticError ZeroDivisionError".split()
    ),
    "_codecs": frozenset(["encode"]),
    "abc": frozenset(["ABC", "ABCMeta", "abstractmethod"]),
    "array": frozenset(["array", "_array_reconstructor"]),
    "collections": frozenset(["OrderedDict", "defaultdict", "deque", "Counter", "ChainMap"]),
    "copyreg": frozenset(["_reconstructor", "__newobj__", "__newobj_ex__"]),
    "datetime": frozenset(["date", "datetime", "time", "timedelta", "timezone", "tzinfo"]),
    "decimal": frozenset(["Decimal"]),
    "fractions": frozenset(["Fraction"]),
    "functools": frozenset(["partial"]),
    "io": frozenset(["BytesIO", "StringIO"]),
    "logging": frozenset(["getLogger"]),
    "operator": frozenset(["itemgetter"]),
    "pathlib": frozenset(["Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"]),
    "random": frozenset(["Random"]),
    "re": frozenset(["_compile"]),
    "types": frozenset(["SimpleNamespace"]),
    "uuid": frozenset(["UUID", "SafeUUID"]),
    "zoneinfo": frozenset(["ZoneInfo._unpickle"]),
    "joblib.numpy_pickle": frozenset(["NumpyArrayWrapper", "NDArrayWrapper"]),
    "mlflow.models.signature": frozenset(["_TypeHints", "ModelSignature"]),
    "mlflow.pyfunc.model": frozenset(["PythonModel", "PythonModelContext", "_FunctionPythonModel"]),
    "mlflow.types.schema": frozenset(["Schema", "ColSpec", "DataType", "TensorSpec"]),
    "torch.serialization": frozenset(["_get_layout"]),
    "torch.storage": frozenset(["TypedStorage", "UntypedStorage", "_load_from_bytes"]),
    "keras.src.saving.keras_saveable": frozenset(["KerasSaveable._unpickle_model"]),
}
_HARMLESS_MODULES = frozenset(["math", "cmath", "numbers", "typing", "string"])

# Code that is kept by value: nobody can say what it does, so it is marked, but to make it does not run it.
_CODE_MAKERS: Mapping[str, FrozenSet[str]] = {
    "cloudpickle.cloudpickle": frozenset(
        "_make_function _make_cell _make_empty_cell _make_skeleton_class _make_skeleton_enum _builtin_type "
        "_class_setstate _function_setstate _cell_set _fill_function _make_skel_func _empty_cell_value "
        "_make_dict_keys _make_dict_values _make_dict_items _make_typevar _gen_ellipsis _gen_not_implemented "
        "_get_cell_contents subimport dynamic_subimport".split()
    ),
    "types": frozenset(["CodeType", "FunctionType", "CellType", "ModuleType", "MethodType"]),
}

_KNOWN_PREFIXES: Tuple[str, ...] = (
    "sklearn.",
    "scipy.sparse.",
    "scipy.stats.",
    "scipy.interpolate.",
    "scipy.special.",
    "scipy.spatial.",
    "scipy.optimize.",
    "scipy.linalg.",
    "numpy.core.",
    "numpy._core.",
    "numpy.random.",
    "numpy.ma.",
    "numpy.dtypes.",
    "numpy.polynomial.",
    "numpy.matrixlib.",
    "pandas.core.",
    "pandas._libs.",
    "pandas.tseries.",
    "xgboost.core.",
    "xgboost.sklearn.",
    "xgboost.compat.",
    "xgboost.callback.",
    "xgboost.training.",
    "xgboost.data.",
    "xgboost._typing.",
    "lightgbm.basic.",
    "lightgbm.sklearn.",
    "lightgbm.engine.",
    "lightgbm.callback.",
    "lightgbm.compat.",
    "catboost.core.",
    "_catboost.",
    "torch._utils.",
    "torch.nn.",
    "torch.optim.",
    "torch._tensor.",
    "torch._C.",
    "category_encoders.",
    "imblearn.",
    "statsmodels.",
    "flaml.",
    "feature_engine.",
    "_loss.",
)
# Single names of a package itself: `numpy.dtype`, `pandas.DataFrame`, `torch.FloatStorage`.
_KNOWN_PACKAGES = frozenset(["numpy", "pandas", "torch", "xgboost", "lightgbm", "catboost", "scipy", "_loss"])

# Ways from a known package to a file, another pickle, a shell or an interpreter.
_GADGETS = re.compile(
    r"(^|\.)(load|loads|load_model|loadtxt|genfromtxt|fromfile|fromregex|memmap|DataSource|open|open_memmap|"
    r"save|savez|savez_compressed|savetxt|eval|exec|execute|compile|query|runstring|system|popen|run|call|"
    r"check_call|check_output|spawn|hub|read_[a-z_]+|to_pickle|to_csv|import_module|__import__|import_string|"
    r"load_library|load_parallel|set_printoptions|_import_dotted_name|f2py|distutils|cpp_extension|"
    r"_inductor|_dynamo|ctypeslib|LoadLibrary|CDLL|datasets|fetch_[a-z_]+|__globals__|__builtins__|"
    r"__subclasses__|__getattribute__|__reduce__|__reduce_ex__|__class__|__dict__|__init__)(\.|$)"
)
_GADGET_MODULES = ("numpy.testing", "sklearn.datasets", "sklearn.externals", "torch.utils.model_zoo")

_PYTHON2_NAMES = {"__builtin__": "builtins", "copy_reg": "copyreg", "UserDict": "collections"}
_PACKAGING = frozenset(["pip", "setuptools", "pkg_resources", "distutils", "_distutils_hack", "ensurepip", "wheel"])
_PLATFORM_MODULES = frozenset(["posix", "nt", "os", "_posixsubprocess", "_winapi", "pty", "commands"])
_NAME = re.compile(r"^[^\W\d]\w*(\.[^\W\d]\w*)*$")

_STDLIB_FALLBACK = frozenset(
    "os sys posix nt subprocess socket shutil builtins importlib pkgutil runpy code codeop ctypes pdb bdb timeit "
    "cProfile profile trace webbrowser pickle _pickle marshal shelve dbm tempfile glob fileinput asyncio threading "
    "multiprocessing signal pty platform http urllib ftplib smtplib telnetlib xmlrpc ssl imaplib poplib nntplib "
    "inspect types gc ast dis operator functools itertools atexit faulthandler resource mmap zipimport site "
    "sysconfig venv idlelib lib2to3 pydoc doctest unittest test tkinter turtle logging copy copyreg io pathlib "
    "getpass linecache _io _thread concurrent contextlib string re".split()
)
STDLIB = frozenset(getattr(sys, "stdlib_module_names", _STDLIB_FALLBACK)) | _STDLIB_FALLBACK | _PLATFORM_MODULES


def is_name(text: str) -> bool:
    """Whether the text can name a module or an attribute."""
    return _NAME.match(text) is not None


def judge(module: str, name: str, declared: FrozenSet[str], own: FrozenSet[str]) -> str:
    """What a global is to a loader: ``allowed``, ``code``, ``unknown`` or ``dangerous``.

    :param declared: top-level modules that the model's requirements name.
    :param own: top-level modules that lie in the package itself.
    """
    module = _PYTHON2_NAMES.get(module, module)
    if not is_name(module) or not is_name(name):
        return DANGEROUS
    if name in _HARMLESS.get(module, ()) or module in _HARMLESS_MODULES:
        return ALLOWED
    if name in _CODE_MAKERS.get(module, ()):
        return CODE
    top = module.split(".")[0]
    if top in own or top == "__main__":
        return CODE
    if top in STDLIB or top in _PACKAGING or _is_gadget(module, name):
        return DANGEROUS
    if _is_known(module, name):
        return ALLOWED
    return UNKNOWN if top.lower() in declared else DANGEROUS


def _is_gadget(module: str, name: str) -> bool:
    if any(module == gadget or module.startswith(gadget + ".") for gadget in _GADGET_MODULES):
        return True
    # An attribute of a module may be another module: `sklearn.utils.fixes`, `os.system`.
    steps = name.split(".")
    if any(step in STDLIB for step in steps) or (len(steps) > 1 and steps[0].lower() == steps[0]):
        return True
    return _GADGETS.search(module + "." + name) is not None


def _is_known(module: str, name: str) -> bool:
    if module in _KNOWN_PACKAGES:
        return True
    return (module + ".").startswith(_KNOWN_PREFIXES)


def why(module: str, name: str, verdict: str) -> Optional[str]:
    """A sentence on a global that is not allowed."""
    if verdict == CODE:
        return f"{module}.{name} is code of the model's own"
    if verdict == UNKNOWN:
        return f"{module}.{name} is not known to be harmless"
    if verdict == DANGEROUS:
        return f"{module}.{name} may run anything on this machine"
    return None
