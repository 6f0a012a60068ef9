#!/usr/bin/env bash
# NSS: modutil, certutil, cmsutil, selfserv; pk12util must not get a key out.
. "$(dirname "$0")/consumer.sh"
db=sql:$WORK/nss
rm -rf nss && mkdir nss

new_database() { certutil -N -d "$db" --empty-password; }
certificate() { certutil -S -d "$db" -h "$TOKEN" -f pin -n web -s CN=localhost -x -t CTu,CTu,CTu -k ec -q nistp256 -z noise -8 localhost -m 77; }
request() { certutil -R -d "$db" -h "$TOKEN" -f pin -s CN=requested -k ec -q nistp256 -z noise -a -o nss.csr && openssl req -in nss.csr -noout -verify; }
export_cert() { certutil -L -d "$db" -h "$TOKEN" -f pin -n "$TOKEN:web" -a >nss.crt && openssl verify -CAfile nss.crt nss.crt; }
cms() { cmsutil -S -d "$db" -N "$TOKEN:web" -f pin -i letter -o letter.cms && cmsutil -D -d "$db" -f pin -i letter.cms -o back && cmp letter back; }
take_out() { pk12util -d "$db" -h "$TOKEN" -n "$TOKEN:web" -o web.p12 -K "$PIN" -W password; }
keys() { certutil -K -d "$db" -h "$TOKEN" -f pin; }

needs modutil certutil cmsutil pk12util selfserv openssl
head -c 64 /dev/urandom >noise
ok "certutil -N" new_database
ok "modutil -add" modutil -dbdir "$db" -add tallystick -libfile "$MODULE" -force
shows "modutil -list" "Token Name: *$TOKEN " modutil -dbdir "$db" -list tallystick
ok "certutil -S" certificate
shows "certutil -K" "ec .*$TOKEN:web" keys
shows "certutil -L" "$TOKEN:web .*u,u,u|$TOKEN:web .*CTu" certutil -L -d "$db" -h "$TOKEN" -f pin
shows "certutil -R" "self-signature verify OK" request
ok "OpenSSL accepts the certificate" export_cert
ok "cmsutil signs and reads" cms
refused "pk12util gets no key out" take_out
refused "nor is there a file with one" test -s web.p12

# Another program may take the port between the question and the bind: then once more.
connect() { openssl s_client -connect "127.0.0.1:$port" -CAfile nss.crt -verify_hostname localhost -verify_return_error -brief "$@" </dev/null; }
stderr_too() { exec "$@" 2>&1; }
serve_somewhere() {
    local try
    for try in 1 2 3 4 5; do
        port=$(free_port)
        serve out stderr_too selfserv -v -d "$db" -e "$TOKEN:web" -w "$PIN" -p "$port" -V tls1.2:tls1.3
        awaits out "About to call accept" && return 0
    done
    return 1
}
serve_somewhere
ok "selfserv listens" test -n "$matched"
shows "OpenSSL connects, TLS 1.3" "Verification: OK" connect -tls1_3
shows "OpenSSL connects, TLS 1.2" "Verification: OK" connect -tls1_2
ok "certutil -F deletes the certificate and the key" certutil -F -d "$db" -h "$TOKEN" -f pin -n web
ok "modutil -delete" modutil -dbdir "$db" -delete tallystick -force
finish
