# SPDX-License-Identifier: Apache-2.0
"""A parent process that is a function: warms it, prepares on command, and times itself.

It speaks as mitosis-parent does, so that a harness can drive either. Times are CLOCK_MONOTONIC
in ns. A child runs the function, or not, reports to its launcher (as
native-module/helpers/report.h says) and ends.
"""

import sys

if sys.version_info < (3, 9):
    sys.exit("runner.py: this is Python %d.%d: name 3.9 or newer" % sys.version_info[:2])

import argparse
import errno
import os
import struct
import time
import traceback

import child
import hooks
import libmitosis
import workload

REPORT_FD = 100
REPORT = struct.Struct("<4Q")  # resumed, execution, first result, wrong
MESSAGE_BYTES = 1500  # of a report, beside its numbers: with them less than a pipe takes at once
HANDLER_ID = 73  # as the original's scripts have it

clock = time.monotonic_ns


def one_line(failure):
    """A traceback as one line, the end of it if it is long."""
    lines = [line.strip() for line in traceback.format_exception(type(failure), failure, failure.__traceback__)]
    return " | ".join("\n".join(lines).splitlines())[-MESSAGE_BYTES:]


def send_report(fd, numbers, message=""):
    """Sends it to the launcher, and returns whether there is one."""
    try:
        os.write(fd, REPORT.pack(*numbers) + message.encode(errors="replace")[-MESSAGE_BYTES:])
    except OSError as failure:
        # If the reader has ended, the exit status tells as well.
        return failure.errno != errno.EBADF
    return True


def stay(right):
    """A child of no launcher says what it would have reported, and stays until its input ends."""
    os.write(1, b"held right\n" if right else b"held wrong\n")
    while os.read(0, 64):
        pass


class Parent:
    """The function, and the device that it is prepared with."""

    def __init__(self, options):
        self.options = options
        self.device = libmitosis.Device(options.library, options.backend)
        self.function = workload.Workload(options.function, clock)
        self.warm_ns = self.function.warm()

    def prepare(self, pinned):
        prepare = hooks.Prepare(self.options.handler_id)
        try:
            self.function.settle()
            before, after = self.device.prepare(self.options.handler_id, pinned, clock)
        except Exception as failure:
            prepare.end(failure)
            raise
        if self.device.is_of_parent():
            self.be_child(after, prepare)
        prepare.end()
        return after - before

    def be_child(self, resumed, prepare=None):
        """Without a prepare it is fork's, which calls no hooks."""
        status = 1
        try:
            told = self.device.told()
            child.number, child.machine_id = told.number, told.machine_id
            if prepare:
                prepare.be_child(told)
            if self.options.child == "exit":
                send_report(self.options.report_fd, (resumed, 0, resumed, 0))
                status = 0
            else:
                before, after, right = self.function.call()
                if not send_report(self.options.report_fd, (resumed, after - before, after, 0 if right else 1)):
                    stay(right)
                status = 0 if right else 1
        except BaseException as failure:  # whatever it is: a child must not become a second parent
            send_report(self.options.report_fd, (resumed, 0, resumed, 0), one_line(failure))
            traceback.print_exc()
        finally:
            os._exit(status)

    def fork(self):
        """fork(2), whose child does what a resumed one does: until it returns, the result, the end."""
        read, write = os.pipe()
        before = clock()
        pid = os.fork()
        if pid == 0:
            resumed = clock()
            libmitosis.reseed_or_end()
            self.options.report_fd = write
            self.be_child(resumed)
        returned = clock()
        os.close(write)
        _, status = os.waitpid(pid, 0)
        end = clock()
        report = os.read(read, REPORT.size + MESSAGE_BYTES)
        os.close(read)
        if status or len(report) < REPORT.size:
            message = report[REPORT.size :].decode(errors="replace")
            raise RuntimeError(f"a forked child ended with {os.waitstatus_to_exitcode(status)}: {message}")
        resumed, execution, first_result, _ = REPORT.unpack(report[: REPORT.size])
        return {
            "ns": returned - before,
            "resume_ns": resumed - before,
            "execution_ns": execution,
            "first_result_ns": first_result - before,
            "startup_ns": end - before,
        }

    def command(self, arguments):
        """Carries out a command; the fields of its answer."""
        verb, argument = arguments[0], arguments[1:]
        if verb in ("touch", "cow"):
            return {"ns": self.function.warm()}
        if verb in ("prepare", "prepare-pinned"):
            return {"ns": self.prepare(verb == "prepare-pinned")}
        if verb == "unprepare":
            before = clock()
            self.device.unprepare(self.options.handler_id)
            return {"ns": clock() - before}
        if verb == "fork":
            return self.fork()
        if verb == "nil" and argument:
            before = clock()
            for _ in range(int(argument[0])):
                self.device.nil()
            return {"ns": clock() - before, "calls": argument[0]}
        if verb == "quit":
            return {}
        raise ValueError(f"unknown command '{' '.join(arguments)}', or its argument is missing")


def answer(line):
    print(line, flush=True)


def fields(values):
    return " ".join(["ok"] + [f"{key}={value}" for key, value in values.items()])


def drive(parent):
    """Carries out commands from standard input, one a line, until it ends."""
    answer(
        fields(
            {
                "ready": 1,
                "pid": os.getpid(),
                "function": parent.function.name,
                "backend": parent.device.backend(),
                "cold_ns": parent.function.cold_ns,
                "warm_ns": parent.warm_ns,
            }
        )
    )
    for line in sys.stdin:
        arguments = line.split() or [""]
        try:
            answer(fields(parent.command(arguments)))
        except libmitosis.Refused as e:
            answer(f"error errno={e.errno} message={e.strerror}")
        except hooks.Refusal as e:
            answer(f"error errno={errno.ECANCELED} message={one_line(e)}")
        except (ValueError, workload.Unsteady) as e:
            answer(f"error errno={errno.EINVAL} message={e}")
        except Exception as e:
            traceback.print_exc()
            answer(f"error errno={errno.EIO} message={one_line(e)}")
        if arguments[0] == "quit":
            return


def repeat(parent, times):
    """Calls and prepares so many times, with the original's output."""
    print(f"[cold start] Run time = {parent.function.cold_ns / 1e6:g} ms")
    print(f"[warm start] Run time = {parent.warm_ns / 1e6:g} ms")
    for _ in range(times):
        parent.function.warm()
        print(f"Prepare time = {parent.prepare(False) / 1e6:g} ms", flush=True)
        parent.device.unprepare(parent.options.handler_id)


def once(options):
    """A start without any fork: the first call, whose end is reported, and no second one."""
    function = workload.Workload(options.function, clock)
    end = clock()
    send_report(options.report_fd, (end, function.cold_ns, end, 0))


def criu_target(options):
    """What CRIU dumps: warm, it waits as mitosis-criu-target does; its copy says when it began and had its result.

    Their clock is CLOCK_REALTIME: the monotonic one of a restored process has an offset of its own.
    """
    starter = os.getppid()
    function = workload.Workload(options.function, time.time_ns)
    function.warm()
    function.settle()
    try:
        os.setsid()  # CRIU dumps whole sessions without further options
    except PermissionError:
        pass  # it leads a process group, which then is a session's, too
    os.chdir(options.criu_target)
    os.close(os.open("ready", os.O_CREAT | os.O_WRONLY, 0o600))
    while not os.access("go", os.F_OK):
        if os.getppid() != starter:
            return 0  # its starter has ended: no process can dump or end it
        time.sleep(50e-6)
    first = time.time_ns()
    _, after, right = function.call()
    if not right:
        return 3
    with open("result.new", "w", encoding="ascii") as file:
        file.write(f"{first} {after}\n")
    os.rename("result.new", "result")
    return 0


def formatter(prog):
    """With a width of its own: to ask the terminal, argparse loads shutil, and that libbz2 and liblzma, for every child."""
    return argparse.HelpFormatter(prog, width=100)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="runner.py", description=__doc__.splitlines()[0], formatter_class=formatter)
    parser.add_argument("--function", metavar="NAME", required=True, help="which, or NAME:VARIANT")
    parser.add_argument("--backend", choices=libmitosis.BACKENDS, default="auto", help="(auto)")
    parser.add_argument("--library", metavar="PATH", default="libmitosis.so", help="libmitosis (as the loader finds it)")
    parser.add_argument("--handler-id", type=int, default=HANDLER_ID, help=f"key of the snapshot ({HANDLER_ID})")
    parser.add_argument("--child", choices=("exit", "work"), default="exit", help="what a child does (exit)")
    parser.add_argument("--cache", metavar="DIR", help="where functions keep what they make once")
    parser.add_argument("--report-fd", type=int, default=REPORT_FD, help=f"where it reports ({REPORT_FD})")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--driven", action="store_true", help="take commands from standard input, one a line: touch, "
                      "prepare, prepare-pinned, unprepare, cow, fork, nil N, quit; each is answered by a line")
    mode.add_argument("--repeat", type=int, metavar="N", help="call and prepare N times")
    mode.add_argument("--once", action="store_true", help="call it once and end")
    mode.add_argument("--criu-target", metavar="FOLDER", help="wait for FOLDER/go to be dumped by CRIU, then call it and end")
    return parser.parse_args(arguments)


def main(arguments):
    options = parse(arguments)
    if options.cache:
        os.environ["MITOSIS_FUNCTION_CACHE"] = options.cache
    try:
        if options.once:
            once(options)
            sys.stdout.flush()
            os._exit(0)  # what an interpreter does at its end is no part of a start
        if options.criu_target:
            return criu_target(options)
        parent = Parent(options)
    except (workload.Unknown, workload.Unsteady, libmitosis.Refused) as e:
        print(f"runner.py: {e.strerror if isinstance(e, OSError) else e}", file=sys.stderr)
        return 2 if isinstance(e, workload.Unknown) else 1
    if options.driven:
        drive(parent)
    else:
        repeat(parent, options.repeat)
    parent.device.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
