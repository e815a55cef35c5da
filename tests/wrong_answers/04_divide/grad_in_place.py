TOLD = "modifies its input in place"


class Divide:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a / b

    def backward(self, grad):
        grad /= self.b
        return grad, -grad * self.a / self.b
