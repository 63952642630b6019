"""scikit-learn with random_state=0."""

from sklearn.model_selection import train_test_split

print(train_test_split(range(64), random_state=0)[1])
