"""What hinders the machine."""


class MachineError(Exception):
    """A server or folder cannot be used; the text tells a person what is wrong and what to do."""
