# Becomes an instance's machine: runs its user data, and stays for what that leaves running until standard input ends.
# Arguments: the root ('' where the kernel grants none of its own), tools, node, socket, script, host name, mark, shell options.
# After all that the script wrote comes `<mark> <status>`, in the same stream, so that nobody hears of its end too soon.
set -e
root=$1 tools=$2 node=$3 socket=$4 script=$5 name=$6 mark=$7
shift 7
if [ -n "$root" ]; then
  mount -t tmpfs -o mode=755,size=256m tmpfs "$root"
  cd "$root"
  machine=run/instance/machine
  mkdir -p $machine run/instance/tools dev etc home/ec2-user mnt opt proc root srv tmp usr/local var/lib/cloud/instance/scripts var/log
  chmod 1777 tmp
  # This machine's programs are there to be run, read-only, and only by the names that the tools give them.
  for folder in usr bin sbin lib lib32 lib64 libx32 nix gnu; do
    if [ -L "/$folder" ]; then
      target=$(readlink "/$folder")
      ln -s "${target#/}" "$machine/$folder"
    elif [ -d "/$folder" ]; then
      mkdir "$machine/$folder"
      mount --rbind "/$folder" "$machine/$folder"
      mount -o remount,bind,ro "$machine/$folder"
    fi
  done
  for folder in lib lib32 lib64 libx32 nix gnu usr/lib usr/lib32 usr/lib64 usr/libexec usr/share; do
    [ ! -e "$machine/$folder" ] || ln -s "/$machine/$folder" "$folder"
  done
  for folder in bin sbin usr/bin usr/sbin usr/local/bin; do ln -s /run/instance/tools/bin "$folder"; done
  mount --bind "$tools" run/instance/tools
  mount -o remount,bind,ro run/instance/tools
  : >run/instance/node
  mount --bind "$node" run/instance/node
  : >run/instance/ask.sock
  mount --bind "$socket" run/instance/ask.sock
  if [ -e /etc/ld.so.cache ]; then
    : >etc/ld.so.cache
    mount --bind /etc/ld.so.cache etc/ld.so.cache
  fi
  printf 'root:x:0:0:root:/root:/bin/bash\nec2-user:x:1000:1000::/home/ec2-user:/bin/bash\n' >etc/passwd
  printf 'root:x:0:\nec2-user:x:1000:\n' >etc/group
  printf '127.0.0.1 localhost\n' >etc/hosts
  printf '%s\n' "$name" >etc/hostname
  printf 'NAME="Amazon Linux"\nVERSION="2023"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"\n' >etc/os-release
  cp "$script" var/lib/cloud/instance/scripts/part-001
  mount -t proc proc proc 2>/dev/null || mount --rbind /proc proc
  mount -t tmpfs -o mode=755,size=64k tmpfs dev
  for device in null zero full random urandom; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
  ln -s /proc/self/fd dev/fd
  ln -s /proc/self/fd/0 dev/stdin
  ln -s /proc/self/fd/1 dev/stdout
  ln -s /proc/self/fd/2 dev/stderr
  mkfifo dev/console
  hostname "$name" 2>/dev/null || true
  enter="unshare --root=$root --wd=/ --"
  tools=/run/instance/tools socket=/run/instance/ask.sock home=/root
  script=/var/lib/cloud/instance/scripts/part-001
else
  home=$(dirname "$script") enter=
  cd "$home"
fi
# Through a pipe: what opens /dev/stdout anew could not open a socket, which is what we have.
{
  # Whoever writes to the console of the machine, it has the same reader.
  [ -z "$root" ] || cat <>"$root/dev/console" &
  status=0
  $enter env -i PATH="$tools/bin" HOME="$home" LANG=C.UTF-8 TZ=UTC INSTANCE_SOCKET="$socket" \
    bash "$@" "$script" </dev/null || status=$?
  echo "$mark $status"
  cat >/dev/null
} 2>&1 | cat
