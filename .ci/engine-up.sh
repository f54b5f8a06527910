#!/bin/sh
# Brings a Docker Engine up on a Debian machine without systemd. Safe to run again, and from two shells at once.
# Touches nothing when an engine answers already. LAB_SOCK, LAB_PIDFILE and LAB_LOG move the engine's files.
set -eu
SOCK=${LAB_SOCK:-/var/run/docker.sock}
PID_FILE=${LAB_PIDFILE:-/var/run/rocketmq-lab-dockerd.pid}
LOG=${LAB_LOG:-/var/log/rocketmq-lab-dockerd.log}
CONTAINERD_PID_FILE=/var/run/docker/containerd/containerd.pid
PACKAGES="curl docker.io docker-compose iproute2 iptables busybox-static"

answers() { curl -fsS --max-time 3 --unix-socket "$SOCK" http://docker/_ping >/dev/null 2>&1; }
# The program behind a pid file; empty for a missing file, a dead process and a zombie (whose /proc entry still exists).
program_of() { readlink "/proc/$(cat "$1" 2>/dev/null || echo 0)/exe" 2>/dev/null || true; }
installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

install_missing() {
  missing=""
  for package in $PACKAGES; do installed "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  echo "installing:$missing"
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
    $missing >/dev/null
}

# A lab address without its network must not leave the machine by the default route: something out there may even answer.
guard_lab_addresses() {
  ip route show 198.51.100.0/24 | grep -q unreachable || ip route add unreachable 198.51.100.0/24 metric 4096
}

start() {
  case $(program_of "$PID_FILE") in
  */dockerd*) return 0 ;; # alive and still starting
  esac
  rm -f "$PID_FILE" # a stale file makes dockerd refuse to start
  case $(program_of "$CONTAINERD_PID_FILE") in
  */containerd*) kill -KILL "$(cat "$CONTAINERD_PID_FILE")" ;; # orphan of a killed dockerd; it would hang the next start
  esac
  rm -f "$CONTAINERD_PID_FILE"
  if [ ! -d /sys/fs/cgroup/memory ] && [ ! -f /sys/fs/cgroup/cgroup.controllers ]; then
    echo "cgroups are not mounted: mount them below /sys/fs/cgroup first" >&2
    exit 1
  fi
  ulimit -n "$(ulimit -Hn)" # the engine's own limit is the ceiling for its containers
  setsid nohup dockerd -H "unix://$SOCK" --pidfile "$PID_FILE" \
    --bip 198.51.100.193/28 --default-address-pool base=198.51.100.208/28,size=29 >>"$LOG" 2>&1 </dev/null 9>&- &
}

wait_until_it_answers() {
  tries=0
  until answers; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then
      echo "dockerd did not answer within a minute; the end of $LOG:" >&2
      tail -20 "$LOG" >&2
      exit 1
    fi
    sleep 0.1
  done
}

exec 9>"$PID_FILE.lock"
flock -w 300 9
install_missing
guard_lab_addresses
if ! answers; then
  start
  wait_until_it_answers
fi
echo "Docker Engine answers on $SOCK"
