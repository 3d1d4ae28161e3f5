"""The Kubernetes manifests: valid, hardened, and their containers do their work."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from netcup_mailauth.errors import ExitCode
from netcup_mailauth.sandbox import Sandbox
from netcup_mailauth.version import __version__
from tests.world.examples.machine import EXAMPLES, ROOT, Machine

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = EXAMPLES / "kubernetes"
DOCKERFILE = (EXAMPLES / "container" / "Dockerfile").read_text(encoding="utf-8")
VERSIONS = ("1.29", kubernetes_validate.latest_version())
"""The oldest Kubernetes that knows all fields, and the newest whose schema we have."""

Manifest = dict[str, Any]


def manifests(name: str) -> dict[str, Manifest]:
    """The objects of a file, by kind."""
    objects = yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))
    return {manifest["kind"]: manifest for manifest in objects}


CRON = manifests("cronjob.yaml")
INDEXED = manifests("indexed-job.yaml")
JOBS = {
    "CronJob": CRON["CronJob"]["spec"]["jobTemplate"]["spec"],
    "Job": INDEXED["Job"]["spec"],
}
"""What a job is, by the kind of the object that holds it."""


def pod(kind: str) -> Manifest:
    spec: Manifest = JOBS[kind]["template"]["spec"]
    return spec


def mounted(machine: Machine, kind: str, secrets: dict[str, str]) -> None:
    """Put what the pod's volumes hold where its container finds it."""
    (container,) = pod(kind)["containers"]
    volumes = {volume["name"]: volume for volume in pod(kind)["volumes"]}
    claims = {m["PersistentVolumeClaim"]["metadata"]["name"] for m in (CRON, INDEXED)}
    for mount in container["volumeMounts"]:
        volume = volumes[mount["name"]]
        path = mount["mountPath"]
        if "configMap" in volume:
            assert volume["configMap"]["name"] == CRON["ConfigMap"]["metadata"]["name"]
            for name, text in CRON["ConfigMap"]["data"].items():
                machine.write(f"{path}/{name}", text)
        elif "secret" in volume:
            assert volume["secret"]["secretName"] == CRON["Secret"]["metadata"]["name"]
            for name in CRON["Secret"]["stringData"]:
                machine.write(f"{path}/{name}", secrets[name.upper()])
        else:
            assert volume["persistentVolumeClaim"]["claimName"] in claims
            machine.at(path).mkdir(parents=True, exist_ok=True)


def environment(machine: Machine, kind: str) -> dict[str, str]:
    (container,) = pod(kind)["containers"]
    return {entry["name"]: machine.placed(entry["value"]) for entry in container["env"]}


def words(kind: str, **variables: str) -> list[str]:
    """The container's arguments, with $(NAME) replaced as the kubelet does."""
    (container,) = pod(kind)["containers"]
    return [
        re.sub(r"\$\((\w+)\)", lambda found: variables[found[1]], word)
        for word in container["args"]
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_kubernetes_knows_every_field(path: Path, version: str) -> None:
    for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("kind", JOBS)
def test_a_run_that_fails_is_not_tried_again(kind: str) -> None:
    job = JOBS[kind]
    assert pod(kind)["restartPolicy"] == "Never"
    limit = "backoffLimitPerIndex" if kind == "Job" else "backoffLimit"
    assert job[limit] == 0


def test_one_run_at_a_time() -> None:
    assert CRON["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid"


@pytest.mark.parametrize("kind", JOBS)
def test_it_meets_the_restricted_pod_security_standard(kind: str) -> None:
    """As https://kubernetes.io/docs/concepts/security/pod-security-standards/ lists it."""
    spec = pod(kind)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] != 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert spec["automountServiceAccountToken"] is False
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    kinds = {key for volume in spec["volumes"] for key in volume} - {"name"}
    assert kinds == {"configMap", "secret", "persistentVolumeClaim"}


@pytest.mark.parametrize("kind", JOBS)
def test_no_secret_is_in_an_environment(kind: str) -> None:
    (container,) = pod(kind)["containers"]
    assert {e["name"] for e in container["env"]} == {
        "CREDENTIALS_DIRECTORY",
        "NETCUP_MAILAUTH_STATE_DIR",
    }
    assert "envFrom" not in container


def test_the_image_has_what_the_manifests_and_the_compose_file_count_on() -> None:
    steps = re.findall(r"^([A-Z]+) (.+)$", DOCKERFILE.replace("\\\n", ""), re.MULTILINE)
    last = dict(steps)  # of each kind of step, the last one is in force
    assert last["ENTRYPOINT"] == '["netcup-mailauth"]'
    assert last["USER"] == f"{pod('CronJob')['securityContext']['runAsUser']}:65532"
    made = shlex.split(last["RUN"])
    assert made[made.index("--home-dir") + 1] == "/var/lib/netcup-mailauth"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (version,) = set(re.findall(r"^FROM python:3\.(\d+)-slim", DOCKERFILE, re.MULTILINE))
    assert f"Programming Language :: Python :: 3.{version}" in project["classifiers"]


def test_the_cron_job_applies_the_config_map(machine: Machine) -> None:
    mounted(machine, "CronJob", {"NETCUP_REST_API_KEY": "", **machine.secrets})
    ended = machine.run(words("CronJob"), environment(machine, "CronJob"))
    assert ended.code == ExitCode.OK, ended.stderr
    for domain in ("example.com", "example.org"):
        assert machine.records(domain, "dkim._domainkey", "v=DKIM1")
        assert machine.records(domain, "_dmarc", "v=DMARC1")
    assert list(machine.at("/var/lib/netcup-mailauth").rglob("*.json"))  # what undo needs


def test_the_indexed_job_takes_each_domain_exactly_once(tmp_path: Path) -> None:
    domains = [f"example-{number}.com" for number in range(9)]
    config = "[defaults]\nspf = { require = ['ip4:203.0.113.7'] }\n"
    config += "".join(f'[domains."{domain}"]\n' for domain in domains)
    with Sandbox(domains) as sandbox:
        machine = Machine(tmp_path / "machine", sandbox)
        mounted(machine, "Job", machine.secrets)
        machine.write("/etc/netcup-mailauth/netcup-mailauth.toml", config)
        done = []
        for index in range(INDEXED["Job"]["spec"]["completions"]):
            ended = machine.run(
                words("Job", JOB_COMPLETION_INDEX=str(index)), environment(machine, "Job")
            )
            assert ended.code == ExitCode.OK, ended.stderr
            done += [domain for domain in domains if domain in ended.stdout]
    assert sorted(done) == domains


def test_the_image_has_one_name_everywhere_and_the_version_of_this_tree() -> None:
    """So that what is built or pulled under it is what each of the examples starts."""
    files = [path for path in EXAMPLES.rglob("*") if path.is_file()]
    named = {
        name
        for path in files
        for name in re.findall(r"[\w./-]*netcup-mailauth:\d[\w.]*", path.read_text("utf-8"))
    }
    assert named == {f"registry.example.com/netcup-mailauth:{__version__}"}
    release = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert "file: examples/container/Dockerfile" in release
    assert "ghcr.io/OWNER/netcup-mailauth:VERSION" in DOCKERFILE
    assert "ghcr.io/${GITHUB_REPOSITORY,,}" in release
    assert "platforms: linux/amd64,linux/arm64" in release
