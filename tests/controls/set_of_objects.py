"""The order of a set of objects without a hash of their own: their addresses."""


class Example:
    def __init__(self, number):
        self.number = number


examples = {Example(number) for number in range(5000)}
print([example.number for example in examples][::500])
