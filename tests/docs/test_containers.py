"""The image and the compose files keep to good practice."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from click import Context

from simorg.cli import main
from tests.docs.dockerfile import FILE, FINAL, last
from tests.docs.snippets import ROOT

COMPOSE = ("compose.yaml", "compose.postgres.yaml")
SHELL_FREE = ("CMD", "ENTRYPOINT")


# -- the Dockerfile --------------------------------------------------------------------------------


def test_stages_begin_with_a_pinned_slim_base() -> None:
    bases = [each.rest for each in FILE if each.word == "FROM"]
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+-slim(@sha256:\w{64})?( AS \w+)?", b) for b in bases)
    assert len({base.split()[0] for base in bases}) == 1, "the environment moves as it is"


def test_the_base_is_a_python_we_support() -> None:
    told = (ROOT / "setup.cfg").read_text()
    version = re.search(r"python:(3\.\d+)", FILE[0].rest)
    assert version and f"Python :: {version[1]}\n" in told


def test_the_image_runs_as_somebody_without_rights() -> None:
    user, _, group = last("USER").rest.partition(":")
    assert user.isdigit() and group.isdigit() and int(user) >= 10_000
    assert f"--uid {user}" in " ".join(each.rest for each in FINAL if each.word == "RUN")
    after = FINAL[FINAL.index(last("USER")) :]
    assert not [each for each in after if each.word in ("RUN", "COPY", "ADD")]


def test_commands_are_in_exec_form() -> None:
    for word in SHELL_FREE:
        assert last(word).argv
    assert last("HEALTHCHECK").argv and " CMD [" in last("HEALTHCHECK").rest


def test_the_final_stage_holds_no_sources_and_no_cache() -> None:
    copied = [each.rest for each in FINAL if each.word == "COPY"]
    assert copied[0] == "--from=build /opt/simorg /opt/simorg"
    assert [c.split()[0] for c in copied[1:]] == ["examples/containers/healthcheck.py"]
    assert not [each for each in FILE if each.word == "ADD"]
    assert not [each for each in FINAL if each.word == "RUN" and "pip" in each.rest]
    assert "PIP_NO_CACHE_DIR=1" in next(each.rest for each in FILE if each.word == "ENV")


def test_it_says_what_it_is_and_how_it_is_asked_and_stopped() -> None:
    labels = re.findall(r"org\.opencontainers\.image\.(\w+)=", last("LABEL").rest)
    assert {"title", "description", "licenses", "version"} <= set(labels)
    assert last("EXPOSE").rest.split() == ["8080", "8443", "8888"]
    assert last("STOPSIGNAL").rest == "SIGTERM"
    assert last("HEALTHCHECK").argv[0] == "python"


def test_any_engine_can_build_it() -> None:
    """Nothing that only BuildKit, only Docker 25 or only a reachable registry's frontend knows."""
    assert "# syntax=" not in (ROOT / "Dockerfile").read_text()
    flags = re.findall(r"--([a-z-]+)=", last("HEALTHCHECK").rest)
    assert set(flags) == {"interval", "timeout", "start-period", "retries"}
    assert not [each for each in FILE if each.word == "RUN" and each.rest.startswith("--")]


def test_no_secret_is_written_down() -> None:
    texts = [(ROOT / name).read_text() for name in ("Dockerfile", *COMPOSE)]
    texts += [path.read_text() for path in (ROOT / "examples" / "containers").glob("*.example")]
    for text in texts:
        assert not re.search(r"(?:TOKEN|PASSWORD)=(?!\.\.\.)[^\s]", text)
        assert not re.search(r"postgresql://[^/\s]*:[^/\s]*@", text)


def test_the_build_context_is_what_is_copied() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {line[1:] for line in rules if line.startswith("!")}
    copied = set()
    for each in FILE:
        if each.word == "COPY" and "--from=" not in each.rest:
            copied |= set(each.rest.split()[:-1])
    assert copied == let_in
    assert all((ROOT / name).exists() for name in let_in)


# -- compose ---------------------------------------------------------------------------------------


@pytest.fixture(params=COMPOSE)
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / request.param).read_text())
    return told


#: of the compose specification, what is used here
TOP = {"name", "services", "volumes"}
SERVICE = set(
    "image build init restart depends_on env_file command ports volumes healthcheck shm_size"
    " stop_grace_period read_only tmpfs cap_drop security_opt".split()
)
HEALTH = {"test", "interval", "timeout", "retries", "start_period"}


def test_compose_files_are_of_the_specification(compose: dict[str, Any]) -> None:
    assert set(compose) <= TOP
    for service in compose["services"].values():
        assert set(service) <= SERVICE
        assert set(service.get("healthcheck", {})) <= HEALTH
        for name, on in service.get("depends_on", {}).items():
            assert name in compose["services"] and on == {"condition": "service_healthy"}
            assert "healthcheck" in compose["services"][name]
        for place in service["volumes"]:
            assert place.split(":")[0] in compose["volumes"]


def test_services_keep_to_loopback_and_have_no_rights(compose: dict[str, Any]) -> None:
    simorg = compose["services"]["simorg"]
    assert {port.rsplit(":", 1)[0].split(":")[0] for port in simorg["ports"]} == {"127.0.0.1"}
    assert {port.rsplit(":", 1)[1] for port in simorg["ports"]} == set(last("EXPOSE").rest.split())
    assert simorg["read_only"] and simorg["cap_drop"] == ["ALL"] and simorg["init"]
    for service in compose["services"].values():
        assert "no-new-privileges:true" in service["security_opt"]
        assert "environment" not in service and service["env_file"]


def test_env_files_have_examples(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name in service["env_file"]:
            assert (ROOT / "examples" / "containers" / f"{name}.example").is_file()


def test_commands_are_options_of_serve(compose: dict[str, Any]) -> None:
    serve = main.get_command(Context(main), "serve")
    assert serve is not None
    known = {option for each in serve.params for option in each.opts}
    command = compose["services"]["simorg"].get("command", last("CMD").argv)
    assert command[0] == "serve"
    given = {word.partition("=")[0] for word in command if word.startswith("--")}
    assert given <= known and "--host" in given


def test_the_database_has_what_the_docs_ask_for() -> None:
    told = yaml.safe_load((ROOT / "compose.postgres.yaml").read_text())
    database_command = told["services"]["database"]["command"]
    assert "max_locks_per_transaction=512" in database_command
    assert re.fullmatch(r"postgres:\d+", told["services"]["database"]["image"])


def test_the_database_is_asked_over_tcp() -> None:
    """Its image's first, temporary server listens on a Unix socket only."""
    told = yaml.safe_load((ROOT / "compose.postgres.yaml").read_text())
    assert " -h 127.0.0.1 " in told["services"]["database"]["healthcheck"]["test"][1]
