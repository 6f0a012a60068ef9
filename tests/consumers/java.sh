#!/usr/bin/env bash
# Java 17, SunPKCS11: keytool, jarsigner, a TLS server.
. "$(dirname "$0")/consumer.sh"
cat >java.cfg <<CFG
name = tallystick
library = $MODULE
slotListIndex = 0
CFG
export JAVA_TOOL_OPTIONS=-Duser.language=en
store=(-storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 -providerArg java.cfg -keystore NONE -storepass:env PIN)

key() { keytool "${store[@]}" "$@"; }
generate() { key -genkeypair -keyalg EC -groupname secp256r1 -alias "$1" -dname "CN=$1" -ext san=dns:localhost -validity 30; }
make_jar() { python3 -c 'import zipfile; jar = zipfile.ZipFile("a.jar", "w"); jar.write("letter"); jar.close()'; }
broken_jar() { python3 -c 'import zipfile; jar = zipfile.ZipFile("a.jar", "a"); jar.writestr("letter2", "x"); jar.close()'; jarsigner -verify -strict "${store[@]}" a.jar; }
certificate() { key -exportcert -rfc -alias server -file java.crt && openssl verify -CAfile java.crt java.crt; }
request() { key -certreq -alias server -file java.csr && openssl req -in java.csr -noout -verify; }

needs java keytool jarsigner openssl python3
ok "keytool -genkeypair" generate server
shows "keytool -list" "server, PrivateKeyEntry" key -list
shows "pkcs11-tool sees the key" "sensitive, always sensitive, never extractable, local" as_user -O --type privkey
ok "keytool -exportcert" certificate
shows "keytool -certreq" "self-signature verify OK" request
make_jar
shows "jarsigner" "jar signed" jarsigner "${store[@]}" a.jar server
shows "jarsigner -verify" "jar verified" jarsigner -verify "${store[@]}" a.jar server
refused "what was added later is not signed" broken_jar
refused "a wrong PIN" env PIN=000000 keytool "${store[@]}" -list

serve out java "$consumers/TlsServer.java" java.cfg server
awaits out "listening on (.*)"
port=$matched
ok "a TLS server listens" test -n "$port"
connect() { printf 'x' | openssl s_client -connect "127.0.0.1:$port" -CAfile java.crt -verify_hostname localhost -verify_return_error -brief "$@"; }
shows "OpenSSL connects, TLS 1.3" "Verification: OK" connect -tls1_3
shows "OpenSSL connects, TLS 1.2" "Verification: OK" connect -tls1_2
ok "keytool -delete" key -delete -alias server
refused "and it is gone" key -exportcert -alias server
finish
