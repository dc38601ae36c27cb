"""Keys that stay on a token: vmm_ca's, vmm_client's. SoftHSM stands for a smart card; its tools, openssl
and a family judge what comes out."""

import itertools
import os
import re
import termios
from pathlib import Path

import pytest

from fake_server import Terminal
from family import Ca, Chain, Family, run, until
from pasted import blocks
from tokens import PIN, Token

pytestmark = pytest.mark.sanitized

KINDS = {"P-256": "EC:prime256v1", "P-384": "EC:secp384r1", "RSA": "rsa:2048"}
DELEGATION = ("--vms", "2", "--memory", "1024", "--cpu", "0", "--cpu", "1")
SPY = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/pkcs11-spy.so")


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """With a key of each kind, called as it; what is started sees it alone."""
    made = Token(tmp_path_factory.mktemp("token"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        patch.delenv("PKCS11_PROVIDER_MODULE", raising=False)
        made.init()
        for label, kind in KINDS.items():
            made.key(label, kind)
        yield made


@pytest.fixture
def other_token(token, tmp_path, monkeypatch):
    """One of the test's own, instead of the others'."""
    other = Token(tmp_path / "token", "other")
    monkeypatch.setenv("SOFTHSM2_CONF", other.environment["SOFTHSM2_CONF"])
    return other.init()


class TokenCa(Ca):
    """Its root's key is on a token, and so in no file."""

    def __init__(self, tree, folder, uri):
        self.uri = uri
        super().__init__(tree, folder)

    def __call__(self, *words, check=True):
        if words[0] == "init":
            words = [*words, "--key", self.uri]
        if words[-2:] == ("--issuer", "ca"):
            words = [*words, "--issuer-key", self.uri]
        return super().__call__(*[self.uri if word == "ca.key" else word for word in words], check=check)


def openssl(ca, *words):
    done = run(["openssl", *words], cwd=ca.folder)
    assert done.code == 0, done.err
    return done.out + done.err


def refused(ca, *words):
    """The one line that says why; nothing is left of the attempt, and no PIN is told."""
    before = sorted(path.name for path in ca.folder.iterdir())
    done = ca(*words, check=False)
    assert (done.code, done.out) == (1, "") and PIN not in done.err, done
    assert done.err.count("\n") == 1 and done.err.startswith("vmm_ca: "), done.err
    assert sorted(path.name for path in ca.folder.iterdir()) == before
    return done.err.rstrip("\n").removeprefix("vmm_ca: ")


@pytest.fixture(scope="module")
def token_ca(tree, token, tmp_path_factory):
    return TokenCa(tree, tmp_path_factory.mktemp("token-ca"), token.uri("P-256"))


def sign(name, key):
    return ("sign", f"{name}.req", "--ca", "cacert.pem", "--key", key, "--db", "ca.db")


@pytest.fixture
def asked(token_ca):
    """The name of somebody who asks."""
    name = token_ca.unique("asked")
    token_ca("command", name, "--permission", "all")
    return name


# What is signed

@pytest.mark.parametrize("kind", KINDS)
def test_a_root_whose_key_is_on_the_token(tree, token, tmp_path, kind):
    uri = token.uri(kind)
    ca = TokenCa(tree, tmp_path / "ca", uri)
    assert sorted(path.name for path in ca.folder.iterdir()) == ["ca.db", "cacert.pem", "server.key", "server.pem"]
    ca.delegation("dev")
    ca("command", "admin", "--permission", "all")
    ca(*sign("admin", uri))
    ca.command("inside", issuer="dev")
    assert openssl(ca, "verify", "-CAfile", "cacert.pem", "server.pem", "dev.pem", "admin.pem").count(": OK") == 3
    openssl(ca, "verify", "-CAfile", "cacert.pem", "-untrusted", "dev.pem", "inside.pem")

    ca("revoke", "admin", "--ca", "cacert.pem", "--key", uri, "--db", "ca.db")
    assert "verify OK" in openssl(ca, "crl", "-in", "cacert.crl", "-noout", "-CAfile", "cacert.pem")
    openssl(ca, "verify", "-CAfile", "cacert.pem", "revoke.pem")
    ca("server", "localhost", "--key", uri, "--days", "7")
    openssl(ca, "verify", "-CAfile", "cacert.pem", "-purpose", "sslserver", "server.pem")


def test_a_name_keeps_its_serial_number(token_ca, token, asked):
    lines = []
    for _ in range(2):
        token_ca(*sign(asked, token.uri("P-256")))
        lines.append((token_ca.path("ca.db").read_text(), token_ca.path(f"{asked}.pem").read_bytes()))
    assert lines[0][0] == lines[1][0] and lines[0][1] != lines[1][1]


def test_a_delegation_on_the_token(token_ca, token):
    """Its owner makes the request with a key there, and signs with it in one step."""
    uri = token.uri("P-384")
    token_ca("delegation", "owner", *DELEGATION, "--key", uri)
    token_ca(*sign("owner", token.uri("P-256")))
    token_ca("command", "mine", "--permission", "info", "--issuer", "owner", "--issuer-key", uri)
    assert not token_ca.path("owner.key").exists()
    openssl(token_ca, "verify", "-CAfile", "cacert.pem", "-untrusted", "owner.pem", "mine.pem")
    token_ca("revoke", "mine", "--ca", "owner.pem", "--key", uri, "--db", "owner.db")
    assert "verify OK" in openssl(token_ca, "crl", "-in", "owner.crl", "-noout", "-CAfile", "owner.pem")


def test_two_keys_of_one_token_at_once(token_ca, token):
    """One login does for both."""
    token_ca("command", "both", "--permission", "all", "--key", token.uri("RSA"), "--issuer", "ca")
    openssl(token_ca, "verify", "-CAfile", "cacert.pem", "both.pem")


def test_init_with_a_file_s_key(token_ca, tree, tmp_path):
    (tmp_path / "ca").mkdir()
    openssl(token_ca, "genpkey", "-algorithm", "RSA", "-out", tmp_path / "ca/root.key")
    done = run([tree.bin / "vmm_ca", "init", "--key", "root.key", "--server", "localhost"], cwd=tmp_path / "ca")
    assert done.code == 0 and "RSA 2048" in done.out and not (tmp_path / "ca/ca.key").exists()


# Served

@pytest.fixture(scope="module")
def token_family(tree, token_ca, tmp_path_factory):
    family = Family(tree, token_ca, tmp_path_factory.mktemp("family")).start()
    yield family
    family.close()


def test_deployed_and_taken_back(token_family, token_ca, tree):
    dev = token_ca.delegation(token_ca.unique("dev"))
    name = token_ca.unique("hello")
    token_family.deploy(token_ca.vm(name, tree.guest("hello"), issuer=dev, args=["Hello"]))
    until(lambda: [line for line in token_family.console(f"{dev}/{name}") if "Hello" in line.get("line", "")],
          "hello says so")
    later = token_ca.vm(token_ca.unique("later"), tree.guest("hello"), issuer=dev)
    revocation = token_ca.revoke(dev, issuer="ca")
    done = token_family.client(revocation)
    assert (done.code, done.out.splitlines()[0]) == (0, "success"), done
    assert token_family.client(later).code != 0, "nothing below dev is taken any more"
    assert dev not in str(token_family.running())


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_s_key_on_the_token(token_family, token_ca, token, kind):
    name = token_ca.unique("card")
    token_ca("command", name, "--permission", "all", "--key", token.uri(kind), "--issuer", "ca")
    chain = Chain(token_ca.path(f"{name}.bundle"), token.uri(kind))
    done = token_family.client(chain, "info")
    assert (done.code, done.err) == (0, "")
    done = token_family.client(Chain(chain.bundle, token.uri("P-384" if kind == "RSA" else "RSA")), "info")
    assert re.fullmatch(rf"failed pkcs11:token=vmm%20test;object=\S+: is not the key of {name}, .*\n", done.err)
    done = token_family.client(Chain(chain.bundle, token.uri("none")), "info")
    assert done.code != 0 and "no such private key on token 'vmm test'" in done.err


# What is refused

REFUSED = {
    "token": (";token=none", "pkcs11:token=none;object=P-256: no such token; there is 'vmm test'"),
    "key": ("none;type=private", "no such private key on token 'vmm test'; there is '.*P-256'.*"),
    "public": ("P-256;type=public", "no such private key on token 'vmm test'; there is .*"),
    "all": ("", "pkcs11:token=vmm%20test: means 3 private keys: object= or id= names one"),
    "another": ("RSA", "pkcs11:token=vmm%20test;object=RSA: is not the key of cacert.pem"),
    "slot": ("P-256;slot-id=1", ".*: taken are token, manufacturer, .* and pin-source"),
    "words": ("P-256;what", ".*: is no pkcs11: URI as RFC 7512 has it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_key_that_is_not_there(token_ca, token, asked, case):
    named, why = REFUSED[case]
    query = f"?pin-source=file:{token.pin_file}"
    uri = "pkcs11:token=vmm%20test" + (f";object={named}" if named else "") + query
    if case == "token":
        uri = "pkcs11:token=none;object=P-256" + query
    assert re.fullmatch("(pkcs11:.*: )?" + why, refused(token_ca, *sign(asked, uri)))


PINS = {
    "wrong": ("pin-value=1111", "token 'vmm test': wrong PIN; it was tried once, several wrong ones lock a token"),
    "long": (f"pin-value={300 * '1'}", "pin-value: is longer than a PIN"),
    "none": ("", "token 'vmm test' wants its PIN, and there is no terminal to ask on: pin-source=file:/PATH .*"),
    "file": ("pin-source=file:/nowhere/pin", "pin-source: /nowhere/pin: No such file or directory"),
    "empty": ("pin-source=/dev/null", "pin-source: /dev/null: holds no PIN"),
    "scheme": ("pin-source=https://pin", "pin-source: 'https://pin' is not file: and an absolute path"),
}


@pytest.mark.parametrize("case", PINS)
def test_a_pin_that_does_not_do(token_ca, token, asked, case):
    query, why = PINS[case]
    assert re.fullmatch(why, refused_without_terminal(token_ca, *sign(asked, token.uri("P-256", query))))


def refused_without_terminal(ca, *words):
    done = run([ca.tree.bin / "vmm_ca", *words], cwd=ca.folder, start_new_session=True)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1), done
    return done.err.rstrip("\n").removeprefix("vmm_ca: ")


@pytest.mark.parametrize("query", ["pin-value={pin}", "pin-source={file}", "pin-source=file://{file}"])
def test_where_a_pin_may_stand(token_ca, token, asked, query):
    token_ca(*sign(asked, token.uri("P-256", query.format(pin=PIN, file=token.pin_file))))


def test_a_wrong_pin_is_tried_once(token_ca, token, asked, tmp_path, monkeypatch):
    """As the module sees it, by a module between that writes down what it is asked. That one never frees
    its own tables: a leak that the other tests, with the same module and no spy, would show."""
    if not SPY.exists():
        pytest.skip("takes pkcs11-spy: the package opensc-pkcs11")
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")
    monkeypatch.setenv("PKCS11SPY", str(token.module))
    monkeypatch.setenv("PKCS11SPY_OUTPUT", str(tmp_path / "spied"))
    refused(token_ca, *sign(asked, token.uri("P-256", f"module-path={SPY}&pin-value=1111")))
    assert (tmp_path / "spied").read_text().count("C_Login\n") == 1


def test_several_tokens(token_ca, other_token, asked):
    """The one that is meant is said, by any of its fields."""
    other_token.key("here")
    second = Token(other_token.folder, "second").init()
    uri = f"pkcs11:object=here?pin-source={other_token.pin_file}"
    assert re.fullmatch(r"pkcs11:object=here: means 2 tokens, '(other|second)', '(other|second)': token= or serial= "
                        "names one", refused(token_ca, *sign(asked, uri)))
    assert refused(token_ca, *sign(asked, second.uri("here"))) == \
        "pkcs11:token=second;object=here: there is no private key on token 'second'"
    assert refused(token_ca, *sign(asked, other_token.uri("here"))).endswith("is not the key of cacert.pem")


def test_several_keys(token_ca, other_token):
    number = [other_token.key("twin") for _ in range(2)][1]
    words = ("command", "twin", "--permission", "all", "--key")
    assert refused(token_ca, *words, other_token.uri("twin")) == \
        "pkcs11:token=other;object=twin: means 2 private keys: object= or id= names one"
    token_ca(*words, other_token.uri(id=f"%{number}"))


def test_keys_that_are_not_taken(token_ca, other_token):
    """One whose public half is nowhere, one of another curve, one that libp11 does not know."""
    words = ("command", "odd", "--permission", "all", "--key")
    other_token.key("small", "EC:prime192v1")
    assert refused(token_ca, *words, other_token.uri("small")).endswith("must be P-256 or P-384")
    number = other_token.key("half")
    other_token.tool("--delete-object", "--type", "pubkey", "--id", number)
    assert refused(token_ca, *words, other_token.uri("half")) == \
        "pkcs11:token=other;object=half: neither its public key nor a certificate is beside it on the token"
    other_token.key("edwards", "EC:edwards25519")
    assert refused(token_ca, *words, other_token.uri("half")).endswith(
        "libp11 lists no token with a key on it that is neither EC nor RSA, as Ed25519")


MODULES = {
    "none": ("/nowhere/module.so", r"no PKCS#11 module: /nowhere/module.so: cannot open .*"),
    "library": ("libcrypto.so.3", "libcrypto.so.3: is a library, but no PKCS#11 module"),
}


@pytest.mark.parametrize("case", MODULES)
def test_modules_that_are_none(token_ca, token, asked, monkeypatch, case):
    path, why = MODULES[case]
    uri = token.uri("P-256", "")
    assert re.fullmatch(why, refused(token_ca, *sign(asked, f"{uri}?module-path={path}")))
    for variable in ("PKCS11_MODULE_PATH", "PKCS11_PROVIDER_MODULE"):
        monkeypatch.setenv(variable, path)
        assert re.fullmatch(why, refused(token_ca, *sign(asked, uri)))
        monkeypatch.setenv(variable, str(token.module))


def test_a_module_without_tokens(token_ca, token, asked, tmp_path, monkeypatch):
    """Nothing is on them yet."""
    empty = Token(tmp_path / "empty")
    monkeypatch.setenv("SOFTHSM2_CONF", empty.environment["SOFTHSM2_CONF"])
    assert refused(token_ca, *sign(asked, "pkcs11:token=vmm")) == f"pkcs11:token=vmm: there is no token by {token.module}"


def test_the_modules_that_p11_kit_knows(token_ca, token, asked, monkeypatch):
    """Nothing names the module: the host's configuration does, and its package put it there."""
    if not list(Path("/usr/share/p11-kit/modules").glob("softhsm*")):
        pytest.skip("softhsm2 is not among p11-kit's modules")
    monkeypatch.delenv("PKCS11_MODULE_PATH")
    token_ca(*sign(asked, token.uri("P-256")))
    monkeypatch.setenv("SOFTHSM2_CONF", "/nowhere")
    assert re.search(r"no such token; there is|there is no token; its module comes in a package \(opensc-pkcs11 ",
                     refused(token_ca, *sign(asked, token.uri("P-256")))), "whatever else this host has"


def test_issuer_key_belongs_to_issuer(token_ca, token):
    done = token_ca("command", "alone", "--permission", "all", "--issuer-key", token.uri("P-256"), check=False)
    assert (done.code, done.err) == (2, "vmm_ca command: --issuer-key belongs to signing: give --issuer too\n")


# The PIN typed

def typed(ca, uri, name, *pins, prompt="PIN of token 'vmm test': "):
    """What is said after them; nothing that was typed is seen."""
    words = [str(ca.tree.bin / "vmm_ca"), *sign(str(ca.path(name)), uri)]
    words = [str(ca.path(word)) if word in ("cacert.pem", "ca.db") else word for word in words]
    terminal = Terminal(words)
    for pin, text in zip(pins, itertools.chain([prompt], itertools.repeat("key PIN for "))):
        terminal.await_text(text)
        until(lambda: not echoes(terminal.fd), "echo is off")
        terminal.type(pin + "\n")
    code, said = terminal.wait()
    assert not any(pin and pin in terminal.seen for pin in pins)
    return code, said.strip()


def echoes(fd):
    return bool(termios.tcgetattr(fd)[3] & termios.ECHO)


def test_a_pin_is_typed(token_ca, token, asked):
    code, said = typed(token_ca, token.uri("P-256", ""), asked, PIN)
    assert code == 0 and said.startswith(f"{asked}: a command certificate signed by")


def test_a_wrong_pin_is_typed_once(token_ca, token, asked):
    code, said = typed(token_ca, token.uri("P-256", ""), asked, "1111")
    assert (code, said) == (1, "vmm_ca: token 'vmm test': wrong PIN; it was tried once, several wrong ones lock a token")


def test_no_pin_is_typed(token_ca, token, asked):
    code, said = typed(token_ca, token.uri("P-256", ""), asked, "")
    assert (code, said) == (1, "vmm_ca: token 'vmm test': no PIN was typed")


def test_a_key_that_wants_its_pin_each_time(tree, token_ca, other_token, tmp_path):
    other_token.key("each", more=["--always-auth"])
    uri = other_token.uri("each", "")
    words = [str(tree.bin / "vmm_ca"), "init", "--dir", str(tmp_path / "ca"), "--server", "localhost", "--key", uri]
    terminal = Terminal(words)
    for text in ("PIN of token 'other': ", "key PIN for each:", "key PIN for each:"):  # the root, the server
        terminal.await_text(text)
        until(lambda: not echoes(terminal.fd), "echo is off")
        terminal.type(PIN + "\n")
    code, said = terminal.wait()
    assert code == 0, said


# What doc/operating.md has one type

def page():
    """The lines of its sections on tokens and on what they signed, as a script."""
    sections = ("Keys on a token", "What is to be renewed")
    return [line for section in sections for block in blocks("doc/operating.md", section)
            for line in block.lines]


def test_the_page_as_it_is_typed(tree, token, tmp_path, monkeypatch):
    own = Token(tmp_path / "token")
    monkeypatch.setenv("SOFTHSM2_CONF", own.environment["SOFTHSM2_CONF"])
    monkeypatch.chdir(tmp_path)
    script = "\n".join(page()).replace("/usr/lib/softhsm/libsofthsm2.so", str(token.module))
    terminal = Terminal(["/bin/sh", "-exc", script], {"PATH": f"{tree.bin}:{os.environ['PATH']}"})
    signing = sum("pkcs11:" in line for line in page())
    others = ["SO PIN: "] * 2 + ["user PIN: "] * 2 + ["User PIN: "]
    for prompt in others + ["PIN of token 'vmm': "] * signing:
        terminal.await_text(prompt)
        until(lambda: not echoes(terminal.fd), "echo is off")
        terminal.type(PIN + "\n")
    code, said = terminal.wait()
    assert code == 0, said
    assert re.search(r"^dev +\w+  delegation .*  revoked\r$", said, re.MULTILINE)
    assert re.search(r"^admin +\w+  command .*  valid\r$", said, re.MULTILINE)
    assert said.rstrip().endswith("--expiring --days 60"), "nothing is to be renewed"
