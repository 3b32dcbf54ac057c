"""Runs a command and ends it when the parent is gone: guard.py COMMAND ARG..."""
import os
import subprocess
import sys
import threading


def main():
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def watch():
        while os.read(0, 4096):
            pass
        child.kill()

    threading.Thread(target=watch, daemon=True).start()
    sys.exit(child.wait())


main()
