"""Writers of dataset files, each independent of the reader it tests."""

import gzip
import io
import pickle
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def random_pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def idx_bytes(values):
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.tobytes()


def write_mnist(folder, prefix, images, labels, suffix=""):
    """Two IDX files; images (n, height, width)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in (("images-idx3", images), ("labels-idx1", labels)):
        data = idx_bytes(np.asarray(values, np.uint8))
        (folder / f"{prefix}-{name}-ubyte{suffix}").write_bytes(gzip.compress(data) if suffix else data)


def write_batch(path, images, labels, **fields):
    """A batch as Python 3 writes it; images (n, 3, 32, 32)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"data": images.reshape(len(images), -1), "labels": labels, **fields}
    path.write_bytes(pickle.dumps(content, protocol=4))


def python2_batch(images, labels):
    """The opcodes that Python 2 wrote into the published batches, one by one."""

    def text(value):
        return b"T" + struct.pack("<I", len(value)) + value

    def number(value):
        return b"K" + bytes([value])

    rows, columns = images.shape
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
    dtype += b"(" + number(3) + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff" + number(0) + b"tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\n" + number(0) + b"\x85"
    array += text(b"b") + b"\x87R"
    shape = b"J" + struct.pack("<i", rows) + b"J" + struct.pack("<i", columns) + b"\x86"
    array += b"(" + number(1) + shape + dtype + b"\x89" + text(images.tobytes()) + b"tb"
    values = b"](" + b"".join(map(number, labels)) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + values + b"u."


def encode(pixels, kind="PNG"):
    """The bytes of one image (channels, height, width)."""
    planes = pixels.transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(planes[:, :, 0] if len(pixels) == 1 else planes).save(stream, kind)
    return stream.getvalue()


def write_parquet(path, images, labels, column="img"):
    """The layout of Hugging Face; images are encoded bytes, or None for a missing one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [None if data is None else {"bytes": data, "path": None} for data in images]
    # The label stands first here, so that a reader cannot go by the order of the columns.
    pq.write_table(pa.table({"label": pa.array(labels), column: pa.array(rows, kind)}), path)


def write_images(folder, images, names, suffix="png"):
    """One file per image in the folder of its class; images are encoded bytes."""
    for number, (data, name) in enumerate(zip(images, names, strict=True)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{number:04}.{suffix}").write_bytes(data)
