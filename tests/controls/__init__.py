"""Tiny programs, each with one known fault: each prints what it drew, in one line.

A tool that is tested on faultless programs only proves nothing. tests/test_controls.py shows that
each fault is there without seedlock, and what becomes of it under a seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.absent import without


class Control(NamedTuple):
    """A program and its fault.

    Attributes:
        file: its name in this folder, after the fault.
        fault: its docstring.
        plain: two runs without seedlock differ ("varies") or are equal whatever happens outside
            ("fixed"); measured.
        cured: under seedlock two runs are equal and another seed gives others ("yes"); they may
            differ, and the report names the file ("reported"); the order is that of the names
            ("sorted"), or of addresses that do not vary where the kernel allows it ("addresses"),
            and no seed has a part in it.
        locked: with REPRO_ENTROPY=lock it is cured.
        siblings: where the draws of a line come from several processes: plain, some are equal or
            all differ. Cured, all differ.
    """

    file: str
    fault: str
    plain: str
    cured: str
    siblings: str = ""

    @property
    def locked(self) -> bool:
        """Whether what draws from the system is derived with REPRO_ENTROPY=lock."""
        return self.file in LOCKED

    @property
    def together(self) -> tuple[str, ...]:
        """The controls that one interpreter runs in turn, itself among them.

        A framework's start takes seconds. Each control sets its own seeds or makes its own
        generators, so that none can hide another's fault: what is deaf stays so, and what varies.
        """
        return next((files for files in TOGETHER if self.file in files), (self.file,))

    @property
    def start(self) -> dict[str, Any]:
        """Variables under which TensorFlow starts in half the time; test_programs.py and the
        adapters' tests have its starts with all that it imports."""
        of_tensorflow = any("tensorflow" in file for file in self.together)
        return without("jax", "sklearn") if of_tensorflow else {}

    @property
    def command(self) -> tuple[str, ...]:
        """Arguments of Python that run all of `together`."""
        files = [str(Path(__file__).with_name(file)) for file in self.together]
        return ("-c", IN_TURN, *files) if len(files) > 1 else (*files,)


LOCKED = (
    "os_urandom.py", "secrets_token.py", "system_random.py", "uuid4.py", "uuid1.py",
    "uuid1_reload.py", "temporary_name.py",
)  # fmt: skip

FULL = (
    "gluon_data_loader.py", "lightning_seed_everything.py", "torch_data_loader.py",
    "torch_spawn.py", "torchrun_ranks.py",
)  # fmt: skip
"""Left to `make test-full`, since each has a like in the gate: other children that start anew,
another library's helper that sets all seeds. Workers of PyTorch's and Gluon's loaders, children of
torch.multiprocessing and ranks are cured in adapters/test_torch_workers.py and test_mxnet.py."""

IN_TURN = "import runpy, sys; [runpy.run_path(each, None, '__main__') for each in sys.argv[1:]]"

TOGETHER = (
    (
        "tensorflow_unseeded.py", "keras_unseeded.py",
        "tensorflow_seed.py", "tensorflow_generator_seed.py", "tensorflow_generator_unseeded.py",
        "tensorflow_v1_seed.py", "tensorflow_data_parallel_map.py", "keras_seed.py",
        "keras_seed_generator.py", "keras_initializer_seed.py", "keras_dropout_seed.py",
        "tensorflow_keras_seed.py",
    ),
    (
        "torch_unseeded.py", "torch_generator_reseed.py", "torch_manual_seed.py",
        "torch_generator_unseeded.py", "torch_generator_seed.py",
        "torch_seed.py", "transformers_set_seed.py", "torch_devices_seed.py",
    ),
    ("mxnet_unseeded.py", "mxnet_seed.py", "mxnet_numpy_seed.py", "mxnet_iterator_seed.py"),
    (
        "jax_key.py", "jax_prng_key.py", "jax_key_of_numpy_integer.py", "jax_key_inside_jit.py",
    ),
)  # fmt: skip

CONTROLS = (
    Control("random_unseeded.py", "The random module, never seeded.", "varies", "yes"),
    Control("random_seed.py", "random.seed with the author's number.", "fixed", "yes"),
    Control(
        "random_random_unseeded.py",
        "An own generator of the random module, never seeded.",
        "varies",
        "yes",
    ),
    Control(
        "random_random_seed.py",
        "An own generator of the random module with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "random_reload.py",
        "The random module, executed again by importlib.reload and never seeded.",
        "varies",
        "yes",
    ),
    Control(
        "random_reload_seed.py",
        "random.seed with the author's number, after importlib.reload(random).",
        "fixed",
        "yes",
    ),
    Control(
        "random_second_import.py",
        "A second copy of the random module: imported after the first was taken from sys.modules.",
        "varies",
        "yes",
    ),
    Control(
        "random_copy.py",
        "A copy of the random module, made from its file past the import system, and never seeded.",
        "varies",
        "yes",
    ),
    Control(
        "random_copy_seed.py",
        "A copy of the random module, made from its file, with the author's number.",
        "fixed",
        "yes",
    ),
    Control("numpy_unseeded.py", "NumPy's global generator, never seeded.", "varies", "yes"),
    Control("numpy_seed.py", "NumPy's global generator with the author's number.", "fixed", "yes"),
    Control("random_state_seed.py", "An own RandomState with the author's number.", "fixed", "yes"),
    Control("random_state_unseeded.py", "An own RandomState, never seeded.", "varies", "yes"),
    Control(
        "random_state_reseed.py",
        "A RandomState that is seeded anew after it was made.",
        "fixed",
        "yes",
    ),
    Control("default_rng_unseeded.py", "NumPy's default_rng() without a seed.", "varies", "yes"),
    Control("default_rng_seed.py", "NumPy's default_rng with the author's number.", "fixed", "yes"),
    Control(
        "seed_sequence_spawn.py",
        "Generators of the children of a SeedSequence with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "seed_sequence_unseeded.py", "A SeedSequence without entropy of its own.", "varies", "yes"
    ),
    Control(
        "bit_generator_pcg64.py",
        "The bit generator PCG64 with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "bit_generator_pcg64dxsm.py",
        "The bit generator PCG64DXSM with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "bit_generator_mt19937.py",
        "The bit generator MT19937 with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "bit_generator_philox.py",
        "The bit generator Philox with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "bit_generator_sfc64.py",
        "The bit generator SFC64 with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "generator_spawn.py",
        "Generators that a NumPy Generator with the author's number spawns.",
        "fixed",
        "yes",
    ),
    Control("torch_unseeded.py", "PyTorch's default generator, never seeded.", "varies", "yes"),
    Control(
        "torch_generator_reseed.py",
        "A torch.Generator that takes a number from the system by its seed().",
        "varies",
        "yes",
    ),
    Control("tensorflow_unseeded.py", "TensorFlow's operations, never seeded.", "varies", "yes"),
    Control("keras_unseeded.py", "Keras's default generator, never seeded.", "varies", "yes"),
    Control("mxnet_unseeded.py", "MXNet's generators, never seeded.", "fixed", "yes"),
    Control(
        "tensorflow_keras_seed.py",
        "tf.keras.utils.set_random_seed with the author's number.",
        "fixed",
        "yes",
    ),
    Control("torch_manual_seed.py", "torch.manual_seed with the author's number.", "fixed", "yes"),
    Control(
        "torch_generator_unseeded.py",
        "A torch.Generator() that nobody seeds starts at PyTorch's own constant.",
        "fixed",
        "yes",
    ),
    Control(
        "torch_generator_seed.py", "A torch.Generator with the author's number.", "fixed", "yes"
    ),
    Control("torch_seed.py", "torch.seed() takes a number from the system.", "varies", "yes"),
    Control(
        "torch_devices_seed.py",
        "torch.cuda, torch.xpu and torch.mps with the author's numbers; on generators of the CPU.",
        "fixed",
        "yes",
    ),
    Control(
        "lightning_seed_everything.py",
        "Lightning's seed_everything with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "transformers_set_seed.py",
        "set_seed of Hugging Face's transformers with the author's number.",
        "fixed",
        "yes",
    ),
    Control("tensorflow_seed.py", "tf.random.set_seed with the author's number.", "fixed", "yes"),
    Control(
        "tensorflow_generator_seed.py",
        "A tf.random.Generator with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "tensorflow_generator_unseeded.py",
        "A tf.random.Generator with a start from the system.",
        "varies",
        "yes",
    ),
    Control(
        "tensorflow_v1_seed.py",
        "tf.compat.v1.set_random_seed with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "tensorflow_data_parallel_map.py",
        "A parallel tf.data map whose function draws from NumPy, in threads that race.",
        "varies",
        "yes",
    ),
    Control(
        "keras_seed.py", "keras.utils.set_random_seed with the author's number.", "fixed", "yes"
    ),
    Control(
        "keras_seed_generator.py", "A Keras SeedGenerator with the author's number.", "fixed", "yes"
    ),
    Control(
        "keras_initializer_seed.py", "A Keras initializer with the author's number.", "fixed", "yes"
    ),
    Control("keras_dropout_seed.py", "A Keras Dropout with the author's number.", "fixed", "yes"),
    Control("mxnet_seed.py", "mx.random.seed with the author's number.", "fixed", "yes"),
    Control(
        "mxnet_numpy_seed.py",
        "mx.np draws after mx.npx.random.seed with the author's number.",
        "fixed",
        "yes",
    ),
    Control(
        "mxnet_iterator_seed.py",
        "MXNet's MNISTIter shuffles by a seed of its own that nobody sets.",
        "fixed",
        "yes",
    ),
    Control("jax_key.py", "jax.random.key with the author's number.", "fixed", "yes"),
    Control("jax_prng_key.py", "jax.random.PRNGKey with the author's number.", "fixed", "yes"),
    Control(
        "jax_key_of_numpy_integer.py", "jax.random.key of an integer of NumPy's.", "fixed", "yes"
    ),
    Control(
        "jax_key_inside_jit.py", "A JAX key made inside jit from a traced integer.", "fixed", "yes"
    ),
    Control("sklearn_random_state.py", "scikit-learn with random_state=0.", "fixed", "yes"),
    Control("scipy_random_state.py", "A SciPy distribution with random_state=0.", "fixed", "yes"),
    Control(
        "gymnasium_reset_seed.py", "A Gymnasium environment with reset(seed=1).", "fixed", "yes"
    ),
    Control(
        "gymnasium_reset_unseeded.py",
        "A Gymnasium environment with reset() and no seed.",
        "varies",
        "yes",
    ),
    Control(
        "gymnasium_action_space_seed.py",
        "A Gymnasium action space with the author's number.",
        "fixed",
        "yes",
    ),
    Control("os_urandom.py", "Bytes from the system.", "varies", "reported"),
    Control("secrets_token.py", "A token from the system.", "varies", "reported"),
    Control("system_random.py", "random.SystemRandom, which has no seed.", "varies", "reported"),
    Control("uuid4.py", "A random UUID.", "varies", "reported"),
    Control("uuid1.py", "A UUID of the clock and the machine.", "varies", "reported"),
    Control(
        "uuid1_reload.py",
        "A UUID of the clock and the machine, after importlib.reload(uuid).",
        "varies",
        "reported",
    ),
    Control("temporary_name.py", "The name of a temporary file.", "varies", "reported"),
    Control("clock_as_seed.py", "The clock as the seed.", "varies", "reported"),
    Control("pid_as_seed.py", "The number of the process as the seed.", "varies", "reported"),
    Control("set_of_text.py", "The order of a set of text.", "varies", "yes"),
    Control("hash_of_text.py", "Text divided among buckets by hash().", "varies", "yes"),
    Control(
        "set_of_objects.py",
        "The order of a set of objects without a hash of their own: their addresses.",
        "varies",
        "addresses",
    ),
    Control(
        "listdir_order.py",
        "The order of os.listdir, which is the file system's, in two of them.",
        "fixed",
        "sorted",
    ),
    Control(
        "glob_order.py",
        "The order of glob.glob, which is the file system's, in two of them.",
        "fixed",
        "sorted",
    ),
    Control(
        "iterdir_order.py",
        "The order of Path.iterdir, which is the file system's, in two of them.",
        "fixed",
        "sorted",
    ),
    Control(
        "scandir_order.py",
        "The order of os.scandir, which is the file system's, in two of them.",
        "fixed",
        "reported",
    ),
    Control(
        "fork_random.py",
        "Forked children that draw from the random module.",
        "varies",
        "yes",
        "differ",
    ),
    Control(
        "fork_numpy.py",
        "Forked children that draw from NumPy's global generator.",
        "varies",
        "yes",
        "equal",
    ),
    Control(
        "fork_torch.py",
        "Forked children that draw from PyTorch's default generator.",
        "varies",
        "yes",
        "equal",
    ),
    Control(
        "spawn_children.py",
        "Children of multiprocessing, started anew (spawn).",
        "varies",
        "yes",
        "differ",
    ),
    Control(
        "forkserver_children.py",
        "Children of multiprocessing's fork server.",
        "varies",
        "yes",
        "differ",
    ),
    Control("subprocess_python.py", "A Python process started by subprocess.", "varies", "yes"),
    Control("execv_python.py", "A process that replaces itself.", "varies", "yes"),
    Control(
        "pool_map.py",
        "Tasks of a pool that draw: which worker takes which task is not fixed.",
        "varies",
        "yes",
        "equal",
    ),
    Control(
        "executor_map.py", "Tasks of a ProcessPoolExecutor that draw.", "varies", "yes", "differ"
    ),
    Control(
        "joblib_tasks.py",
        "Tasks of joblib that draw from NumPy's global generator.",
        "varies",
        "yes",
        "differ",
    ),
    Control(
        "torch_data_loader.py",
        "Persistent DataLoader workers that draw from NumPy and random, over two epochs.",
        "varies",
        "yes",
        "differ",
    ),
    Control(
        "torch_spawn.py",
        "Children of torch.multiprocessing.spawn that draw from PyTorch.",
        "varies",
        "yes",
        "differ",
    ),
    Control(
        "torchrun_ranks.py",
        "Ranks that torchrun starts, which draw from generators of their own.",
        "varies",
        "yes",
        "differ",
    ),
    Control(
        "hogwild.py",
        "Two processes that train a model which they share (Hogwild): their turns are not fixed.",
        "varies",
        "reported",
    ),
    Control(
        "shared_array.py",
        "Two processes that write to an array which they share: their turns are not fixed.",
        "varies",
        "reported",
    ),
    Control(
        "raw_threads.py",
        "Two threads of the _thread module that share the global generator: their turns are not "
        "fixed.",
        "varies",
        "reported",
    ),
    Control(
        "gluon_data_loader.py",
        "Workers of Gluon's DataLoader whose transform draws from NumPy.",
        "varies",
        "yes",
        "equal",
    ),
    Control(
        "threads_share_a_generator.py",
        "Two threads that share the global generator: their turns are not fixed.",
        "varies",
        "reported",
    ),
)


def cases(controls: Iterable[Control]) -> list[Any]:
    """Return the parameters of a test that gets each of these controls."""
    marks = {True: [pytest.mark.full], False: []}
    return [pytest.param(each, marks=marks[each.file in FULL], id=each.file) for each in controls]
