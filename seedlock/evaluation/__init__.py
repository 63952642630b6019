"""The organiser's half: runs submissions and compares what they did.

May use packages beyond the standard library (the extra `evaluation`), imports the half that runs
inside a submission, and is never imported by it.
"""
