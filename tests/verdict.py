"""How every test file in Python ends: a skipped test is a failed one, and so is a file without tests."""

import sys
import unittest


def main(argv=None, stream=None):
    """unittest.main, with that verdict as the exit code."""
    runner = unittest.TextTestRunner(verbosity=2, stream=stream or sys.stdout)
    result = unittest.main(argv=argv, exit=False, testRunner=runner).result
    for test, reason in result.skipped:
        print(f"FAILED, since it was skipped: {test}: {reason}")
    failed = len(result.failures) + len(result.errors) + len(result.skipped) + len(result.unexpectedSuccesses)
    print(f"{result.testsRun} run, {failed} failed")
    sys.exit(1 if failed or not result.testsRun else 0)
