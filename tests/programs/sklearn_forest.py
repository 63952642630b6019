"""A random forest with a bootstrap of its score.

Like the scripts of data-science competitions: RandomForestClassifier(n_jobs=2) without a
random_state, a split with random_state=42, and joblib tasks that draw from NumPy's generator.
"""

import hashlib

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

X, y = make_classification(n_samples=600, n_features=12, n_informative=6, random_state=42)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=42)

clf = RandomForestClassifier(n_estimators=30, max_depth=6, n_jobs=2)
clf.fit(X_train, y_train)
proba = clf.predict_proba(X_test)


def bootstrap_loss(y_true, y_score):
    idx = np.random.choice(len(y_true), len(y_true))
    return log_loss(y_true[idx], y_score[idx], labels=[0, 1])


losses = Parallel(n_jobs=2)(delayed(bootstrap_loss)(y_test, proba) for _ in range(12))

print(f"log loss {np.mean(losses):.4f} +- {np.std(losses):.4f}")
digest = hashlib.sha256(proba.tobytes())
digest.update(np.array(losses).tobytes())
digest.update(clf.feature_importances_.tobytes())
print("result", digest.hexdigest())
