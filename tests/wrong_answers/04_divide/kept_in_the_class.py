TOLD = "a second one overwrites"


class Divide:
    def forward(self, a, b):
        Divide.a, Divide.b = a, b
        return a / b

    def backward(self, grad):
        return grad / Divide.b, -grad * Divide.a / Divide.b**2
