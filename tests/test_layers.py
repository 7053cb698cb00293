"""An import never climbs: each room imports only rooms to its left, and at the top of the file."""

import ast
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
ROOMS = "errors backends core ops transforms interop compiler show testing".split()  # then the face
FILES = {
    ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(SOURCE.rglob("*.py"))
}


def height(module):
    room = module.removeprefix("adjoint.").split(".")[0]
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)


def imports(module):
    """The line of each import of ours in `module`, and the module it names."""
    package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(FILES[module].read_text("utf-8"))):
        names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
        if isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package)
            names = [f"{origin}.{n}" if f"{origin}.{n}" in FILES else origin for n in names]
        yield from ((node.lineno, name) for name in names if name in FILES)


def test_no_import_climbs():
    for module in FILES:
        for line, name in imports(module):
            assert height(name) <= height(module), f"{module}, line {line}: {name} is above it"


def test_no_two_modules_need_each_other():
    needs = {module: {name for _, name in imports(module)} for module in FILES}
    list(TopologicalSorter(needs).static_order())


def test_an_import_inside_a_function_says_why():
    for module, file in FILES.items():
        text = file.read_text("utf-8")
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        line = text.splitlines()[node.lineno - 1]
                        assert "# why:" in line, f"{module}, line {node.lineno}: {line.strip()}"
