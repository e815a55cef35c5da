"""16. The receptive field.

Which pixels can a number deep in a network depend on? Go backwards. Take two layers with a kernel of 3, the
first one with stride 2, and ask for place 5 after the second:

    place 5 after layer 2 sees the places 5 to 7 after layer 1      (stride 1: it begins at 5 · 1)
    place 5 after layer 1 sees the pixels 10 to 12 of the image     (stride 2: it begins at 5 · 2)
    place 7 after layer 1 sees the pixels 14 to 16

So it is the pixels 10 to 16, seven of them. Padding moves everything to the left: with padding 1 the window
of place 0 begins at pixel -1, which is a zero of the border. Dilation puts the kernel's numbers further
apart: with dilation 2 a kernel of 3 reaches over 5 pixels.
"""


def receptive_field(layers, place):
    """The first and the last pixel that a place of the last layer's output sees, along one axis.

    layers is a list of (kernel_size, stride, padding, dilation), four integers for each layer, in the order
    in which an image goes through them; it may be empty. place is an integer, which
    may be negative: then the layer would be larger on the left.
    Returns (first, last), two integers. Pixels are counted from 0; padding before the image has negative
    numbers, and whether the image really is that large does not matter.
    """
    # TODO: begin with the place itself, and go through the layers from the last to the first
    # TODO: what does a layer see for its first place, and what for its last?
    raise NotImplementedError("receptive_field")
