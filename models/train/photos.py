"""Photographs without a code out of packages with free licences: fetched, checked, unpacked, made smaller."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import yaml
from tqdm import tqdm

from .recipe import RecipeError, filled

ARCHIVE = "https://snapshot.debian.org/archive/debian/20261129T000000Z/"  # all versions of a day
LONGEST = 1280  # pixels of a side: what is larger is made smaller
LEAST = 160  # pixels of the shorter side: what is smaller is an icon
LONG = 4  # sides of this ratio are of no photograph
QUALITY = 93  # of the JPEGs that are kept
MOST = 900  # pictures of one package
MOST_PNG = 250  # of them: most are screenshots
LEAST_PNG = 40000  # bytes: what is smaller is a diagram
SUFFIXES = {".jpg", ".jpeg", ".webp", ".png"}
NO_PHOTOS = ("transition", "icon", "normal", "lightmap", "flag")  # in a path


@dataclass
class Package:
    """Of Debian, `deb` its path in the archive; or of npm, name@version."""

    sha256: str
    deb: str = ""
    npm: str = ""
    of: str = ""  # only what lies under this folder
    leave: list[str] = field(default_factory=list)  # names of pictures, or of folders, that are left out

    @property
    def name(self) -> str:
        place = PurePosixPath(self.deb).name.split("_")[0] or self.npm.rpartition("@")[0]
        return place.replace("/", "-").lstrip("@")


def read_packages(path: Path) -> list[Package]:
    values = yaml.safe_load(path.read_text())
    return [filled(Package, value, f"{path}, package {i + 1}") for i, value in enumerate(values)]


def fetch(packages: list[Package], folder: Path, archive: str = ARCHIVE) -> int:
    """
    One folder for each package; those that are there already are left as they are. `archive`: Debian's, or a mirror.
    Returns the number of pictures.
    """
    for package in tqdm(packages, unit="package"):
        place = folder / package.name
        if place.exists():
            continue
        part = folder / f"{package.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _keep_pictures(package, _bytes_of(package, archive), part)
        part.rename(place)
    return sum(1 for _ in folder.rglob("*.jpg"))


def _bytes_of(package: Package, archive: str) -> bytes:
    if package.npm:
        with tempfile.TemporaryDirectory() as at:
            command = ["npm", "pack", "--silent", package.npm, "--pack-destination", at]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            data = next(Path(at).glob("*.tgz")).read_bytes()
    else:
        data = _download(f"{archive.rstrip('/')}/{package.deb}")
    found = hashlib.sha256(data).hexdigest()
    if found != package.sha256:
        raise RecipeError(f"{package.name}: its SHA-256 is {found}, not {package.sha256}.")
    return data


def _download(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.read()
    except urllib.error.URLError as error:
        raise RecipeError(f"{address}: {error}; name another archive with --archive.") from error


def _archive(package: Package, data: bytes) -> bytes:
    """The files of a package as a tar archive. A .deb is an ar archive whose third member is one."""
    if package.npm:
        return data
    at = 8
    while at < len(data):
        name, size = data[at : at + 16].decode().strip(), int(data[at + 48 : at + 58])
        if name.startswith("data.tar"):
            return data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    raise RecipeError(f"{package.name} is no Debian package: it has no data.tar.")


def _is_wanted(package: Package, member: tarfile.TarInfo) -> bool:
    path = PurePosixPath(member.name)
    png = path.suffix.lower() == ".png"
    return (
        member.isfile()
        and path.suffix.lower() in SUFFIXES
        and member.size >= (LEAST_PNG if png else 0)
        and package.of in member.name
        and not any(name in member.name.lower() for name in NO_PHOTOS)
        and not any(name in member.name for name in package.leave)
    )


def _files(package: Package, data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Whether it is a PNG, and what is in it; PNGs last."""
    with tarfile.open(fileobj=io.BytesIO(_archive(package, data))) as tar:
        wanted = [
            (member.name.lower().endswith(".png"), member.name, member)
            for member in tar.getmembers()
            if _is_wanted(package, member)
        ]
        for png, _, member in sorted(wanted, key=lambda row: row[:2]):
            file = tar.extractfile(member)
            if file:
                yield png, file.read()


def _alike(image: np.ndarray) -> bytes:
    """The same for pictures that differ in size and compression only: whether each of 8×8 cells is brighter than the next."""
    gray = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    return np.packbits(gray[:, 1:] > gray[:, :-1]).tobytes()


def _keep_pictures(package: Package, data: bytes, folder: Path) -> None:
    seen: set[bytes] = set()
    screenshots = 0
    for png, content in _files(package, data):
        if len(seen) == MOST or (png and screenshots == MOST_PNG):
            return
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            continue
        h, w = image.shape[:2]
        alike = _alike(image)
        if min(h, w) < LEAST or max(h, w) > LONG * min(h, w) or alike in seen:
            continue
        fit = min(1.0, LONGEST / max(h, w))
        if fit < 1:
            image = cv2.resize(image, None, fx=fit, fy=fit, interpolation=cv2.INTER_AREA)
        place = folder / f"{len(seen):04}.jpg"
        cv2.imwrite(str(place), image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        seen.add(alike)
        screenshots += png
