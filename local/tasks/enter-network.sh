# Runs inside a task's new network namespace, before anything else: raises the loopback interface and lets any user
# of the container bind low ports, as Docker and Fargate do. Then becomes the given command.
set -e
{
  ip link set lo up ||
    busybox ip link set lo up ||
    ifconfig lo up ||
    # SIOCSIFFLAGS with IFF_UP: perl is on nearly every Linux, iproute2 is not.
    perl -e 'socket(my $s, 2, 2, 0) or exit 1; ioctl($s, 0x8914, pack("a16 s x22", "lo", 1)) or exit 1'
} 2>/dev/null || { echo 'cannot raise the loopback interface: install iproute2' >&2; exit 1; }
# A container's /proc/sys may be read-only; then only the container's root may bind low ports.
(echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start) 2>/dev/null || true
exec "$@"
