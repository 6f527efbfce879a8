"""What a person is told when a command cannot do what they asked."""


class Trouble(Exception):  # noqa: N818 - it says what it is to the person, not to the program
    """A command cannot go on; the text is a clear sentence or two: what is wrong and what to do."""
