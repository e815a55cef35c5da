class Divide:
    def forward(self, a, b):
        self.inverse = 1 / b
        self.y = a * self.inverse
        return self.y

    def backward(self, grad):
        grad_a = grad * self.inverse
        return grad_a, -grad_a * self.y
