#!/bin/sh
# Installs what Respite needs from Debian and is not there: `deploy/bootstrap.sh [python] [kafka] [prometheus]
# [browser] [curl] [faketime]`, the first two by default. The others are for the tests: `prometheus` with its
# alertmanager, no service is left running; `browser` is Chromium, with fonts for the screenshots; `curl` is
# what the manual asks with; `faketime` sets the clock of one process, for `make chaos`.
# Does nothing, at once, when all is there. Uses apt-get as root or with a sudo that asks no password;
# otherwise it says what to install and fails.
set -eu
cd "$(dirname "$0")/.."
parts=${*:-python kafka}
for part in $parts; do
    case $part in
    python | kafka | prometheus | browser | curl | faketime) ;;
    *)
        echo "bootstrap: unknown part: $part; known are python, kafka, prometheus, browser, curl and faketime" >&2
        exit 2
        ;;
    esac
done

python_ready() {
    python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

java_ready() {
    java=java
    if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then java=$JAVA_HOME/bin/java; fi
    major=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${major:-0}" -ge 17 ]
}

maven_ready() {
    # Only needed to fill the cache, once.
    if [ -n "${MAVEN_HOME:-}" ] && [ -x "$MAVEN_HOME/bin/mvn" ]; then return 0; fi
    command -v mvn >/dev/null || python3 deploy/kafka/broker.py install >/dev/null 2>&1
}

prometheus_ready() {
    command -v prometheus >/dev/null && command -v promtool >/dev/null
}

alertmanager_ready() {
    # Debian's name, and everybody else's.
    { command -v prometheus-alertmanager || command -v alertmanager; } >/dev/null && command -v amtool >/dev/null
}

faketime_ready() {
    for library in /usr/lib/*/faketime/libfaketimeMT.so.1; do [ -e "$library" ] && return 0; done
    return 1
}

missing() {
    for part in $parts; do
        case $part in
        python) python_ready || echo python3 python3-venv ;;
        kafka)
            [ -z "${RESPITE_BROKER:-}" ] || continue
            java_ready || echo "$1"
            maven_ready || echo maven
            ;;
        prometheus)
            prometheus_ready || echo prometheus
            alertmanager_ready || echo prometheus-alertmanager
            ;;
        faketime) faketime_ready || echo libfaketime ;;
        curl) command -v curl >/dev/null || echo curl ;;
        browser)
            command -v chromium >/dev/null || echo chromium
            command -v fc-list >/dev/null && [ -n "$(fc-list :lang=zh 2>/dev/null)" ] || echo fontconfig fonts-noto-cjk
            ;;
        esac
    done | tr '\n' ' '
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

packages=$(missing default-jre-headless)
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null || ! as_root true 2>/dev/null; then
    {
        echo "bootstrap: missing: $packages(Debian's names)"
        echo "bootstrap: install them:  apt-get install $packages"
        case " $parts " in *kafka*) echo "bootstrap: or set RESPITE_BROKER to the host:port of a Kafka that already runs" ;; esac
    } >&2
    exit 1
fi

install_packages() {
    echo "bootstrap: installing $*from Debian with apt-get" >&2
    as_root apt-get update -qq
    # shellcheck disable=SC2086  # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends $* >&2
}
# Debian's packages start their services at once and at every boot; the tests start their own.
case " $packages" in
*" prometheus"*)
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'as_root rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    ;;
esac
install_packages "$packages"
case " $packages" in
*" prometheus"*)
    if [ -d /run/systemd/system ]; then as_root systemctl --quiet disable prometheus prometheus-alertmanager; fi
    ;;
esac

# Where the default Java is older than 17, a newer one stands beside it under its own name.
still=$(missing openjdk-17-jre-headless)
[ -z "$still" ] || install_packages "$still"
still=$(missing "Java 17 or newer")
if [ -n "$still" ]; then
    echo "bootstrap: still missing: $still" >&2
    exit 1
fi
