"""What every test gets. Servers are in tests/rigs*.py; what one area needs is in its own conftest.py."""
