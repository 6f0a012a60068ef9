#!/usr/bin/env bash
# nginx with OpenSSL's engine: the master loads the module, its workers are forked with it; reloads under load.
. "$(dirname "$0")/consumer.sh"
. "$consumers/openssl_engine.sh"
PATH=$PATH:/usr/sbin
home=$WORK/nginx
rm -rf "$home" && mkdir "$home"
[ "$(id -u)" = 0 ] && user="user root;" || user= # the workers read the store and the PIN

# A socket in our own folder instead of a port: nobody else can have it.
cat >nginx.conf <<CONF
$user
daemon on;
pid $home/pid;
error_log $home/error.log notice;
worker_processes 2;
ssl_engine pkcs11;
env OPENSSL_CONF;
env TALLYSTICK_CONF;
env SOFTHSM2_CONF;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $home/body;
    proxy_temp_path $home/proxy;
    fastcgi_temp_path $home/fastcgi;
    uwsgi_temp_path $home/uwsgi;
    scgi_temp_path $home/scgi;
    ssl_session_cache off;
    ssl_session_tickets off;
    server {
        listen unix:$home/socket ssl;
        ssl_certificate $WORK/web.crt;
        ssl_certificate_key "engine:pkcs11:$(key_uri web)";
        location / { return 200 "served by \$pid\n"; }
    }
}
CONF
control() { nginx -p "$home" -c "$WORK/nginx.conf" -e "$home/error.log" "$@"; }
end_nginx() {
    [ ! -f "$home/pid" ] || control -s stop
    end_children
}
trap end_nginx EXIT

self_sign() { openssl req -new -x509 -engine pkcs11 -keyform engine -key "$(key_uri web)" -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 30 -out web.crt; }
load() { python3 "$consumers/tls_load.py" "$home/socket" web.crt "$@"; }
silent_log() { ! grep -E '\[(error|crit|alert|emerg)\]' "$home/error.log"; }
reload_under_load() {
    local old answer try client
    old=$(pgrep -P "$(cat "$home/pid")")
    load 3 8 >answers &
    client=$!
    for try in 1 2 3; do control -s reload || return 1; done
    wait "$client" || { cat answers && return 1; }
    # The reloads are done when a worker answers that was not there before.
    for try in $(seq 200); do
        answer=$(load 1 1) || return 1
        grep -qx "${answer##* }" <<<"$old" || return 0
    done
    return 1
}
quit() {
    local pid
    pid=$(cat "$home/pid")
    control -s quit && timeout 60 tail --pid="$pid" -f /dev/null
}

needs nginx openssl python3
ok "a key" make_key web 01
ok "a certificate" self_sign
ok "nginx -t" control -t
ok "nginx starts" control
shows "a worker answers" "served by" load 1 1
ok "four clients at once, six connections each" load 4 6
ok "reloads while clients connect lose no connection" reload_under_load
ok "four clients again" load 4 4
ok "nothing went wrong in its log" silent_log
ok "nginx ends" quit
finish
