def receptive_field(layers, place):
    pixels = [place]
    for kernel_size, stride, padding, dilation in layers[::-1]:
        seen = set()
        for pixel in (min(pixels), max(pixels)):
            for k in range(kernel_size):
                seen.add(pixel * stride + k * dilation - padding)
        pixels = sorted(seen)
    return [pixels[0], pixels[-1]]
