"""Text divided among buckets by hash()."""

names = ["cat", "dog", "bird", "fish", "horse", "mouse", "snake", "whale"]
print(*[hash(name) % 1000 for name in names])
