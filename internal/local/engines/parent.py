"""Ends this process when the one that started it is gone.

The parent holds the other end of standard input. The system closes that pipe
whichever way the parent ends, SIGKILL and Windows included, so no engine is
left behind. Import it before what prints.
"""
import os
import signal
import threading

# Standard output is for the parent alone: what libraries print goes to the log,
# and cannot come between.
to_parent = os.dup(1)
os.dup2(2, 1)


def end_with_parent(stop=None, grace=3.0):
    """Watches standard input. If the parent writes to it and then closes it, calls
    stop(), and ends the process at the latest `grace` seconds later; without stop
    it ends at once. If nothing was written, the parent was killed: nobody waits for
    the work under way, so the process and what it started end at once."""
    def watch():
        asked = False
        # os.read, not sys.stdin: a buffered reader held by a daemon thread
        # would make the interpreter abort at its own exit
        while os.read(0, 4096):
            asked = True
        if asked and stop is not None:
            stop()
            threading.Event().wait(grace)
        if not asked and hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def listening(port):
    """Tells the parent where this engine listens."""
    os.write(to_parent, f"listening http://127.0.0.1:{port}\n".encode())
