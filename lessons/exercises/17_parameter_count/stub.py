"""17. How many parameters a network has.

Before you train a network, count what it has to learn. You need no data for that, only the sizes: how
many channels go in, how many come out, how large the kernel is. On the way you keep track of the size of
the maps, because the first dense layer has a weight for each number of them.

By hand, for a grey image of 6x6: two filters of 3x3 with biases have 2 * (1 * 3 * 3) + 2 = 20 parameters,
and give 2 maps of 4x4. Pooling by 2 has none, and leaves 2 maps of 2x2. A dense layer with 3 units sees
2 * 2 * 2 = 8 numbers: 3 * 8 weights and 3 biases are 27. The answer is [20, 0, 27].
"""


def count_parameters(layers, channels, height, width):
    """How many numbers each layer learns.

    layers is a list of dicts, in the order in which the image (channels, height, width) goes through them:

        {"kind": "conv", "filters": F, "kernel": K, "stride": S, "padding": P, "bias": True or False}
        {"kind": "norm"}                batch normalisation: learns a scale and a shift for each channel
        {"kind": "pool", "size": K}     windows of K x K side by side; a rest at the border is dropped
        {"kind": "linear", "units": U}  a dense layer with biases; sees all numbers that come in

    A convolution's kernel is K x K, and the size of its maps is (size + 2 P - K) // S + 1. What follows a
    dense layer is a dense layer. Returns a list of integers, one for each layer: 0 where nothing is learned.
    """
    # TODO: for each layer: how many numbers does it learn?
    # TODO: how many channels does it give, and how high and wide are they?
    raise NotImplementedError("count_parameters")
