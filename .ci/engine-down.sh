#!/bin/sh
# Stops only the Docker Engine that engine-up.sh started here (its pid file); dockerd stops its containers itself.
set -eu
PID_FILE=${LAB_PIDFILE:-/var/run/rocketmq-lab-dockerd.pid}
[ -f "$PID_FILE" ] || exit 0
pid=$(cat "$PID_FILE")
case $(readlink "/proc/$pid/exe" 2>/dev/null || true) in
*/dockerd*) ;;
*) exit 0 ;;
esac
kill -TERM "$pid"
tries=0
while readlink "/proc/$pid/exe" >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ]; then
    echo "dockerd (pid $pid) did not stop within 30 s" >&2
    exit 1
  fi
  sleep 0.1
done
ip route del unreachable 198.51.100.0/24 metric 4096 2>/dev/null || true
