"""Runs a command and ends it when the parent is gone: guard.py COMMAND ARG..."""
import os
import signal
import subprocess
import sys
import threading


def main():
    # The command has a process group of its own, so that what it starts ends with it:
    # an ensurepip or a uv that went on alone would write into the folder that the next
    # run works on.
    windows = os.name == "nt"
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL,
                             **({} if windows else {"process_group": 0}))

    def watch():
        while os.read(0, 4096):
            pass
        if windows:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)],
                           stdin=subprocess.DEVNULL, capture_output=True)
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    sys.exit(child.wait())


main()
