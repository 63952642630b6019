"""Has a deployed model left what its records let one expect? (docs/watch.md)"""
