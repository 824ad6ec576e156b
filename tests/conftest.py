"""What every test gets. Servers are in tests/rigs*.py; what one area needs is in its own conftest.py."""

import signal

# Under nohup, as in some CI, hang-ups are ignored, and so would be those that tests send to their children.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
