"""A SciPy distribution with random_state=0."""

from scipy import stats

print(stats.norm.rvs(size=3, random_state=0).tolist())
