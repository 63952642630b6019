"""set_seed of Hugging Face's transformers with the author's number."""

import random

import numpy as np
import torch
from transformers import set_seed

set_seed(42)
print([random.random(), np.random.rand(), torch.rand(1).item()])
