# SPDX-License-Identifier: Apache-2.0
"""The runner as a harness drives it: with functions of its own, and children of a real snapshot."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

BIN = os.environ["MITOSIS_TEST_BIN"]
DEADLINE_S = 30
# Whether this user may serve a child's pages.
MAY_PAGE = os.geteuid() == 0

STEADY = """
    def setup(variant):
        return list(range(1000)) + [variant]

    def handler(state):
        return sum(state[:-1]), state[-1]
"""

# Its children write what they draw, one line each, to a file beside it.
# The result comes from another thread of the same process, which waits for work.
THREADS = """
    import queue, threading

    def serve(asked, answers):
        while True:
            answers.put(asked.get() * 2)

    def setup(variant):
        asked, answers = queue.Queue(), queue.Queue()
        threading.Thread(target=serve, args=(asked, answers), daemon=True).start()
        return asked, answers

    def handler(state):
        asked, answers = state
        asked.put(21)
        return answers.get(timeout=30)
"""

DRAWING = """
    import child, os, random, ssl, tempfile
    try:
        import numpy
    except ImportError:
        numpy = None
    FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drawn")
    PARENT = os.getpid()

    def setup(variant):
        return 0

    def handler(state):
        drawn = [os.getpid(), f"{child.machine_id}/{child.number}", random.random(), ssl.RAND_bytes(16).hex(), next(tempfile._get_candidate_names())]
        drawn.append(numpy.random.random() if numpy else random.random())
        if os.getpid() != PARENT:
            with open(FILE, "a") as file:
                print(*drawn, file=file)
        return 1
"""

# Its parent and children write which hooks are called to a file beside it; the hook "refuse" does so if there is a file of that name.
HOOKED = """
    import hooks, os
    FOLDER = os.path.dirname(os.path.abspath(__file__))

    def note(*words):
        with open(os.path.join(FOLDER, "called"), "a") as file:
            print(*words, file=file)

    def before(name):
        def hook(handler_id):
            note("before", name, handler_id)
            if os.path.exists(os.path.join(FOLDER, name)):
                raise KeyError(name)
        return hook

    def after(name):
        return lambda handler_id, failure: note("after", name, handler_id, type(failure).__name__)

    def once(handler_id):
        if not late:
            late.append(1)
            hooks.on_prepare(before("late"), after("late"))
            hooks.on_resume(lambda child: note("child late"))

    late = []

    def setup(variant):
        hooks.on_prepare(before("a"), after("a"))
        hooks.on_prepare(None, after("b"))
        hooks.on_prepare(before("refuse"), after("refuse"))
        hooks.on_prepare(before("d"), after("d"))
        hooks.on_prepare(once)
        for name in "xy":
            hooks.on_resume(lambda child, name=name: note(
                "child", name, child.handler_id, child.generation > 0, child.machine_id, child.number, child.seed.hex()))
        return 0

    def handler(state):
        return 1
"""


class RunnerTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mit-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        shutil.copytree(os.path.dirname(os.path.abspath(__file__)), self.folder / "shared")
        (self.folder / "run").mkdir(mode=0o700)
        self.environment = dict(
            os.environ,
            MITOSIS_RUNTIME_DIR=str(self.folder / "run"),
            MITOSIS_DAEMON=BIN + "/mitosisd",
            MITOSIS_IDLE_MS="100",
        )
        self.processes = []
        self.addCleanup(self.end)

    def end(self):
        for process in self.processes:
            process.stdin.close()
            self.assertIsNotNone(process.wait(DEADLINE_S))
            process.stdout.close()
            process.stderr.close()
        deadline = time.monotonic() + DEADLINE_S
        while (self.folder / "run" / "mitosisd.sock").exists():
            self.assertLess(time.monotonic(), deadline, "the daemon has not ended")
            time.sleep(0.01)

    def write(self, name, code):
        (self.folder / name).mkdir()
        (self.folder / name / "function.py").write_text(textwrap.dedent(code))

    def start(self, *command):
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment,
        )
        self.processes.append(process)
        return process

    def parent(self, name, *options):
        return self.start(
            sys.executable, str(self.folder / "shared" / "runner.py"), "--function", name,
            "--library", BIN + "/libmitosis.so", "--backend", "user", *options,
        )

    def driven(self, name, child="work"):
        process = self.parent(name, "--driven", "--child", child)
        ready = process.stdout.readline()
        self.assertTrue(ready.startswith("ok ready=1 "), ready or process.stderr.read())
        return process

    def launcher(self, mode="lazy" if MAY_PAGE else "clone"):
        process = self.start(
            BIN + "/mitosis-launcher", "--driven", "--container", "none", "--handler-id", "73",
            "--backend", "user", "--mode", mode,
        )
        self.assertTrue(process.stdout.readline().startswith("ok ready=1 "))
        return process

    def ask(self, process, command):
        process.stdin.write(command + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def refused(self, name):
        process = self.parent(name, "--driven")
        self.assertEqual("", process.stdout.readline())
        return process.wait(DEADLINE_S), process.stderr.read()

    def assert_ns(self, answer, *keys):
        self.assertTrue(answer.startswith("ok "), answer)
        found = dict(field.split("=") for field in answer.split()[1:])
        for key in keys:
            self.assertGreater(int(found[key]), 0, answer)

    def assert_right_result(self, mode):
        answer = self.ask(self.launcher(mode), "launch")
        self.assert_ns(answer, "resume_ns", "execution_ns", "first_result_ns")
        self.assertIn(" wrong=0", answer)

    def test_children_have_the_parents_result(self):
        self.write("steady", STEADY)
        parent = self.driven("steady:v")
        self.assert_ns(self.ask(parent, "touch"), "ns")
        self.assert_ns(self.ask(parent, "prepare"), "ns")
        self.assert_right_result("clone")
        self.assert_ns(self.ask(parent, "fork"), "ns", "resume_ns", "execution_ns", "startup_ns")
        self.assert_ns(self.ask(parent, "unprepare"), "ns")
        self.assert_ns(self.ask(parent, "nil 10"), "ns")
        self.assertEqual("ok", self.ask(parent, "quit"))

    @unittest.skipUnless(MAY_PAGE, "needs root, for userfaultfd")
    def test_children_whose_pages_are_served_have_it_too(self):
        self.write("steady", STEADY)
        parent = self.driven("steady:v")
        self.ask(parent, "prepare")
        for mode in ("lazy", "eager", "cached"):
            self.assert_right_result(mode)

    @unittest.skipUnless(MAY_PAGE, "needs root, for userfaultfd and PID namespaces")
    def test_children_draw_random_numbers_of_their_own(self):
        self.write("drawing", DRAWING)
        parent = self.driven("drawing")
        self.assert_ns(self.ask(parent, "prepare"), "ns")
        for _ in range(3):
            subprocess.run(
                ["unshare", "--pid", "--fork", BIN + "/mitosis-child", "--backend", "user", "--handler-id", "73"],
                check=True, env=self.environment, timeout=DEADLINE_S,
            )
        lines = (self.folder / "drawing" / "drawn").read_text().splitlines()
        pids, *drawn = zip(*(line.split() for line in lines))
        self.assertEqual(("1", "1", "1"), pids)
        for values in drawn:
            self.assertEqual(3, len(set(values)), lines)

    def called(self):
        file = self.folder / "hooked" / "called"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def test_hooks_are_called_around_prepare(self):
        self.write("hooked", HOOKED)
        parent = self.driven("hooked")
        self.assert_ns(self.ask(parent, "prepare"), "ns")
        names = ["a", "b", "refuse", "d"]
        around = ["before d 73", "before refuse 73", "before a 73"]
        # What was registered meanwhile had no part in this prepare.
        self.assertEqual(around + [f"after {name} 73 NoneType" for name in names], self.called())
        self.assertIn("error errno=16 ", self.ask(parent, "prepare"))
        self.assertEqual(
            ["before late 73"] + around + [f"after {name} 73 Refused" for name in names + ["late"]], self.called()
        )

    def test_a_hook_can_refuse(self):
        self.write("hooked", HOOKED)
        parent = self.driven("hooked")
        refuse = self.folder / "hooked" / "refuse"
        refuse.touch()
        self.assertRegex(self.ask(parent, "prepare"), r"error errno=125 .*a hook refused .*id 73: KeyError\('refuse'\)")
        self.assertEqual(["before d 73", "before refuse 73", "after d 73 KeyError"], self.called())
        self.assertIn("error errno=2 ", self.ask(self.launcher("clone"), "launch"))
        refuse.unlink()
        self.assert_ns(self.ask(parent, "prepare"), "ns")

    def test_hooks_of_a_child_are_told_which_it_is(self):
        self.write("hooked", HOOKED)
        parent = self.driven("hooked")
        self.ask(parent, "prepare")
        self.called()
        for _ in range(2):
            self.assert_right_result("lazy" if MAY_PAGE else "clone")
        self.assert_ns(self.ask(parent, "fork"), "ns")  # which calls none
        words = [line.split() for line in self.called()]
        self.assertEqual(["x", "y"] * 2, [word[1] for word in words])
        for word in words:
            self.assertEqual(["child", "73", "True", "0"], [word[0], *word[2:5]])
        numbers = [int(word[5]) for word in words]
        self.assertEqual(numbers[0], numbers[1])
        self.assertLess(numbers[1], numbers[2])
        self.assertEqual({64}, {len(word[6]) for word in words})
        self.assertEqual(4, len({word[6] for word in words}))

    def test_a_failure_of_a_hook_is_that_of_the_child(self):
        self.write("fails", "import hooks\ndef fail(child): raise KeyError('hook')\n"
                   "def setup(v): hooks.on_resume(fail)\ndef handler(s): return 0\n")
        parent = self.driven("fails")
        self.ask(parent, "prepare")
        self.assertRegex(self.ask(self.launcher(), "launch"), r"error errno=5 .*Traceback.*KeyError: 'hook'")

    def test_a_failure_of_new_random_numbers_ends_the_child(self):
        self.write("fails", "import random\ndef refuse(number): raise KeyError('seed')\n"
                   "def setup(v): random.seed = refuse\ndef handler(s): return 0\n")
        parent = self.driven("fails")
        self.assert_ns(self.ask(parent, "prepare"), "ns")
        self.assertIn("handler id 73 of this machine exited with 125", self.ask(self.launcher(), "launch"))
        self.assert_ns(self.ask(parent, "touch"), "ns")

    def test_a_child_that_only_starts(self):
        self.write("steady", STEADY)
        parent = self.driven("steady", child="exit")
        self.ask(parent, "prepare")
        self.assertIn(" execution_ns=0 ", self.ask(self.launcher(), "launch"))

    def test_a_wrong_result_in_the_child_is_told(self):
        self.write("wrong", "import os\nME = os.getpid()\ndef setup(v): return 0\n"
                   "def handler(s): return os.getpid() == ME\n")
        parent = self.driven("wrong")
        self.ask(parent, "prepare")
        self.assertIn("results of the child of handler id 73 were not", self.ask(self.launcher(), "launch"))

    def test_a_failure_in_the_child_is_told_with_its_traceback(self):
        self.write("fails", "import os\nME = os.getpid()\ndef setup(v): return 0\n"
                   "def handler(s):\n    if os.getpid() != ME: raise KeyError('lost')\n")
        parent = self.driven("fails")
        self.ask(parent, "prepare")
        answer = self.ask(self.launcher(), "launch")
        self.assertRegex(answer, r"error errno=5 .*Traceback.*KeyError: 'lost'")
        self.assertRegex(self.ask(parent, "fork"), r"error errno=5 .*KeyError: 'lost'")
        self.assert_ns(self.ask(parent, "touch"), "ns")

    def test_a_failure_before_prepare_ends_the_parent_with_its_traceback(self):
        self.write("broken", "def setup(v): return {}\ndef handler(s): return s['nothing']\n")
        status, message = self.refused("broken")
        self.assertEqual(1, status)
        self.assertRegex(message, re.compile(r"Traceback.*KeyError: 'nothing'", re.S))

    def test_a_failure_in_a_later_call_is_told_and_the_parent_goes_on(self):
        self.write("later", "def setup(v): return []\ndef handler(s):\n"
                   "    s.append(1)\n    if len(s) == 3: raise KeyError('third')\n")
        parent = self.driven("later")
        self.assertRegex(self.ask(parent, "touch"), r"error errno=5 .*KeyError: 'third'")
        self.assert_ns(self.ask(parent, "touch"), "ns")

    @unittest.skipUnless(MAY_PAGE, "needs root, for userfaultfd and PID namespaces")
    def test_threads_are_in_a_child_too(self):
        self.write("threads", THREADS)
        parent = self.driven("threads")
        self.assert_ns(self.ask(parent, "prepare"), "ns")
        self.assert_right_result("lazy")
        self.assertIn("threads", self.ask(self.launcher("clone"), "launch"))

    def test_another_result_each_time_is_refused(self):
        self.write("unsteady", "import itertools\nSTEPS = itertools.count()\ndef setup(v): return 0\n"
                   "def handler(s): return next(STEPS)\n")
        status, message = self.refused("unsteady")
        self.assertEqual(1, status)
        self.assertIn("another result each time", message)

    def test_an_unknown_function_and_command(self):
        self.write("steady", STEADY)
        status, message = self.refused("stedy")
        self.assertEqual(2, status)
        self.assertIn("'stedy' is not one of steady", message)
        self.assertRegex(self.ask(self.driven("steady"), "dance"), "error errno=22 .*unknown command 'dance'")

    def test_a_start_without_a_fork_reports_its_end(self):
        self.write("steady", STEADY)
        read, write = os.pipe()
        with os.fdopen(read, "rb") as report:
            before = time.monotonic_ns()
            subprocess.run(
                [sys.executable, str(self.folder / "shared" / "runner.py"), "--function", "steady", "--once",
                 "--report-fd", str(write)],
                check=True, pass_fds=[write], env=self.environment, timeout=DEADLINE_S,
            )
            os.close(write)
            end = int.from_bytes(report.read()[:8], "little")
        self.assertTrue(before < end < time.monotonic_ns())

    def test_criu_target(self):
        self.write("steady", STEADY)
        before = time.time_ns()
        process = self.start(
            sys.executable, str(self.folder / "shared" / "runner.py"), "--function", "steady",
            "--criu-target", str(self.folder),
        )
        deadline = time.monotonic() + DEADLINE_S
        while not (self.folder / "ready").exists():
            self.assertLess(time.monotonic(), deadline, "it has not got warm")
            time.sleep(0.01)
        self.assertFalse((self.folder / "result").exists())
        (self.folder / "go").touch()
        self.assertEqual(0, process.wait(DEADLINE_S))
        first, last = map(int, (self.folder / "result").read_text().split())
        self.assertTrue(before < first < last < time.time_ns())

    def test_repeat(self):
        self.write("steady", STEADY)
        process = self.parent("steady", "--repeat", "2")
        lines = process.stdout.read().splitlines()
        self.assertEqual(4, len(lines), lines)
        self.assertTrue(lines[3].startswith("Prepare time = "), lines)


if __name__ == "__main__":
    unittest.main()
