# Becomes a task's program inside its own root folder, where the kernel grants no namespaces (root inside Docker).
# Arguments: root, then the command that changes the root. File descriptor 3 as in enter-container.sh.
exec 4>&2 2>&3
set -e
root=$1
shift
# An image with a link here would have us make devices outside of its root.
[ ! -L "$root/dev" ] || { echo '/dev of the image is a symbolic link'; exit 1; } >&3
[ -d "$root/dev" ] || mkdir "$root/dev"
while read -r name minor; do
  [ -e "$root/dev/$name" ] || mknod -m 666 "$root/dev/$name" c 1 "$minor"
done <<DEVICES
null 3
zero 5
full 7
random 8
urandom 9
DEVICES
echo "started $$" >&3
exec 2>&4 3>&- 4>&-
exec "$@"
