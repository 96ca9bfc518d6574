"""The model: a network in PyTorch that is trained and asked like an estimator of scikit-learn."""

from typing import Any, Dict, Optional

import numpy as np
import torch
from sklearn.base import BaseEstimator, RegressorMixin
from torch import nn


class Rescaled(nn.Module):
    """A network whose answers are brought back to the scale of the target."""

    def __init__(self, network: nn.Module, scale: float, mean: float):
        super().__init__()
        self.network, self.scale, self.mean = network, scale, mean

    def forward(self, inputs):
        return self.network(inputs) * self.scale + self.mean


class TorchRegressor(RegressorMixin, BaseEstimator):
    """Two hidden layers, fitted on all rows at once: the data is small. The same seed gives the same weights."""

    def __init__(self, hidden: int = 32, epochs: int = 150, learning_rate: float = 0.01, seed: int = 42):
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(self, X, y):
        torch.manual_seed(self.seed)
        torch.set_num_threads(1)
        inputs = torch.as_tensor(np.asarray(X, dtype="float32"))
        targets = np.asarray(y, dtype="float32")
        self.mean_, self.scale_ = float(targets.mean()), float(targets.std() or 1.0)
        scaled = torch.as_tensor((targets - self.mean_) / self.scale_).unsqueeze(1)
        self.network_ = nn.Sequential(
            nn.Linear(inputs.shape[1], self.hidden),
            nn.ReLU(),
            nn.Linear(self.hidden, self.hidden),
            nn.ReLU(),
            nn.Linear(self.hidden, 1),
        )
        optimizer = torch.optim.AdamW(self.network_.parameters(), lr=self.learning_rate, weight_decay=0.05)
        loss_of = nn.HuberLoss()
        for _ in range(self.epochs):
            optimizer.zero_grad()
            loss_of(self.network_(inputs), scaled).backward()
            optimizer.step()
        return self

    def predict(self, X):
        with torch.no_grad():
            outputs = self.to_torch()(torch.as_tensor(np.asarray(X, dtype="float32")))
        return outputs.squeeze(1).numpy().astype("float64")

    def to_torch(self):
        """What Millrace makes the ONNX form of: it takes the transformed features and gives the predictions."""
        return Rescaled(self.network_, self.scale_, self.mean_)


def estimator_fn(estimator_params: Optional[Dict[str, Any]] = None):
    """The network, with the parameters of the recipe."""
    return TorchRegressor(**(estimator_params or {}))
