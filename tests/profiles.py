"""How Hypothesis draws: the same examples each time, unless other ones are asked for.

In the gate a test that fails by an example of the moment would say nothing of the change that it
runs for, and no later run could repeat it. To look for faults with other examples, and with many:

    python -m pytest --hypothesis-profile=random tests/test_derivation.py
    python -m pytest --hypothesis-profile=long tests/test_derivation.py

A test that wants more or fewer examples than others says so as a multiple of
`settings().max_examples`.
"""

from hypothesis import HealthCheck, settings

# A loaded machine is slow, which is no fault. A fixture of a function serves all its examples.
settings.register_profile(
    "gate",
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("random", settings.get_profile("gate"), derandomize=False)
settings.register_profile("long", settings.get_profile("random"), max_examples=2000)
settings.load_profile("gate")
