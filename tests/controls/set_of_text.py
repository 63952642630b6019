"""The order of a set of text."""

print(list({"cat", "dog", "bird", "fish", "horse", "mouse", "snake", "whale"}))
