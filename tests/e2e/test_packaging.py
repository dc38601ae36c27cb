"""What packaging/ installs beside the programs: units, names of uids, completion in shells; and the package's words
about itself, against what they are about. The packages themselves are tests/deb's."""

import fnmatch
import re
import shutil

import pytest

from conftest import REPOSITORY
from family import run

PACKAGING = REPOSITORY / "packaging"
DEBIAN = PACKAGING / "debian"


def source(name):
    return (REPOSITORY / name).read_text()


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"takes {tool}")


# systemd


@pytest.fixture
def units(tree, tmp_path):
    """As they are installed, but for where the daemon is."""
    need("systemd-analyze")
    folder = tree.bin.parent / "lib/systemd/system"
    service = (folder / "vmmd.service").read_text()
    assert f"ExecStart={tree.prefix()}/bin/vmmd " in service
    (tmp_path / "vmmd.service").write_text(service.replace(f"={tree.prefix()}/bin", f"={tree.bin}"))
    (tmp_path / "vmmd.socket").write_text((folder / "vmmd.socket").read_text())
    return tmp_path


def test_units(units):
    done = run(["systemd-analyze", "verify", "--man=no", units / "vmmd.service", units / "vmmd.socket"])
    assert (done.code, done.out + done.err) == (0, "")


def test_the_verification_can_fail(units):
    (units / "vmmd.service").write_text((units / "vmmd.service").read_text().replace("Type=notify", "Typ=notify"))
    done = run(["systemd-analyze", "verify", "--man=no", units / "vmmd.service"])
    assert "Typ" in done.err


def test_roles_are_called_by_name():
    """sysusers.d names the uids that vmmd gives its roles."""
    kinds = re.search(r"enum role_kind \{([^}]*)\}", source("src/vmmd/daemon.h"))[1].split(",")
    roles = [kind.strip().removeprefix("ROLE_").lower() for kind in kinds[:-1]]
    named = {int(uid): name for name, uid in
             re.findall(r"^u (\S+) +(\d+) ", source("packaging/systemd/sysusers.conf"), re.M)}
    assert {"auth", "gate"} <= set(roles), "they are found"
    assert "uid_base + 1 + kind" in source("src/vmmd/roles.c")
    for kind, role in enumerate(roles):
        assert named[0x70000001 + kind] == f"vmm_{role}"


@pytest.mark.root("makes users, below a root of its own")
def test_users_and_directories(tmp_path):
    need("systemd-sysusers")
    (tmp_path / "etc").mkdir()
    for line in (["systemd-sysusers", PACKAGING / "systemd/sysusers.conf"],
                 ["systemd-tmpfiles", "--create", PACKAGING / "systemd/tmpfiles.conf"]):
        done = run([line[0], f"--root={tmp_path}", *line[1:]])
        assert done.code == 0 and "not a valid" not in done.err, done
    assert "vmm_gate:x:1879048194:1879048194:" in (tmp_path / "etc/passwd").read_text()
    for name in ("run/vmm", "var/lib/vmm"):
        assert (tmp_path / name).stat().st_mode & 0o7777 == 0o700


# Completion


BASH = """
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_vmm "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
"""

# What _arguments would be told.
ZSH = """
file=$1; shift
words=("$@") CURRENT=$#
_arguments() { print -rl -- "$@" }
_describe() { print -rl -- ${(P)2} }
compadd() { print -rl -- "$@" }
source $file
"""


@pytest.fixture(scope="module")
def folder(ca, tmp_path_factory):
    """What somebody has who completes."""
    folder = tmp_path_factory.mktemp("typed")
    ca.delegation("shared", issuer="ca")
    for name in ("cacert.pem", "ca.key", "ca.db", "shared.bundle", "shared.req"):
        shutil.copy(ca.path(name), folder)
    return folder


@pytest.fixture
def complete(tree, folder):
    """What bash offers for the last word of a line."""
    def offered(*line):
        script = tree.bin.parent / "share/bash-completion/completions" / line[0]
        done = run(["bash", "-c", BASH, "bash", script, tree.bin / line[0], *line[1:]], cwd=folder)
        assert (done.code, done.err) == (0, "")
        return set(done.out.splitlines())
    return offered


def options_in(text):
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", "\n".join(re.findall(r"^  (-.*?)(?:  .*)?$", text, re.M))))


def helps(tree):
    """Every line that has a help of its own, and that."""
    yield ["vmmd"], run([tree.bin / "vmmd", "--help"]).out
    yield ["vmm_client"], run([tree.bin / "vmm_client", "--help"]).out
    for command in re.findall(r"^  (\w+) ", run([tree.bin / "vmm_ca", "help"]).out, re.M):
        if command != "help":
            yield ["vmm_ca", command], run([tree.bin / "vmm_ca", command, "--help"]).out


def test_bash_offers_every_option(tree, complete):
    for line, text in helps(tree):
        assert len(options_in(text)) > 0, line
        assert complete(*line, "-") == options_in(text), line


def test_bash_offers_commands(tree, complete):
    listed = run([tree.bin / "vmm_ca", "help"]).out
    assert complete("vmm_ca", "") == set(re.findall(r"^  (\w+) ", listed, re.M)) >= {"sign", "revoke", "help"}
    table = set(re.findall(r'^    \{"([a-z-]+)", "', source("src/client/command.c"), re.M))
    assert complete("vmm_client", "-c", "") == table >= {"info", "destroy"}


def test_bash_offers_what_fits(complete):
    assert complete("vmm_client", "") == {"cacert.pem"}
    assert complete("vmm_client", "-c", "info", "--json", "cacert.pem", "") == {"shared.bundle"}
    assert complete("vmm_client", "cacert.pem", "shared.bundle", "") == {"ca.key"}
    assert complete("vmm_client", "--db", "ca.db", "-c", "'info s") == {"info shared"}
    assert complete("vmm_ca", "sign", "") == {"shared.req"}
    assert complete("vmm_ca", "sign", "shared.req", "--ca", "") == {"cacert.pem"}
    assert complete("vmm_ca", "revoke", "s") == {"shared"}
    assert complete("vmm_ca", "vm", "new", "--issuer", "") == {"ca"}
    assert complete("vmm_ca", "vm", "") == set()
    assert {"all", "console"} <= complete("vmm_ca", "command", "x", "--permission", "")
    assert complete("vmmd", "--key", "ca.k") == {"ca.key"}


def zsh(tree, folder, file, *line):
    need("zsh")
    done = run(["zsh", "-f", "-c", ZSH, "zsh", tree.bin.parent / "share/zsh/site-functions" / file,
                tree.bin / line[0], *line[1:]], cwd=folder)
    assert (done.code, done.err) == (0, ""), done
    return done.out.splitlines()


def test_zsh_offers_the_same(tree, folder):
    for line, text in helps(tree):
        specs = zsh(tree, folder, "_vmmd" if line == ["vmmd"] else "_vmm_client", *line, "")
        names = {re.match(r"\*?(--?[a-z-]+)", spec)[1] for spec in specs if re.match(r"\*?-", spec)}
        assert names == options_in(text), line
    specs = zsh(tree, folder, "_vmm_client", "vmm_client", "")
    assert [spec for spec in specs if spec[0] == ":"] == [
        ':CACERT:_files -g "*.pem"', ':BUNDLE:_files -g "*.bundle"', ':KEY:_files -g "*.key"',
        ":HOST\\:PORT:_hosts -S :1025"]
    assert "sign:sign a request" in zsh(tree, folder, "_vmm_client", "vmm_ca", "")


# The Debian package's words


def field(name, text):
    return re.search(rf"^{name}: (.*(?:\n .*)*)", text, re.M)[1]


def test_package_is_of_this_version():
    version = re.search(r"^  version: '(.*)',", source("meson.build"), re.M)[1]
    assert source("packaging/debian/changelog").startswith(f"vmm ({version}) ")


def test_package_is_built_with_what_everybody_builds_with():
    """But for the tests, and what packages are made with."""
    wanted = set(re.findall(r"lib[\w-]+-dev|meson|ninja-build|pkg-config", field("Build-Depends", source("packaging/debian/control"))))
    listed = set(run([REPOSITORY / "tests/setup", "list"]).out.split())
    unused = {"libcmocka-dev", "libc6-dev"}
    assert wanted == {name for name in listed if re.fullmatch(r"lib\S+-dev|meson|ninja-build|pkg-config", name)} - unused


def test_packages_have_every_file(tree):
    """In one of the two; what no pattern fits ends the build of them."""
    patterns = [line.split()[0] for path in DEBIAN.glob("*.install") for line in path.read_text().splitlines()]
    prefix = tree.bin.parent
    for path in prefix.rglob("*"):
        name = f"usr/{path.relative_to(prefix)}"
        assert path.is_dir() or any(fnmatch.fnmatch(name, pattern) or name.startswith(f"{pattern}/")
                                    for pattern in patterns), name


@pytest.mark.parametrize("script", ["vmm.postinst", "vmm.prerm", "vmm.postrm"])
def test_scripts_are_shell(script):
    assert run(["sh", "-n", DEBIAN / script]).err == ""


def test_licence_is_the_licence():
    plain = re.sub(r"\s+", " ", source("packaging/debian/copyright").replace("\n .\n", "\n"))
    assert re.sub(r"\s+", " ", source("LICENSE").partition("\n\n")[2].partition("\n\n")[2]).strip() in plain
