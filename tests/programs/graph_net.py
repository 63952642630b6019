"""A graph convolutional network on a citation graph.

Like the first PyTorch GCN implementations: seeds NumPy and torch with 42, and makes its one-hot
labels from a set of strings, so that the order of the classes is the order of that set.
"""

import hashlib
import math

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn as nn
import torch.nn.functional as F

np.random.seed(42)
torch.manual_seed(42)

SUBJECTS = (
    "Neural_Networks", "Rule_Learning", "Reinforcement_Learning", "Theory",
    "Probabilistic_Methods", "Genetic_Algorithms", "Case_Based",
)  # fmt: skip


def encode_onehot(labels):
    classes = set(labels)
    onehot = {c: np.identity(len(classes))[i, :] for i, c in enumerate(classes)}
    return np.array([onehot[label] for label in labels], dtype=np.int32)


def load_data(n=210):
    """Papers cite mostly papers of their own subject and share its words."""
    subject = np.arange(n) % len(SUBJECTS)
    words = (np.random.rand(len(SUBJECTS), 64) < 0.2)[subject] ^ (np.random.rand(n, 64) < 0.1)
    cites = np.random.rand(n, n) < np.where(subject[:, None] == subject, 0.08, 0.005)
    adj = sp.csr_matrix(np.maximum(cites, cites.T) + np.eye(n))
    adj = sp.diags(1 / np.asarray(adj.sum(1)).flatten()) @ adj
    labels = np.where(encode_onehot([SUBJECTS[s] for s in subject]))[1]
    features = torch.FloatTensor(words.astype(np.float32))
    return torch.FloatTensor(adj.toarray()), features, torch.LongTensor(labels)


class GraphConvolution(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.empty(n_out))
        stdv = 1.0 / math.sqrt(n_out)
        for p in self.parameters():
            p.data.uniform_(-stdv, stdv)

    def forward(self, x, adj):
        return adj @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)

    def forward(self, x, adj):
        x = F.dropout(F.relu(self.gc1(x, adj)), 0.5, training=self.training)
        return F.log_softmax(self.gc2(x, adj), dim=1)


adj, features, labels = load_data()
model = GCN(features.shape[1], 16, int(labels.max()) + 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
for _epoch in range(60):
    optimizer.zero_grad()
    loss = F.nll_loss(model(features, adj)[:140], labels[:140])
    loss.backward()
    optimizer.step()

model.eval()
accuracy = (model(features, adj).argmax(1) == labels)[140:].float().mean().item()
print(f"test accuracy {accuracy:.4f}")
digest = hashlib.sha256()
for p in model.parameters():
    digest.update(p.detach().numpy().tobytes())
print("result", digest.hexdigest())
