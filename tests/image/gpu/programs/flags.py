"""What is in force in a process that uses CUDA, and in a child of each kind. Prints JSON."""

import json
import multiprocessing
import os
import subprocess
import sys
from importlib.util import find_spec

NAMES = ("CUBLAS_WORKSPACE_CONFIG", "NCCL_ALGO")


def torch_flags(device):
    import torch

    torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device)
    cudnn = torch.backends.cudnn
    return {
        "strict": torch.get_deterministic_debug_mode() == 2,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": [cudnn.deterministic, cudnn.benchmark],
        "environment": {name: os.environ.get(name) for name in NAMES},
        "started": torch.cuda.is_initialized(),
    }


def spawned(device, queue):
    queue.put(torch_flags(device))


def main():
    device = sys.argv[1]
    if "--child" in sys.argv:
        print(json.dumps(torch_flags(device)))
        return
    said = {"parent": torch_flags(device)}
    command = [sys.executable, __file__, device, "--child"]
    said["program"] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    child = context.Process(target=spawned, args=(device, queue))
    child.start()
    said["spawned"] = queue.get()
    child.join()

    if find_spec("tensorflow"):
        import tensorflow as tf

        with tf.device("/GPU:0" if device == "cuda" else "/CPU:0"):
            tf.linalg.matmul(tf.ones((8, 8)), tf.ones((8, 8)))
    if find_spec("jax"):
        import jax

        # An XLA that doesn't know a flag ends the process here.
        jax.jit(lambda x: x @ x)(jax.numpy.ones((8, 8))).block_until_ready()

    import seedlock

    libraries = seedlock.report()["libraries"]
    if "tensorflow" in libraries:
        said["op_determinism"] = libraries["tensorflow"]["flags"]["op_determinism"]
    said["xla"] = os.environ.get("XLA_FLAGS")
    said["libraries"] = sorted(libraries)
    said["overridden"] = {name: each.get("overridden", {}) for name, each in libraries.items()}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
