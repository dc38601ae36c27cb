"""A PKCS#11 token of a test's own: SoftHSM's, its objects in a folder; made and filled with its tools."""

import shutil
from pathlib import Path

import pytest

from family import run

MODULES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib64/pkcs11/libsofthsm2.so"))
PIN = "739182"


def module():
    """SoftHSM's; whoever lacks it, or the tools, is skipped."""
    found = [path for path in MODULES if path.exists()]
    if not found or not shutil.which("softhsm2-util") or not shutil.which("pkcs11-tool"):
        pytest.skip("takes a token in software: the packages softhsm2 and opensc")
    return found[0]


class Token:
    """One that is called LABEL, among those of FOLDER."""

    def __init__(self, folder, label="vmm test"):
        self.module, self.label = module(), label
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.keys = 0
        self.pin_file = self.folder / "pin"
        self.pin_file.write_text(PIN + "\n")
        (self.folder / "objects").mkdir(exist_ok=True)
        conf = self.folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {self.folder}/objects\nlog.level = ERROR\n")
        self.environment = {"SOFTHSM2_CONF": str(conf), "PKCS11_MODULE_PATH": str(self.module)}

    def init(self):
        done = run(["softhsm2-util", "--init-token", "--free", "--label", self.label, "--pin", PIN,
                    "--so-pin", "5678"])
        assert done.code == 0, done.err
        return self

    def tool(self, *words):
        done = run(["pkcs11-tool", "--module", self.module, "--token-label", self.label, "--login", "--pin", PIN,
                    *words])
        assert done.code == 0, done.err
        return done.out

    def key(self, label, kind="EC:prime256v1", more=()):
        """Has one made on the token. Its id."""
        self.keys += 1
        number = f"{self.keys:02x}"
        self.tool("--keypairgen", "--key-type", kind, "--label", label, "--id", number, *more)
        return number

    def uri(self, label=None, query=None, **more):
        """What names the private key LABEL, and how to get at it: by default the PIN's file."""
        named = {"token": self.label.replace(" ", "%20"), **({"object": label} if label else {}), **more}
        query = f"pin-source=file:{self.pin_file}" if query is None else query
        return "pkcs11:" + ";".join(f"{key}={value}" for key, value in named.items()) + (f"?{query}" if query else "")
