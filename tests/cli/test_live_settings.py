from pathlib import Path

import pytest

from runner.cli import environment, live_settings
from runner.errors import EnvironmentFault, Refused, UsageError

HERE = {"BINANCE_FUTURES_REST_URL": "http://127.0.0.1:9001", "BINANCE_FUTURES_WS_URL": "ws://127.0.0.1:9001"}
KEYS = {"BINANCE_API_KEY": "the-key", "BINANCE_API_SECRET": "the-secret"}


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    environment._of_file.clear()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_everything_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, **HERE, **KEYS, DAKSH_TIMINGS="poll=1s,trust_after=3s", XDG_STATE_HOME=str(tmp_path))
    live = live_settings.live_options("live")
    assert (live.mode, live.endpoints.rest, live.endpoints.ws) == ("live", *HERE.values())
    assert live.credentials.key.reveal() == "the-key" and live.credentials.secret.reveal() == "the-secret"
    assert (live.timings.poll_ms, live.pace.trust_after_ms, live.proxy) == (1_000, 3_000, None)
    assert live.state_home == tmp_path / "daksh-run"
    assert "the-" not in repr(live)


def test_the_demo_exchange_is_binances_own_without_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **KEYS)
    assert live_settings.live_options("demo").endpoints.rest == "https://demo-fapi.binance.com"


@pytest.mark.parametrize("mode", ["demo", "live"])
def test_a_host_of_real_money_is_refused_in_every_mode_before_keys_are_looked_at(
    mode: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, BINANCE_FUTURES_REST_URL="https://fapi.binance.com", BINANCE_FUTURES_WS_URL=HERE[
        "BINANCE_FUTURES_WS_URL"])
    with pytest.raises(Refused, match=r"where real money is.*nothing was sent"):
        live_settings.live_options(mode)


def test_missing_keys_are_named_and_not_missed_where_none_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **HERE)
    with pytest.raises(EnvironmentFault, match="BINANCE_API_KEY and BINANCE_API_SECRET: not set"):
        live_settings.live_options("demo")
    assert not live_settings.live_options("demo", keys_needed=False).credentials.key


@pytest.mark.parametrize("secret", ["/no/such/hush.pem", "two hush words", "-----BEGIN PRIVATE KEY-----hush"])
def test_a_secret_that_can_be_none_is_not_shown(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **HERE, BINANCE_API_KEY="the-key", BINANCE_API_SECRET=secret)
    try:
        live = live_settings.live_options("demo")
    except EnvironmentFault as fault:
        assert "hush" not in f"{fault.message} {fault.hint} {fault.__context__}"
    else:
        assert "hush" not in repr(live)


def test_an_open_file_of_a_private_key_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    )
    file = tmp_path / "key.pem"
    file.write_bytes(pem)
    file.chmod(0o644)
    given(monkeypatch, **HERE, BINANCE_API_KEY="the-key", BINANCE_API_SECRET=str(file))
    assert live_settings.live_options("demo").credentials.ed25519
    assert "others on this machine can read the private key" in capsys.readouterr().err
    file.chmod(0o600)
    assert live_settings.live_options("demo").credentials.ed25519
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("BINANCE_API_SECRET", pem.decode().replace("\n", "\\n"))
    assert live_settings.live_options("demo").credentials.ed25519


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "binance.com, x.org"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".binance.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "nance.com"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "*"}, None),
    ],
)
def test_the_proxy_is_that_of_the_scheme_but_for_excepted_hosts(
    variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, **KEYS, **variables)
    assert live_settings.live_options("demo").proxy == proxy


def test_a_url_with_more_than_a_host_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **KEYS, BINANCE_FUTURES_REST_URL="http://127.0.0.1:9001/fapi")
    with pytest.raises(UsageError, match="BINANCE_FUTURES_REST_URL"):
        live_settings.live_options("demo")
