"""Write the log of a model in use, a line per day; with a number, its data changes on that day.

python service.py > log.jsonl
python service.py 60 > log.jsonl
"""

import json
import sys

import numpy

DAYS, CASES = 120, 800


def main():
    generator = numpy.random.default_rng(2026)
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else DAYS + 1
    for day in range(1, DAYS + 1):
        chance = 0.897 if day < changes else 0.85
        right = generator.binomial(CASES, chance)
        accuracy = None if day == 17 else right / CASES
        print(json.dumps({"day": f"day {day}", "accuracy": accuracy, "cases": CASES}))


if __name__ == "__main__":
    main()
