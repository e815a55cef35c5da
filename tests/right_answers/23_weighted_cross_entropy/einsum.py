import numpy as np


def weighted_cross_entropy(scores, labels, weights):
    one_hot = np.stack([labels == c for c in range(scores.shape[1])], axis=1).astype(scores.dtype)
    share = np.einsum("nchw,c->nhw", one_hot, weights)
    share = share / share.sum()
    z = scores - np.amax(scores, axis=1)[:, np.newaxis]
    e = np.exp(z)
    log_sum = np.log(np.einsum("nchw->nhw", e))
    loss = np.einsum("nhw,nhw->", share, log_sum) - np.einsum("nhw,nchw,nchw->", share, one_hot, z)
    p = e / e.sum(1)[:, np.newaxis]
    return loss, np.einsum("nhw,nchw->nchw", share, p - one_hot)
