"""Run a small EMNIST web app as most are written: Flask, Keras, and `model.predict` for each request.

    python benchmarks/flask_keras.py PORT [MODEL.keras]

What `benchmarks/serve_speed.py` compares `emnist serve` with, and `benchmarks/compare.py` the answers of
`emnist predict`. The network is the `classic` one; without a file its weights are random, which take as long as trained
ones. The picture is squeezed to 28x28 and inverted, as such apps do, which is the quickest there is.
"""

import base64
import io
import sys

import keras
import numpy as np
from flask import Flask, Response, jsonify, request
from PIL import Image, ImageOps

from emnist_cli.core.networks.architectures import build

app = Flask(__name__)
model = keras.models.load_model(sys.argv[2]) if len(sys.argv) > 2 else build("classic", 62)


@app.post("/predict")
def predict() -> Response:
    """Answer {"image_data": "data:image/png;base64,..."} with {"results": [...]}."""
    data = request.get_json()["image_data"].split(",")[1]
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    small = ImageOps.invert(image).resize((28, 28))
    batch = np.asarray(small, np.float32).reshape(1, 28, 28, 1) / 255
    return jsonify(results=model.predict(batch, verbose=0)[0].tolist())


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), debug=False)
