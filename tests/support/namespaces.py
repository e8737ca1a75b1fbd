"""A user and network namespace of a script's own, where every address of loopback and port 53 are free."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

import servers
from report import Report, Skipped

ENTERED = "STEWARD_IN_NAMESPACE"


def entered():
    return ENTERED in os.environ


def enter(*setup):
    """The script again in a namespace, with loopback up and the commands of `setup` run; it returns where there can be none, or it is
    in one already."""
    if entered() or not shutil.which("unshare") or not servers.find_program("ip"):
        return
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode != 0:
        return
    os.environ[ENTERED] = "1"
    prepare = " && ".join(["ip link set lo up", *setup, 'exec "$@"'])
    os.execvp("unshare", ["unshare", "-rn", "sh", "-c", prepare, "sh", sys.executable, *sys.argv])


def at_port_53(report, address, what, run):
    """Calls `run` where port 53 of the address is to be had, here or in a namespace; else `what` is a case that is skipped. The exit status."""
    if not servers.can_serve(address, 53):
        enter()
    if servers.can_serve(address, 53):
        run()
    else:
        with report.case(what):
            raise Skipped(f"port 53 of {address} is not to be had, nor a network namespace")
    return report.finish()


@contextlib.contextmanager
def started_in_folder(prefix):
    """A temporary folder and a list: what is in it is left as by `with`, the last first, and then the folder goes."""
    started = []
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        try:
            yield folder, started
        finally:
            for server in reversed(started):
                server.__exit__()


def report_at_port_53(name, address, prefix, what, run):
    """What a scenario's main() is: `run(report, folder, started)` as in at_port_53() and started_in_folder(). The exit status."""
    report = Report(name)

    def in_folder():
        with started_in_folder(prefix) as (folder, started):
            run(report, folder, started)

    return at_port_53(report, address, what, in_folder)
