#!/bin/sh
# Installs what Respite needs from Debian and is not there: `deploy/bootstrap.sh [python] [kafka]`, both by default.
# Does nothing, at once, when all is there. Uses apt-get as root or with a sudo that asks no password;
# otherwise it says what to install and fails.
set -eu
cd "$(dirname "$0")/.."
parts=${*:-python kafka}
for part in $parts; do
    case $part in
    python | kafka) ;;
    *)
        echo "bootstrap: unknown part: $part; known are python and kafka" >&2
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

missing() {
    for part in $parts; do
        case $part in
        python) python_ready || echo python3 python3-venv ;;
        kafka)
            [ -z "${RESPITE_BROKER:-}" ] || continue
            java_ready || echo "$1"
            maven_ready || echo maven
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
install_packages "$packages"

# Where the default Java is older than 17, a newer one stands beside it under its own name.
still=$(missing openjdk-17-jre-headless)
[ -z "$still" ] || install_packages "$still"
still=$(missing "Java 17 or newer")
if [ -n "$still" ]; then
    echo "bootstrap: still missing: $still" >&2
    exit 1
fi
