"""Which requests a node makes, as far as that is known before a host is looked up."""

from __future__ import annotations

from collections.abc import Sequence

from gridsched.errors import HostNotAllowed, InvalidJob
from gridsched.model.http import HttpTask, secrets_of, split_url
from gridsched.policy.allow_list import allowed
from gridsched.policy.allowed_hosts import AllowedHosts


def check_request(task: HttpTask, hosts: AllowedHosts, secrets: Sequence[str]) -> None:
    """HostNotAllowed, or InvalidJob for an environment variable that matches no pattern of
    `secrets`."""
    check_host(task.url, hosts)
    check_secrets(task, secrets)


def check_host(url: str, hosts: AllowedHosts) -> None:
    """HostNotAllowed where no address of the URL's host can be allowed."""
    host = split_url(url).hostname or ""
    if not hosts.may_name(host):
        listed = ", ".join(hosts.entries) or "(empty)"
        raise HostNotAllowed(
            f"host {host} is not on this node's list of hosts: {listed}; "
            "add it to allowedhosts (XML) or allowed_hosts; patterns mean public addresses alone"
        )


def check_secrets(task: HttpTask, patterns: Sequence[str]) -> None:
    """InvalidJob where the task names an environment variable that no pattern matches."""
    for name in secrets_of(task):
        if not allowed(name, patterns):
            listed = ", ".join(patterns) or "(empty)"
            raise InvalidJob(
                f"${{env:{name}}} is not on this node's list of secrets: {listed}; "
                "add it to allowedsecrets (XML) or allowed_secrets"
            )
