"""Names of PyTorch's that tinyconv does not have, and what to take instead."""

from __future__ import annotations

_KINDS = [
    f"{kind}{dims}d" for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm") for dims in (1, 2, 3)
]
_NO_SEQUENCES = "nothing; tinyconv is for convolutional networks"

LAYERS = {
    **{f"Lazy{kind}": f"{kind}, which is told the number of channels that come in" for kind in _KINDS},
    "LazyLinear": "Linear, which is told the number of features that come in",
    "AdaptiveLogSoftmaxWithLoss": "CrossEntropyLoss",
    "Buffer": "Module.register_buffer",
    "CrossMapLRN2d": "LocalResponseNorm",
    "CTCLoss": _NO_SEQUENCES,
    "DataParallel": "the model itself: there is one device",
    "EmbeddingBag": "Embedding, and the sum or mean of what it returns",
    "FractionalMaxPool2d": "MaxPool2d or AdaptiveMaxPool2d",
    "FractionalMaxPool3d": "MaxPool3d or AdaptiveMaxPool3d",
    "MultiheadAttention": "Linear layers with softmax(q @ k.transpose(-2, -1) / sqrt(d), -1) @ v",
    "NLLLoss2d": "NLLLoss, which takes images too",
    "RMSNorm": "LayerNorm",
    "SyncBatchNorm": "BatchNorm1d, BatchNorm2d or BatchNorm3d: there is one device",
    **dict.fromkeys(("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell", "Transformer"), _NO_SEQUENCES),
    **dict.fromkeys(("TransformerEncoder", "TransformerDecoder", "TransformerEncoderLayer"), _NO_SEQUENCES),
}

FUNCTIONS = {
    "ctc_loss": _NO_SEQUENCES,
    "embedding_bag": "embedding, and the sum or mean of what it returns",
    "fractional_max_pool2d": "max_pool2d or adaptive_max_pool2d",
    "fractional_max_pool3d": "max_pool3d or adaptive_max_pool3d",
    "multi_head_attention_forward": "softmax(q @ k.transpose(-2, -1) / sqrt(d), -1) @ v",
    "native_channel_shuffle": "channel_shuffle",
    "rms_norm": "layer_norm",
    "scaled_dot_product_attention": "softmax(q @ k.transpose(-2, -1) / sqrt(d), -1) @ v",
    "upsample": "interpolate",
    "upsample_bilinear": "interpolate(..., mode='bilinear', align_corners=True)",
    "upsample_nearest": "interpolate",
    **{
        f"{kind}max_pool{dims}d_with_indices": f"{kind}max_pool{dims}d(..., return_indices=True)"
        for kind in ("", "adaptive_")
        for dims in (1, 2, 3)
    },
    **{
        f"{name}_": f"x = {name}(x): no op changes a tensor that is part of a graph"
        for name in ("celu", "elu", "hardtanh", "leaky_relu", "relu", "rrelu", "selu", "threshold")
    },
}

INITIALISERS = {
    name: f"{name}_"
    for name in (
        "constant", "dirac", "eye", "kaiming_normal", "kaiming_uniform", "normal", "orthogonal", "sparse",
        "uniform", "xavier_normal", "xavier_uniform",
    )
}  # fmt: skip

TOOLS = {
    "clip_grad_norm": "clip_grad_norm_",
    "parametrizations": "weight_norm and spectral_norm in nn.utils",
    "parametrize": "weight_norm and spectral_norm in nn.utils, or a forward pre-hook that sets the weight",
    "prune": "a forward pre-hook that multiplies the weight by a mask",
    "rnn": _NO_SEQUENCES,
    "skip_init": "the layer itself: weights are drawn quickly",
}

METHODS = {
    "bfloat16": "float() or double(): the two widths that tinyconv has",
    "compile": "tc.compile(module)",
    "half": "float() or double(): the two widths that tinyconv has",
    "register_backward_hook": "register_full_backward_hook",
    "share_memory": "the module itself: there are no worker processes that change it",
    "to_empty": "to",
    "xpu": "cuda or cpu",
}
