/// The script that is a host's pid 1: it makes the host's own root from the machine's, provisions
/// its disk at the first boot, starts its services, and waits until the power is cut.
enum HostScript {
  /// Its arguments are the host's name, its kind, the state folder, the network and the number of
  /// app servers. The lower layer of the host's root is this machine's `/`, which must not be
  /// changed while the lab is up.
  static let text = #"""
    #!/bin/bash
    set -eu
    umask 022
    host=$1 kind=$2 state=$3 network=$4 apps=$5
    folder=$state/$host root=$state/$host/root
    hostname "$host"
    mkdir -p "$folder/upper" "$folder/work" "$root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for name in null zero full random urandom tty; do
      : >"$root/dev/$name"
      mount --bind "/dev/$name" "$root/dev/$name"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    for place in dev/shm tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$place"; done
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    # The machine's own users' files are nobody's business here.
    for place in root home; do
      mkdir -p "$state/$host/users/$place"
      mount --bind "$state/$host/users/$place" "$root/$place"
    done
    mkdir -p "$root/run/sshd" "$root/run/haproxy" "$root/run/lock"

    provision() {
      etc=$root/etc
      rm -f "$etc"/ssh/ssh_host_*
      install -m 600 "$state/$host/hostkey" "$etc/ssh/ssh_host_ed25519_key"
      install -m 644 "$state/$host/hostkey.pub" "$etc/ssh/ssh_host_ed25519_key.pub"
      grep -q ^deploy: "$etc/passwd" || echo 'deploy:x:990:990::/home/deploy:/bin/bash' >>"$etc/passwd"
      grep -q ^deploy: "$etc/group" || echo 'deploy:x:990:' >>"$etc/group"
      grep -q ^deploy: "$etc/shadow" || echo 'deploy:*:19000:0:99999:7:::' >>"$etc/shadow"
      for home in root home/deploy; do
        install -d -m 700 "$root/$home" "$root/$home/.ssh"
        install -m 600 "$state/id_ed25519.pub" "$root/$home/.ssh/authorized_keys"
      done
      chown -R 990:990 "$root/home/deploy"
      mkdir -p "$etc/sudoers.d"
      echo 'deploy ALL=(ALL) NOPASSWD: ALL' >"$etc/sudoers.d/deploy"
      chmod 440 "$etc/sudoers.d/deploy"
      echo "$host" >"$etc/hostname"
      printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$host" >"$etc/hosts"
      cat >"$etc/ssh/sshd_config" <<END
    PermitRootLogin prohibit-password
    PasswordAuthentication no
    UsePAM no
    UseDNS no
    MaxStartups 100:30:200
    MaxSessions 50
    Subsystem sftp internal-sftp
    HostKey /etc/ssh/ssh_host_ed25519_key
    END
      "provision_$kind"
      mkdir -p "$root/var/log/nginx" "$root/var/lib/nginx" "$root/var/lib/monit/events"
      rm -f "$root/var/lib/monit/id" "$root/var/lib/monit/state"
      touch "$etc/lab-provisioned"
    }
    provision_app() {
      # monit as Debian ships it, plus the interface that the command line needs.
      cat >>"$root/etc/monit/monitrc" <<END
    set daemon 2
    set httpd unixsocket /run/monit.sock
        allow root:lab
    END
      chmod 600 "$root/etc/monit/monitrc"
      head -c 1048576 /dev/zero | tr '\0' x >"$root/var/www/big"
      nginx_conf "server { listen 81 backlog=4096; location / { return 200 \"hello from $host\n\"; }
        location = /healthz { access_log off; return 200 \"ok\n\"; }
        location = /big { root /var/www; } }"
    }
    provision_shadow() {
      nginx_conf "server { listen 80 backlog=4096; location / { return 200 \"shadow\n\"; } }"
    }
    nginx_conf() {
      mkdir -p "$root/var/www"
      cat >"$root/etc/nginx/nginx.conf" <<END
    user www-data;
    worker_processes 1;
    pid /run/nginx.pid;
    error_log /var/log/nginx/error.log;
    events { worker_connections 8192; }
    http {
      default_type text/plain;
      access_log /var/log/nginx/access.log;
      keepalive_requests 1000000;
      keepalive_timeout 600s;
      $1
    }
    END
    }
    provision_balancer() {
      cat >"$root/etc/haproxy/haproxy.cfg" <<END
    # haproxy.cfg of the lab.
    global
    	log 127.0.0.1 local0
    	chroot /var/lib/haproxy
    	stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners
    	stats timeout 30s
    	user haproxy
    	group haproxy
    	hard-stop-after 30s

    defaults
    	mode http
    	option redispatch
    	option idle-close-on-response
    	retries 3
    	timeout connect 2s
    	timeout client  30s
    	timeout server  30s
    	timeout http-keep-alive 30s

    frontend web
    	bind :80
    	default_backend app

    backend app
    	balance roundrobin
    	option httpchk GET /healthz
    	default-server inter 500ms fall 2 rise 1
    	# server app1 $network.99:81   an old one, long gone
    END
      for i in $(seq "$apps"); do
        gap=' '
        [ "$i" != 2 ] || gap='   '
        printf '\tserver%sapp%d %s.%d:81 check  # rack %d\n' "$gap" "$i" "$network" $((20 + i)) "$i"
      done >>"$root/etc/haproxy/haproxy.cfg"
      cat >>"$root/etc/haproxy/haproxy.cfg" <<END

    # The same server's name in another backend.
    backend reports
    	server app1 $network.21:81
    	server spare $network.22:81 backup
    END
    }
    [ -e "$root/etc/lab-provisioned" ] || provision
    chown haproxy "$root/run/haproxy" 2>/dev/null || :

    cd "$root"
    mkdir -p .old
    pivot_root . .old
    cd /
    # The machine's own root is out of reach from here on.
    umount -l /.old
    # Nor is the environment of whoever put the lab up.
    for name in $(compgen -e); do unset "$name"; done
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
    /usr/sbin/sshd
    case $kind in
      balancer) haproxy -W -D -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid \
        -S /run/haproxy-master.sock ;;
      *) nginx ;;
    esac
    [ "$kind" != app ] || monit
    trap 'exit 0' TERM
    while :; do
      sleep 3600 &
      wait $! || :
    done
    """#
}
