# Sourced: OpenSSL's configuration that loads the module as the engine pkcs11.
cat >engine.cnf <<CONF
openssl_conf = openssl_init
[openssl_init]
engines = engine_section
[engine_section]
pkcs11 = pkcs11_section
[pkcs11_section]
engine_id = pkcs11
MODULE_PATH = $MODULE
init = 0
[req]
distinguished_name = name
x509_extensions = extensions
[name]
[extensions]
basicConstraints = critical,CA:true
CONF
export OPENSSL_CONF=$WORK/engine.cnf
