# Becomes a task's first process inside its own root. Runs in new mount and PID namespaces as their process 1.
# Arguments: root, overlay options ('' when the root is a plain folder), then the command that changes the root.
# File descriptor 3 gets `started <pid>`, the process id as the host sees it, or the reason why it cannot start.
exec 4>&2 2>&3
set -e
root=$1 overlay=$2
shift 2
[ -z "$overlay" ] || mount -t overlay overlay -o "$overlay" "$root"
for name in proc dev sys; do
  # An image with a link here would have us mount outside of its root.
  [ ! -L "$root/$name" ] || { echo "/$name of the image is a symbolic link"; exit 1; } >&3
  [ -d "$root/$name" ] || mkdir "$root/$name"
done
# Still the host's /proc: its view of this very shell is the pid that the host can signal.
read -r pid rest </proc/self/stat
# A host name of its own, where a program is at hand that can set it: the file below /proc/sys is for real root only.
{ read -r name <"$root/etc/hostname" && { hostname "$name" || busybox hostname "$name"; }; } 2>/dev/null || true
# Where /proc is partly hidden (inside Docker), the kernel allows no new one.
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
mount -t tmpfs -o mode=755,size=64k tmpfs "$root/dev"
for name in null zero full random urandom tty; do
  : >"$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir "$root/dev/shm"
# Docker's own size of /dev/shm.
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/dev/shm"
echo "started $pid" >&3
exec 2>&4 3>&- 4>&-
exec "$@"
