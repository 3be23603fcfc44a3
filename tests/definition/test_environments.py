"""Environments: merged key by key, one level; hosts and secrets as written."""

from __future__ import annotations

from runbook_tui.definition.plan import PlanHost, SecretSource
from tests.definition.builders import loaded, planned

_ENVIRONMENTS = """
defaults:
  vars: {image: app, tag: 1.10, flag: true}
  hosts: {app: [deploy@app-0], db: [db-1]}
  secrets: {TOKEN: {env: TOKEN}, KEY: {file: /k}}
  ssh_config: ssh.cfg
production:
  protected: true
  lock: live
  vars: {tag: v2}
  hosts:
    app:
      - deploy@app-1:2222
      - "[::1]:22"
      - {name: blue, address: 127.20.0.2, user: ops, port: 22}
  secrets: {TOKEN: {command: pass show token}}
staging:
"""


def test_merging() -> None:
    found = loaded("- run: echo", "environments: e.yaml\n", e=_ENVIRONMENTS).environments
    production, staging = found["production"], found["staging"]
    assert list(found) == ["production", "staging"]
    assert production.vars == {"image": "app", "tag": "v2", "flag": "true"}
    assert staging.vars == {"image": "app", "tag": "1.10", "flag": "true"}
    assert (production.protected, production.lock, production.ssh_config) == (
        True,
        "live",
        "ssh.cfg",
    )
    assert (staging.protected, staging.lock) == (False, "staging")
    assert production.groups == {
        "app": (
            PlanHost("app-1", "deploy", "app-1", 2222),
            PlanHost("::1", None, "::1", 22),
            PlanHost("blue", "ops", "127.20.0.2", 22),
        ),
        "db": (PlanHost("db-1", None, "db-1"),),
    }
    assert production.secrets == {
        "TOKEN": SecretSource("TOKEN", "command", "pass show token"),
        "KEY": SecretSource("KEY", "file", "/k"),
    }


def test_a_file_may_name_its_only_key() -> None:
    wrapped = "environments:\n  only: {vars: {a: b}}\n"
    plan = planned("- run: echo", "environments: e.yaml\n", "only", e=wrapped)
    assert plan.home().vars == {"a": "b"}


def test_a_runbook_without_environments() -> None:
    plan = planned("- run: echo")
    assert (plan.environment, plan.home().protected, plan.home().lock) == ("", False, "")
