"""`python -m sms_simulator [--ephemeral]` serves the simulator until it is told to stop."""

from sms_simulator.server import main

if __name__ == "__main__":
    main()
