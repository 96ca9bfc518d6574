"""What the pickle scan says of harmless and of hostile files. Needs nothing but the standard library."""

import bz2
import datetime
import gzip
import io
import lzma
import os
import pickle
import pkgutil
import struct
import subprocess
import unittest
import zipfile
import zlib
from collections import OrderedDict
from decimal import Decimal

from millrace.models import pickle_scan
from millrace.models.pickle_scan import Scanner


class Reduces:
    """Is pickled as a call."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def scan(content, name="model.pkl", **more):
    scanner = Scanner(**more)
    scanner.scan(name, io.BytesIO(content))
    return scanner.report()


def zipped(**entries):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return packed.getvalue()


EVIL = pickle.dumps(Reduces(os.system, "true"))


class HarmlessFiles(unittest.TestCase):
    def test_plain_data_is_clean_in_every_protocol(self):
        data = OrderedDict(a=[1, 2.5, "x", None, {3}], b=datetime.datetime(2026, 1, 1), c=Decimal("1.5"))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with self.subTest(protocol=protocol):
                self.assertEqual(scan(pickle.dumps(data, protocol))["verdict"], "clean")

    def test_text_and_numbers_are_no_pickles(self):
        texts = [b"", b"channels:\n- conda-forge\n", b"class A:\n  pass\n", b"cos\nsin\n.", b'{"a": 1}', b"(S'a'\n."]
        for text in texts + [struct.pack("<8d", *range(8)), bytes(range(256))]:
            with self.subTest(text=text[:20]):
                self.assertEqual(scan(text, "some.txt")["verdict"], "none")

    def test_globals_of_known_packages_are_named_in_the_report(self):
        content = b"csklearn.linear_model._ridge\nRidge\n)\x81}b."
        report = scan(content)
        self.assertEqual((report["verdict"], report["globals"]), ("clean", ["sklearn.linear_model._ridge.Ridge"]))


class OwnAndUnknownCode(unittest.TestCase):
    content = b"cchurn.models\nScorer\n)\x81."

    def test_modules_of_the_package_are_marked(self):
        self.assertEqual(scan(self.content, own=["churn"])["verdict"], "unknown")

    def test_modules_of_declared_requirements_are_marked(self):
        self.assertEqual(scan(self.content, requirements=["churn[x]==1.0"])["verdict"], "unknown")

    def test_modules_from_nowhere_are_dangerous(self):
        self.assertEqual(scan(self.content)["verdict"], "dangerous")

    def test_code_by_value_is_marked_and_dangerous_once_it_is_called(self):
        make = b"ccloudpickle.cloudpickle\n_make_function\n(tR"
        self.assertEqual(scan(make + b".")["verdict"], "unknown")
        self.assertEqual(scan(make + b"(tR.")["verdict"], "dangerous")


class HostileFiles(unittest.TestCase):
    def assertDangerous(self, content, name="model.pkl", **more):
        report = scan(content, name, **more)
        self.assertEqual(report["verdict"], "dangerous", report)
        return report

    def test_calls_of_the_system(self):
        for function in (os.system, subprocess.Popen, eval, exec, pkgutil.resolve_name, open, getattr, __import__):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                with self.subTest(function=function, protocol=protocol):
                    content = pickle.dumps(Reduces(function, "x"), protocol)
                    self.assertDangerous(content, "weights.bin")

    def test_pip_and_gadgets_of_known_packages(self):
        for name in (
            b"pip\nmain",
            b"pip._internal\nmain",
            b"numpy\nload",
            b"numpy.testing._private.utils\nrunstring",
            b"numpy.f2py.crackfortran\nparam_eval",
            b"pandas\nread_pickle",
            b"pandas\neval",
            b"joblib\nload",
            b"torch.hub\nload",
            b"torch\nload",
            b"sklearn.utils.fixes\nos",
            b"sklearn.datasets\nfetch_openml",
            b"__builtin__\neval",
            b"operator\nattrgetter",
            b"operator\nmethodcaller",
        ):
            with self.subTest(name=name):
                self.assertDangerous(b"c" + name + b"\n(S'x'\ntR.", requirements=["numpy", "pip", "pandas"])

    def test_a_declared_package_of_the_standard_librarys_name_stays_dangerous(self):
        self.assertDangerous(b"cos\nsystem\n(S'x'\ntR.", requirements=["os"], own=[])

    def test_attributes_that_are_modules(self):
        name = b"sklearn.utils.fixes"
        stack_global = b"\x80\x04\x8c" + bytes([len(name)]) + name + b"\x8c\x09os.system\x93\x8c\x01x\x85R."
        self.assertDangerous(stack_global)

    def test_names_from_the_memo(self):
        content = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94000h\x00h\x01\x93\x8c\x01x\x85R."
        self.assertDangerous(content.replace(b"000", b"00"))

    def test_names_that_are_computed(self):
        # The name is what a call gives back.
        report = self.assertDangerous(b"\x80\x04\x8c\x02os)\x93.")
        self.assertIn("computes the name", report["findings"][0]["message"])

    def test_instances_objects_and_the_extension_registry(self):
        self.assertDangerous(b"(S'x'\nios\nsystem\n.")
        self.assertDangerous(b"(cos\nsystem\nS'x'\no.")
        self.assertDangerous(b"\x80\x02\x82\x01.")

    def test_broken_streams(self):
        for protocol in (0, 2, 4):
            whole = pickle.dumps(Reduces(os.system, "true"), protocol)
            with self.subTest(protocol=protocol):
                self.assertDangerous(whole[:-1], "weights.bin")
        for broken in (b"\x80\x04\x93.", b"\x80\x04]\x94h\x07.", b"\x80\x04\xff", b"\x80\x04}(\x8c\x01a", b"\x80\x02t."):
            with self.subTest(broken=broken):
                report = self.assertDangerous(broken)
                self.assertIn("is broken", report["findings"][0]["message"])

    def test_a_second_pickle_behind_the_first(self):
        self.assertDangerous(pickle.dumps([1]) + EVIL)

    def test_compressed_and_nested_files(self):
        inner = zipped(**{"archive/data.pkl": EVIL})
        self.assertDangerous(inner, "model.pt")
        self.assertDangerous(zipped(**{"weights.npz": inner}), "weights.bin")
        self.assertDangerous(b"#!/bin/sh\n" + inner, "model.bin")
        for pack in (gzip.compress, bz2.compress, lzma.compress, zlib.compress):
            with self.subTest(pack=pack.__name__):
                self.assertDangerous(pack(EVIL), "model.bin")

    def test_arrays_of_objects(self):
        header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
        start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
        self.assertDangerous(zipped(**{"a.npy": start + EVIL}), "arrays.npz")
        numbers = start.replace(b"'|O'", b"'<i'")
        self.assertEqual(scan(numbers + EVIL, "a.npy")["verdict"], "none")

    def test_archives_that_are_too_deep_too_big_or_damaged(self):
        deep = EVIL
        for _ in range(8):
            deep = zipped(a=deep)
        self.assertDangerous(deep)
        most, pickle_scan.MAX_UNPACKED_BYTES = pickle_scan.MAX_UNPACKED_BYTES, 1000
        try:
            self.assertDangerous(zipped(a=b"0" * 10_000))
            self.assertDangerous(gzip.compress(b"0" * 10_000))
        finally:
            pickle_scan.MAX_UNPACKED_BYTES = most
        damaged = bytearray(zipped(a=b"x" * 1000))
        damaged[40:44] = b"\xff\xff\xff\xff"
        self.assertDangerous(bytes(damaged))


if __name__ == "__main__":
    unittest.main()
