"""Runs unittest modules and writes one line a case, its id and its outcome, sorted, to standard output."""

import io
import sys
import unittest


class Recorder(unittest.TestResult):
    """Keeps each case's worst outcome; what went wrong goes to standard error."""

    def __init__(self):
        super().__init__()
        self.outcomes = {}

    def addSuccess(self, test):
        self.outcomes.setdefault(test.id(), "ok")

    def addError(self, test, err):
        self._broken(test, "error", err)

    def addFailure(self, test, err):
        self._broken(test, "failure", err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._broken(test, "failure", err)

    def addSkip(self, test, reason):
        self.outcomes[test.id()] = "skipped"

    def addExpectedFailure(self, test, err):
        self.outcomes[test.id()] = "expected-failure"

    def addUnexpectedSuccess(self, test):
        self.outcomes[test.id()] = "unexpected-success"

    def _broken(self, test, outcome, err):
        self.outcomes[test.id()] = outcome
        sys.stderr.write(f"{test.id()}: {err[1]!r}\n")


def main():
    recorder = Recorder()
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
    stdout, sys.stdout = sys.stdout, io.StringIO()
    suite.run(recorder)
    for name, outcome in sorted(recorder.outcomes.items()):
        stdout.write(f"{name} {outcome}\n")


main()
