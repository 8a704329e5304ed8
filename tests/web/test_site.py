"""`emnist export --to web`: a folder that answers in the browser alone, from any static host."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from emnist_cli.core import bundle
from emnist_cli.core.config import NormalizeConfig, PredictConfig
from emnist_cli.core.errors import ExitCode, MissingError, ModelError, OutputError, UsageError
from emnist_cli.core.labels import CHARSETS
from emnist_cli.web import site
from emnist_cli.web.site import PACKAGE, VERSION, export_site

STATIC = Path(site.__file__).parent / "static"


@pytest.fixture
def starter() -> bundle.Bundle:
    return bundle.find_bundle()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Something that looks like the runtime's npm package, installed in a folder."""
    wasm = tmp_path / "npm" / "node_modules" / PACKAGE / "wasm"
    wasm.mkdir(parents=True)
    (wasm.parent / "package.json").write_text(json.dumps({"name": PACKAGE, "version": VERSION}))
    for name in ("litert_wasm_compat_internal", "litert_wasm_internal", "litert_wasm_threaded_internal"):
        for suffix in (".js", ".wasm"):
            (wasm / f"{name}{suffix}").write_bytes(f"{name}{suffix}".encode())
    return tmp_path / "npm"


def test_the_folder(starter: bundle.Bundle, package: Path, tmp_path: Path) -> None:
    written = export_site(starter, tmp_path / "new" / "page", package)
    files = {path.relative_to(written.path).as_posix(): path.read_bytes() for path in written.path.rglob("*.*")}
    files["runtime/LICENSE"] = (written.path / "runtime" / "LICENSE").read_bytes()
    assert (written.files, written.bytes) == (len(files), sum(map(len, files.values())))
    for file in STATIC.iterdir():
        if file.name not in ("index.html", "api.js"):
            assert files[file.name] == file.read_bytes(), "the page is the server's"
    page, theirs = files["index.html"].decode().splitlines(), (STATIC / "index.html").read_text().splitlines()
    (policy,) = [line for line in page if line not in theirs]
    assert [line for line in page if line != policy] == theirs
    assert page.index(policy) < next(i for i, line in enumerate(page) if "<script" in line)
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy and "default-src 'none'" in policy
    assert files["model/model.tflite"] == starter.graph.read_bytes()
    assert sorted(name for name in files if name.startswith("runtime/")) == [
        "runtime/LICENSE",
        "runtime/litert_wasm_compat_internal.js",
        "runtime/litert_wasm_compat_internal.wasm",
        "runtime/package.json",
    ]
    assert "Apache License" in files["runtime/LICENSE"].decode()
    about = json.loads(files["model/model.json"])
    assert starter.manifest and about["temperature"] == starter.manifest.temperature
    assert "".join(about["classes"]) == about["about"]["labels"]
    constants = json.loads(files["browser/constants.json"])
    assert constants["normalize"] == {**asdict(NormalizeConfig()), "stroke": list(NormalizeConfig.stroke)}
    assert constants["limits"]["megapixels"] == PredictConfig.max_megapixels
    assert constants["charsets"] == CHARSETS
    for name, content in files.items():
        if name.endswith((".js", ".css", ".html")):
            assert not re.search(rb"""(src|href|from|import|url)\W{1,3}(https?:)?//""", content), name


def test_modules_import_what_is_there(starter: bundle.Bundle, package: Path, tmp_path: Path) -> None:
    written = export_site(starter, tmp_path / "page", package)
    imports = [
        (path.parent / target).resolve()
        for path in written.path.rglob("*.js")
        for target in re.findall(r'^(?:import|export|\}) .*?"(\.[^"]+)";$', path.read_text(), re.M)
    ]
    assert len(imports) > 20
    assert [path for path in imports if not path.is_file()] == []
    assert {path.name for path in written.path.glob("browser/*.js")} <= {path.name for path in imports}


def test_a_bare_graph(starter: bundle.Bundle, package: Path, tmp_path: Path) -> None:
    graph = Path(shutil.copy(starter.graph, tmp_path / "mine.tflite"))
    about = json.loads(
        (export_site(bundle.find_bundle(graph), tmp_path / "page", package).path / site._ABOUT).read_text()
    )
    assert (len(about["classes"]), about["temperature"], about["about"]["name"]) == (62, 1.0, "mine.tflite")


def test_without_the_runtime(starter: bundle.Bundle, package: Path, tmp_path: Path) -> None:
    inner = package / "node_modules" / PACKAGE
    advice = f"npm install {PACKAGE}@{VERSION}"
    with pytest.raises(MissingError, match=advice) as raised:
        export_site(starter, tmp_path / "page", tmp_path)
    assert raised.value.exit_code == ExitCode.MISSING
    assert site.find_runtime(inner) == site.find_runtime(package) == inner
    (inner / "wasm" / "litert_wasm_compat_internal.wasm").unlink()
    with pytest.raises(MissingError, match=f"incomplete.*{advice}"):
        export_site(starter, tmp_path / "page", package)
    (inner / "package.json").write_text('{"version": "0.1.0"}')
    with pytest.raises(MissingError, match=rf"expected {PACKAGE} {VERSION}. Received: 0.1.0; run: {advice}"):
        export_site(starter, tmp_path / "page", package)
    (inner / "package.json").write_text("nothing of the kind")
    with pytest.raises(MissingError, match="an unknown version"):
        export_site(starter, tmp_path / "page", package)
    assert [path.name for path in tmp_path.iterdir()] == ["npm"]


def test_by_default_the_runtime_is_here(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(package)
    assert site.find_runtime() == Path("node_modules") / PACKAGE


def test_nothing_is_lost(
    starter: bundle.Bundle, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page"
    export_site(starter, page, package)
    with pytest.raises(UsageError, match=r"is there already.*--overwrite"):
        export_site(starter, page, package)
    (page / "model" / "model.json").write_text("{}")
    export_site(starter, page, package, overwrite=True)
    assert json.loads((page / "model" / "model.json").read_text())["classes"]
    (page / "CNAME").write_text("mine")
    with pytest.raises(UsageError, match="something else than an exported page"):
        export_site(starter, page, package, overwrite=True)
    (page / "CNAME").unlink()
    for other in (package, STATIC / "index.html"):
        with pytest.raises(UsageError, match="something else than an exported page"):
            export_site(starter, other, package, overwrite=True)
    monkeypatch.chdir(page)
    with pytest.raises(UsageError, match="something else"):
        export_site(starter, page, package, overwrite=True)
    assert (page / "index.html").is_file()


def test_what_cannot_be_written_leaves_nothing(
    starter: bundle.Bundle, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export_site(starter, tmp_path / "file" / "page", package)
    monkeypatch.setattr(site, "_LICENCE", tmp_path / "gone")  # read last
    with pytest.raises(OutputError, match="nothing was left there"):
        export_site(starter, tmp_path / "page", package)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "npm"]


def test_a_damaged_graph(package: Path, tmp_path: Path) -> None:
    graph = tmp_path / "broken.tflite"
    graph.write_bytes(bundle.find_bundle().graph.read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"broken\.tflite"):
        export_site(bundle.find_bundle(graph), tmp_path / "page", package)
    assert not (tmp_path / "page").exists()


def test_another_form(package: Path, tmp_path: Path) -> None:
    model = bundle.Bundle(tmp_path / "mine.onnx", None)
    with pytest.raises(UsageError, match=r"emnist export --model .*mine\.onnx --to litert"):
        export_site(model, tmp_path / "page", package)
