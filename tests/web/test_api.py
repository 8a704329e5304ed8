"""The JSON API of a running server: the same answers as the command line, and one clear line for everything else."""

import base64
import csv
import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emnist_cli.core.classify.recognizer import Recognizer
from emnist_cli.core.labels import SPLITS
from tests.conftest import REPOSITORY, Emnist
from tests.handwriting import picture
from tests.web.running import Server, running

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.*"))


@pytest.fixture(scope="module")
def api() -> Iterator[Server]:
    with running() as server:
        yield server


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def of_command_line(emnist: Emnist, *options: object) -> list[dict[str, object]]:
    records: list[dict[str, object]] = json.loads(emnist("predict", *EXAMPLES, "--format", "json", *options).out)
    return [{**record, "path": Path(str(record["path"])).name} for record in records]


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, []),
        (
            {"top_k": 5, "charset": "digits,upper", "fold_case": "true"},
            ["--top-k", 5, "--charset", "digits,upper", "--fold-case"],
        ),
        ({"min_confidence": 0.99, "ink": "dark"}, ["--min-confidence", 0.99, "--ink", "dark"]),
    ],
)
def test_files_get_the_records_of_the_command_line(
    api: Server, emnist: Emnist, fields: dict[str, object], options: list[object]
) -> None:
    reply = api.upload(*((path.name, path.read_bytes()) for path in EXAMPLES), **fields)
    assert reply.status == 200
    assert reply.json == of_command_line(emnist, *options)


def test_json_gets_them_too(api: Server, emnist: Emnist) -> None:
    wanted = [{**record, "path": ""} for record in of_command_line(emnist, "--top-k", 2)]
    texts = [base64.b64encode(path.read_bytes()).decode() for path in EXAMPLES]
    assert api.post({"images": texts, "top_k": 2}).json == wanted
    assert api.post({"image": texts[0], "top_k": 2}).json == wanted[:1]
    assert api.post({"image": data_url(EXAMPLES[0].read_bytes()), "top_k": 2}).json == wanted[:1]


def test_more_files_than_a_process_gets_at_once_stay_in_order(api: Server) -> None:
    letters = "KWXRMZBGNQEH"
    reply = api.upload(*((f"{letter}.png", png(picture(letter))) for letter in letters), charset="upper")
    assert [record["path"][0] for record in reply.json] == list(letters)
    assert "".join(record["label"] for record in reply.json) == letters


def test_what_the_network_saw_comes_along(api: Server, recognizer: Recognizer) -> None:
    data = png(picture("R"))
    [record] = api.upload(("r.png", data), picture="true").json
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(record["picture"].split(",")[1]))))
    wanted = recognizer.predict(data).picture
    assert wanted is not None
    np.testing.assert_array_equal(seen, (wanted * 255 + 0.5).astype(np.uint8))
    [record] = api.upload(("blank.png", png(Image.new("L", (50, 50), 255))), picture="true").json
    assert (record["status"], record["picture"]) == ("empty", None)


def test_a_bad_file_among_others_is_a_record(api: Server) -> None:
    reply = api.upload(("a.png", png(picture("A"))), ("notes.txt", b"not a picture"), ("none.png", b""))
    assert reply.status == 200
    assert [record["status"] for record in reply.json] == ["ok", "error", "error"]
    assert reply.json[1]["error"].startswith("not a picture in a known format")


def test_only_bad_files_are_an_error(api: Server) -> None:
    reply = api.upload(("notes.txt", b"not a picture"))
    assert reply.status == 422
    assert reply.json["error"] == reply.json["records"][0]["error"]


HEADER = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
BOMB = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + HEADER + struct.pack(">I", zlib.crc32(HEADER)) + b"\0\0\0\1IDAT\0"
JSON = "application/json"
FORM = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="x"\r\n\r\nx\r\n'
FIELD = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


@pytest.mark.parametrize(
    ("kind", "body", "status", "text"),
    [
        (JSON, b"", 400, "body: Invalid JSON"),
        (JSON, b"{", 400, "body: Invalid JSON"),
        (JSON, b"\xff\xfe", 400, "body: Invalid JSON"),
        (JSON, b"[" * 100_000, 400, "body: Invalid JSON"),
        (JSON, b"[]", 422, "body: "),
        (JSON, b"{}", 422, "either image or images"),
        (JSON, b'{"images": []}', 422, "expected 1 to 32 pictures a request. Received: 0"),
        (JSON, json.dumps({"images": [""] * 33}).encode(), 422, "expected 1 to 32 pictures a request. Received: 33"),
        (JSON, b'{"image": "x", "images": ["x"]}', 422, "either image or images"),
        (JSON, b'{"image": 5}', 422, "image: Input should be a valid string. Received: 5"),
        (JSON, b'{"image": "http://127.0.0.1/a.png"}', 422, "image: expected base64 or a data URL of it"),
        (JSON, b'{"image": "file:///etc/passwd"}', 422, "image: expected base64 or a data URL of it"),
        (JSON, b'{"image": "", "colour": 1}', 422, "colour: Extra inputs are not permitted"),
        (JSON, b'{"image": "", "top_k": 0}', 422, "top_k: Input should be greater than or equal to 1. Received: 0"),
        (JSON, b'{"image": "", "top_k": "3"}', 422, "top_k: Input should be a valid integer"),
        (JSON, b'{"image": "", "charset": "\xc3\xa9"}', 422, "charset: expected digits, upper"),
        (JSON, b'{"image": "", "charset": ""}', 422, "charset: String should have at least 1 character"),
        (JSON, b'{"image": "", "ink": "red"}', 422, "ink: "),
        (JSON, b'{"image": "", "min_confidence": NaN}', 422, "min_confidence: "),
        (JSON, b'{"image": ""}', 422, "empty file (0 bytes)"),
        (JSON, json.dumps({"image": base64.b64encode(BOMB).decode()}).encode(), 422, "the limit is 64"),
        (FORM, b"", 422, "expected 1 to 32 pictures a request. Received: 0"),
        (FORM, b"nonsense", 400, "the form cannot be read"),
        ("multipart/form-data", b"", 400, "the form cannot be read"),
        (FORM, b"--b--\r\n", 422, "expected 1 to 32 pictures a request. Received: 0"),
        (FORM, FILE % b"picture" + b"--b--\r\n", 422, "expected files in fields called files. Received: 'picture'"),
        (
            FORM,
            FILE % b"files" + FIELD % (b"top_k", b"x") + b"--b--\r\n",
            422,
            "top_k: Input should be a valid integer",
        ),
        (
            FORM,
            FILE % b"files" + 2 * FIELD % (b"ink", b"dark", b"ink", b"dark") + b"--b--\r\n",
            422,
            "ink: given twice",
        ),
        (FORM, FILE % b"files" + FIELD % (b"colour", b"1") + b"--b--\r\n", 422, "colour: Extra inputs"),
        (FORM, FILE % b"files" * 40 + b"--b--\r\n", 400, "the form cannot be read: Too many files"),
        ("text/plain", b"x", 415, "expected multipart/form-data with files, or application/json"),
    ],
)
def test_what_makes_no_sense_is_one_line(api: Server, kind: str, body: bytes, status: int, text: str) -> None:
    reply = api.ask("/api/predict", body, content_type=kind)
    assert (reply.status, "\n" in reply.json["error"]) == (status, False), reply
    assert text in reply.json["error"]


def test_addresses_and_methods_that_there_are_not(api: Server) -> None:
    assert api.ask("/nowhere").json == {"error": "Not Found: GET /nowhere"}
    reply = api.ask("/api/predict")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert api.ask("/", b"", "POST").status in (404, 405)
    assert api.ask("/../app.py").status == 404
    assert api.ask("/%2e%2e/app.py").status == 404


def test_a_page_of_another_app_is_served(api: Server, recognizer: Recognizer) -> None:
    data = png(picture("g"))
    for kind in (JSON, "text/plain", "application/x-www-form-urlencoded"):
        reply = api.ask("/predict", json.dumps({"image_data": data_url(data)}).encode(), content_type=kind)
        assert reply.status == 200
    wanted = Recognizer(top_k=62).predict(data)
    assert len(reply.json["results"]) == 62
    best = int(np.argmax(reply.json["results"]))
    assert recognizer.labels[best] == reply.json["label"] == wanted.label
    assert reply.json["results"][best] == wanted.confidence
    assert [item["label"] for item in reply.json["top"]] == [a.label for a in wanted.alternatives[:3]]
    blank = api.post({"image_data": data_url(png(Image.new("L", (50, 50), 255)))}, "/predict").json
    assert blank == {"results": [0.0] * 62, "label": "", "top": []}


def test_a_gradio_sketch_and_a_bare_data_url_are_read(api: Server) -> None:
    image = picture("g")
    drawn = Image.new("RGBA", image.size, (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), mask=image.point(lambda value: 255 - value))  # Gradio's paper is transparent
    url = data_url(png(drawn))
    blank = data_url(png(Image.new("RGBA", image.size)))
    wanted = api.post({"image_data": url}, "/predict").json
    assert wanted["label"] == "g"
    for sketch in (
        {"background": None, "layers": [url], "composite": url},
        {"background": blank, "layers": [blank, None], "composite": url, "id": "x"},
        {"composite": url},
    ):
        assert api.post({"image": sketch}, "/predict").json == wanted
    for kind in ("text/plain", "text/plain;charset=UTF-8", "application/octet-stream"):
        assert api.ask("/predict", f" {url}\n".encode(), content_type=kind).json == wanted
    assert api.post({"image": {"composite": blank}}, "/predict").json["label"] == ""
    assert api.post({"image_data": url, "image": "of the page's own"}, "/predict").json == wanted


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "body: Invalid JSON"),
        (b"{}", "expected image_data or image in JSON, or a data URL alone"),
        (b'{"image_data": null, "image": null}', "expected image_data or image in JSON"),
        (b'{"image_data": 5}', "image_data: Input should be a valid string. Received: 5"),
        (b'{"image": "x"}', "image: Input should be an object. Received: 'x'"),
        (b'{"image": {"layers": []}}', "image.composite: Field required"),
        (b'{"image": {"composite": null, "layers": []}}', "image.composite: expected base64"),
        (b'{"image": {"composite": "http://127.0.0.1/a.png"}}', "image.composite: expected base64"),
        (b'{"image": {"composite": {"url": "x"}}}', "image.composite: Input should be a valid string"),
        (b"data:image/png;base64,!", "body: expected base64 or a data URL of it. Received: 'data:image/png;base64,!'"),
        (b"data:image/svg+xml,<svg/>", "body: expected base64 or a data URL"),
        (b"data:image/png;base64,\xff", "body: expected base64 or a data URL"),
        (b"data:image/png;base64,", "empty file"),
        (b"data:image/png;base64,eA==", "not a picture in a known format"),
        (b"http://127.0.0.1/a.png", "body: Invalid JSON"),
        (b'{"image_data": "x"}', "image_data: expected base64"),
        (b'{"image_data": ""}', "empty file"),
    ],
)
def test_such_a_page_gets_errors_too(api: Server, body: bytes, text: str) -> None:
    reply = api.ask("/predict", body)
    assert reply.status in (400, 422)
    assert text in reply.json["error"]


def test_models_and_labels(api: Server, emnist: Emnist) -> None:
    reply = api.ask("/api/models").json
    [model] = reply["models"]
    assert reply["limits"] == {"files": 32, "bytes": 9_900_000}
    listed = json.loads(emnist("models", "--format", "json").out)[0]
    for name in ("name", "split", "classes", "bytes", "accuracy", "measured_on"):
        assert model[name] == listed[name]
    assert model["labels"] == "".join(Recognizer().labels)
    assert model["card"]["trained_on"]
    splits = {split["name"]: split for split in api.ask("/api/labels").json["splits"]}
    assert list(splits) == list(SPLITS)
    table = list(csv.DictReader(io.StringIO(emnist("labels", "--split", "letters", "--format", "csv").out)))
    assert [{key: str(value) for key, value in row.items()} for row in splits["letters"]["classes"]] == table


def test_health_and_figures(api: Server) -> None:
    assert api.ask("/healthz").json["status"] == "ok"
    before = figures(api)
    api.upload(("a.png", png(picture("A"))), ("blank.png", png(Image.new("L", (50, 50), 255))))
    api.upload(("notes.txt", b"not a picture"))
    api.ask("/made-up")
    api.ask("/made-up-too")
    after = figures(api)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown['emnist_pictures_total{status="ok"}'] == 1
    assert grown['emnist_pictures_total{status="empty"}'] == 1
    assert grown['emnist_requests_total{path="/api/predict",status="200"}'] == 1
    assert grown['emnist_requests_total{path="/api/predict",status="422"}'] == 1
    assert grown['emnist_requests_total{path="other",status="404"}'] == 2
    assert grown['emnist_request_seconds_count{path="/api/predict"}'] == 2
    assert after["process_resident_memory_bytes"] > 1e6


def figures(api: Server) -> dict[str, float]:
    lines = api.ask("/metrics").body.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


@pytest.mark.parametrize("path", ["/", "/app.js", "/api/models", "/nowhere", "/docs"])
def test_browsers_are_told_to_be_strict(api: Server, path: str) -> None:
    headers = api.ask(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_the_documentation_of_the_api_comes_from_here(api: Server) -> None:
    page = api.ask("/docs").body.decode()
    assert "http://" not in page and "https://" not in page
    assert api.ask("/docs/static/swagger-ui-bundle.js").status == 200
    assert set(api.ask("/openapi.json").json["paths"]) >= {"/api/predict", "/predict", "/api/models", "/healthz"}
