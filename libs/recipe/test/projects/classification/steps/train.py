def estimator_fn(estimator_params=None):
    raise NotImplementedError
