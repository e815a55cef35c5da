class Dropout:
    def __init__(self, p, rng):
        self.p = p
        self.rng = rng
        self.training = True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def forward(self, x):
        self.scale = 1.0
        if self.training:
            self.scale = self.rng.binomial(1, 1 - self.p, x.shape).astype(x.dtype) / (1 - self.p)
        return x * self.scale

    def backward(self, grad):
        return self.scale * grad
